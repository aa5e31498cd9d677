/**
 * JSONPath (RFC 9535), the part that one pass can decide: child and descendant segments with name, wildcard,
 * index ≥ 0 and forward slice selectors. The rest is refused with the reason.
 */

export type Selector =
  | { readonly kind: 'name'; readonly name: string }
  /** A key rule: the folded name. Not JSONPath; shares the automaton. */
  | { readonly kind: 'folded'; readonly name: string }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'slice'; readonly start: number; readonly end: number; readonly step: number };

export interface Segment {
  readonly descendant: boolean;
  readonly selectors: readonly Selector[];
}

export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
  /** Offset in the expression, UTF-16 units. */
  readonly at: number;
  constructor(at: number, message: string) {
    super(`${message} (at character ${at + 1})`);
    this.at = at;
  }
}

const nameFirst = /[A-Za-z_\u{80}-\u{d7ff}\u{e000}-\u{10ffff}]/u;
const nameRest = /[A-Za-z0-9_\u{80}-\u{d7ff}\u{e000}-\u{10ffff}]/u;
const integer = /-?(?:0|[1-9][0-9]*)/y;
const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '/': '/', '\\': '\\', "'": "'", '"': '"' };

/** Parses an expression. Throws `JsonPathError`. */
export function parseJsonPath(expression: string): Segment[] {
  let at = 0;
  const fail = (message: string, where = at): never => {
    throw new JsonPathError(where, message);
  };
  const peek = (): string => expression.slice(at, at + 1);
  const skipBlanks = (): void => {
    while (at < expression.length && ' \t\n\r'.includes(expression[at]!)) at++;
  };

  const integerAt = (): number | undefined => {
    integer.lastIndex = at;
    const found = integer.exec(expression);
    if (found === null) return undefined;
    const value = Number(found[0]);
    if (found[0] === '-0') fail('-0 is not an integer of JSONPath');
    if (!Number.isSafeInteger(value)) fail('the integer is out of range');
    at += found[0].length;
    if (/[0-9]/.test(peek())) fail('an integer has no leading zero');
    return value;
  };

  const hexUnit = (): number => {
    const digits = expression.slice(at, at + 4);
    if (!/^[0-9A-Fa-f]{4}$/.test(digits)) fail('\\u needs four hexadecimal digits');
    at += 4;
    return Number.parseInt(digits, 16);
  };

  const quoted = (): string => {
    const quote = expression[at++]!;
    let text = '';
    for (;;) {
      const char = expression[at];
      if (char === undefined) return fail('the quoted name does not end');
      at++;
      if (char === quote) break;
      if (char < ' ') fail('a control character must be escaped', at - 1);
      if (char !== '\\') {
        text += char;
        continue;
      }
      const kind = expression[at++];
      if (kind === 'u') {
        const unit = hexUnit();
        if (unit >= 0xdc00 && unit <= 0xdfff) fail('a low surrogate needs a high one before it');
        text += String.fromCharCode(unit);
        if (unit >= 0xd800 && unit <= 0xdbff) {
          if (expression.slice(at, at + 2) !== '\\u') fail('a high surrogate needs a low one after it');
          at += 2;
          const low = hexUnit();
          if (low < 0xdc00 || low > 0xdfff) fail('a high surrogate needs a low one after it');
          text += String.fromCharCode(low);
        }
      } else {
        const plain = kind === undefined ? undefined : escapes[kind];
        if (plain === undefined || ((kind === "'" || kind === '"') && kind !== quote)) fail('the escape is not one of JSONPath', at - 1);
        text += plain;
      }
    }
    if (!text.isWellFormed()) fail('the name is not well-formed Unicode');
    return text;
  };

  const sliceOrIndex = (): Selector => {
    const from = at;
    const start = integerAt();
    skipBlanks();
    if (peek() !== ':') {
      if (start === undefined) return fail('a selector is a quoted name, *, an index or a slice');
      if (start < 0) fail('an index from the end is only known when the array has ended: one pass cannot decide it', from);
      return { kind: 'index', index: start };
    }
    at++;
    skipBlanks();
    const end = integerAt();
    skipBlanks();
    let step: number | undefined;
    if (peek() === ':') {
      at++;
      skipBlanks();
      step = integerAt();
    }
    if ((start ?? 0) < 0 || (end ?? 0) < 0)
      fail('a slice from the end is only known when the array has ended: one pass cannot decide it', from);
    if ((step ?? 1) < 0) fail('a slice with a negative step runs backwards: one pass cannot decide it', from);
    if (step === 0) fail('a slice with step 0 selects nothing', from);
    return { kind: 'slice', start: start ?? 0, end: end ?? Number.POSITIVE_INFINITY, step: step ?? 1 };
  };

  const selector = (): Selector => {
    const char = peek();
    if (char === '*') {
      at++;
      return { kind: 'wildcard' };
    }
    if (char === '"' || char === "'") return { kind: 'name', name: quoted() };
    if (char === '?') return fail('a filter compares parts of the document that may not have arrived: one pass cannot decide it');
    return sliceOrIndex();
  };

  const bracketed = (): Selector[] => {
    at++;
    const selectors: Selector[] = [];
    for (;;) {
      skipBlanks();
      selectors.push(selector());
      skipBlanks();
      if (peek() === ',') {
        at++;
        continue;
      }
      if (peek() !== ']') fail('"," or "]" is missing');
      at++;
      return selectors;
    }
  };

  const shorthand = (): Selector[] => {
    if (peek() === '*') {
      at++;
      return [{ kind: 'wildcard' }];
    }
    const from = at;
    for (let char = String.fromCodePoint(expression.codePointAt(at) ?? 0); at < expression.length;) {
      if (!(at === from ? nameFirst : nameRest).test(char)) break;
      at += char.length;
      char = String.fromCodePoint(expression.codePointAt(at) ?? 0);
    }
    if (at === from) fail("a member name, * or [ is missing; quote names with other characters: ['a-b']");
    if (peek() === '(') fail('functions are only for filters');
    return [{ kind: 'name', name: expression.slice(from, at) }];
  };

  if (peek() !== '$') fail('a path starts with $');
  at++;
  const segments: Segment[] = [];
  for (;;) {
    const before = at;
    skipBlanks();
    if (at === expression.length) {
      if (before !== at) fail('the path must not end with blanks', before);
      return segments;
    }
    if (expression.startsWith('..', at)) {
      at += 2;
      segments.push({ descendant: true, selectors: peek() === '[' ? bracketed() : shorthand() });
    } else if (peek() === '.') {
      at++;
      segments.push({ descendant: false, selectors: shorthand() });
    } else if (peek() === '[') segments.push({ descendant: false, selectors: bracketed() });
    else fail('a segment starts with ".", ".." or "["');
  }
}
