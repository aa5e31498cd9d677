/**
 * JSON Canonicalization Scheme (RFC 8785): members sorted by UTF-16 code units, no white space, numbers and strings as
 * ECMAScript writes them. Members that are undefined are left out.
 *
 * @throws TypeError for what is no JSON (NaN, infinities, bigint, functions) and for lone surrogates (I-JSON forbids them)
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  // ECMAScript's own writer does the same, many times faster, to what is in order.
  const ordered = inOrder(value);
  return ordered === undefined ? written(value) : JSON.stringify(ordered);
}

/**
 * The value, with its members in order: itself where they are, else a copy. Undefined: it is no JSON, or has a name that
 * ECMAScript puts in an order of its own (one like an index) or that no copy can be given.
 */
function inOrder(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? value : undefined;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return value;
      if (Array.isArray(value)) return listInOrder(value);
      return objectInOrder(value as Record<string, unknown>);
    default:
      return undefined;
  }
}

function listInOrder(list: readonly unknown[]): unknown {
  let copy: unknown[] | null = null;
  for (let i = 0; i < list.length; i++) {
    const ordered = inOrder(list[i]);
    if (ordered === undefined) return undefined;
    if (ordered === list[i]) continue;
    copy ??= [...list];
    copy[i] = ordered;
  }
  return copy ?? list;
}

function objectInOrder(object: Record<string, unknown>): unknown {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const own = Object.keys(object);
  let isSorted = true;
  let copy: Record<string, unknown> | null = null;
  for (let i = 0; i < own.length; i++) {
    const name = own[i]!;
    const first = name.charCodeAt(0);
    if ((first >= 0x30 && first <= 0x39) || name === '__proto__' || !name.isWellFormed()) return undefined;
    if (i > 0 && own[i - 1]! > name) isSorted = false;
    const member = object[name];
    if (member === undefined) continue;
    const ordered = inOrder(member);
    if (ordered === undefined) return undefined;
    if (ordered === member) continue;
    copy ??= { ...object };
    copy[name] = ordered;
  }
  if (isSorted) return copy ?? object;
  const sorted: Record<string, unknown> = {};
  for (const name of own.sort()) sorted[name] = (copy ?? object)[name];
  return sorted;
}

function written(value: unknown): string {
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
    for (let i = 0; i < value.length; i++) text += i === 0 ? written(value[i]) : `,${written(value[i])}`;
    return `${text}]`;
  }
  if (typeof value === 'object' && (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)) {
    // Without a comparator, strings are sorted by their UTF-16 code units.
    const sorted = Object.keys(value).sort();
    let text = '{';
    for (const name of sorted) {
      const member = (value as Record<string, unknown>)[name];
      if (member !== undefined) text += `${text === '{' ? '' : ','}${nameOf(name)}:${written(member)}`;
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
    text = written(name);
    if (names.size < maxNames && name.length < 100) names.set(name, text);
  }
  return text;
}
