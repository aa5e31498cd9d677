/**
 * JSON Canonicalization Scheme (RFC 8785): members sorted by UTF-16 code units, no white space, numbers and strings as
 * ECMAScript writes them. Members that are undefined are left out.
 *
 * @throws TypeError for what is no JSON (NaN, infinities, bigint, functions) and for lone surrogates (I-JSON forbids them)
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('A number in canonical JSON must be finite.');
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('A string in canonical JSON must not hold a lone surrogate.');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    let text = '[';
    for (let i = 0; i < value.length; i++) text += i === 0 ? canonicalJson(value[i]) : `,${canonicalJson(value[i])}`;
    return `${text}]`;
  }
  if (typeof value === 'object' && (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)) {
    // Without a comparator, strings are sorted by their UTF-16 code units.
    const sorted = Object.keys(value).sort();
    let text = '{';
    for (const name of sorted) {
      const member = (value as Record<string, unknown>)[name];
      if (member !== undefined) text += `${text === '{' ? '' : ','}${nameOf(name)}:${canonicalJson(member)}`;
    }
    return `${text}}`;
  }
  throw new TypeError(`A value of type ${typeof value} has no canonical JSON.`);
}

/** Names of members come again and again. */
const names = new Map<string, string>();
const maxNames = 1000;

function nameOf(name: string): string {
  let text = names.get(name);
  if (text === undefined) {
    text = canonicalJson(name);
    if (names.size < maxNames && name.length < 100) names.set(name, text);
  }
  return text;
}
