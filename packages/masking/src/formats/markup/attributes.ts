/** The attributes of a tag. */
export interface Attribute {
  readonly name: string;
  /** As written, without quotes; null: none. */
  readonly raw: string | null;
  /** Everything before the value: white space, name, "=". */
  readonly before: string;
  readonly quote: string;
}

const attribute = /([\s/]*)([^\s/>="'<][^\s/>=]*)(?:(\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/y;

/** Null where the text is not a list of attributes. `text` is what stands between the tag's name and its end. */
export function parseAttributes(text: string): { attributes: Attribute[]; rest: string } | null {
  const attributes: Attribute[] = [];
  let at = 0;
  for (;;) {
    attribute.lastIndex = at;
    const found = attribute.exec(text);
    if (found === null || found[0].length === 0) break;
    at += found[0].length;
    const [, space = '', name = '', equals = ''] = found;
    const raw = found[4] ?? found[5] ?? found[6] ?? null;
    attributes.push({ name, raw, before: space + name + equals, quote: found[4] !== undefined ? '"' : found[5] !== undefined ? "'" : '' });
  }
  const rest = text.slice(at);
  return /^[\s/]*$/.test(rest) ? { attributes, rest } : null;
}

/** Where the tag that starts at `from` ends (after its ">"), quotes respected; -1: not yet. */
export function tagEnd(text: string, from: number): number {
  let quote = '';
  for (let i = from; i < text.length; i++) {
    const char = text[i]!;
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '>') return i + 1;
  }
  return -1;
}
