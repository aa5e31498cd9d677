/**
 * As `JSON.parse`, which is not to be trusted with names that hold an escape: V8 12.8 to 14.6 and later compares a name as
 * it is written with the one that an earlier object had in its place, so that after `{"q":1,"\\u0061":1}` the text
 * `{"q":1,"\u0061mount":9}` is an object with a member `\u0061` and none that is called `amount`
 * (https://github.com/nodejs/node/issues/63785). Whoever wrote the first text, in whichever request, chooses what the
 * second one says.
 *
 * @throws SyntaxError where the text is no JSON
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return hasEscapedName(text) ? read(text) : value;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** Of a text that is JSON: there, a backslash is always within a string. */
function hasEscapedName(text: string): boolean {
  for (let at = text.indexOf('\\'); at !== -1; at = text.indexOf('\\', at)) {
    at = afterString(text, at);
    while (isSpace(text.charCodeAt(at))) at++;
    if (text.charCodeAt(at) === COLON) return true;
  }
  return false;
}

/** The position after the string that goes on at `at`. */
function afterString(text: string, at: number): number {
  let next = at;
  for (let code = text.charCodeAt(next); code !== QUOTE; code = text.charCodeAt(next)) next += code === BACKSLASH ? 2 : 1;
  return next + 1;
}

type Container = unknown[] | Record<string, unknown>;

const scalar = /[^\s,:[\]{}]+/y;

/** Reads what is JSON for certain, strings and scalars by `JSON.parse`. */
function read(text: string): unknown {
  const open: { container: Container; name: string }[] = [];
  let result: unknown;
  let name: string | null = null;
  const add = (value: unknown): void => {
    const frame = open.at(-1);
    if (frame === undefined) result = value;
    else if (Array.isArray(frame.container)) frame.container.push(value);
    else Object.defineProperty(frame.container, name!, { value, writable: true, enumerable: true, configurable: true });
    name = null;
  };
  for (let at = 0; at < text.length;) {
    const character = text[at]!;
    if (character === '{' || character === '[') {
      const container: Container = character === '{' ? {} : [];
      open.push({ container, name: name ?? '' });
      name = null;
      at++;
    } else if (character === '}' || character === ']') {
      const closed = open.pop()!;
      ({ name } = closed);
      add(closed.container);
      at++;
    } else if (character === '"') {
      const end = afterString(text, at + 1);
      const value = JSON.parse(text.slice(at, end)) as string;
      const frame = open.at(-1);
      if (frame !== undefined && !Array.isArray(frame.container) && name === null) name = value;
      else add(value);
      at = end;
    } else if (character === ',' || character === ':' || isSpace(text.charCodeAt(at))) {
      at++;
    } else {
      scalar.lastIndex = at;
      const [written] = scalar.exec(text)!;
      add(JSON.parse(written));
      at += written.length;
    }
  }
  return result;
}
