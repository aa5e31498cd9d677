/** The request target (RFC 9112 §3.2), read in one pass and in one way only. */
import { AppError, decodeFully, hexValue } from '@hoop/contract';

export interface NormalisedPath {
  /** First segment of the relay's path: the connection's name. Empty where the path is the target's own. */
  readonly connection: string;
  /** The target's path; starts with `/`. */
  readonly path: string;
  /** `` or `?…`, as sent: a `?` that nothing follows is kept. */
  readonly search: string;
  /** The target's path has a `%2F`. Only a connection that says how its target reads one may take such a path. */
  readonly hasEncodedSlash: boolean;
}

export type PathForm = 'relay' | 'target';

/** Longest request target, characters. */
export const maxUrlLength = 16_384;

const invalid = (detail: string): AppError => new AppError('invalid_path', detail);

const slash = 0x2f;
const dot = 0x2e;
const backslash = 0x5c;
const percent = 0x25;
const question = 0x3f;

/** 1: may stand in a path as it is. `;` is not among them: some servers read the rest of the segment as a parameter, others as part of the name. */
const plain = new Uint8Array(128);
for (const character of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,=:@|[]")
  plain[character.charCodeAt(0)] = 1;

/** Decoded where a client encoded them, as every server reads both alike: unreserved (RFC 3986 §2.3) and what URL parsers leave alone. */
const decoded = new Uint8Array(128);
for (const character of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~!*'():@$,") decoded[character.charCodeAt(0)] = 1;

function encodedByte(text: string, at: number): number {
  const high = hexValue(text.charCodeAt(at + 1));
  const low = hexValue(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/**
 * Normalising the result again gives the result. A caller that takes a path with `hasEncodedSlash` has to know that
 * the target may read it as a separator.
 *
 * @param url origin-form: path and query as they stand in the request line
 * @param form whose path it is: the relay's, with a connection in front, or the target's own
 * @throws AppError `invalid_path`
 */
export function normalisePath(url: string, form: PathForm = 'relay'): NormalisedPath {
  if (url.length > maxUrlLength) throw invalid(`The URL is longer than ${maxUrlLength} characters.`);
  if (url.charCodeAt(0) !== slash) throw invalid(noStart(form));
  let segment = 1;
  /** Where the connection's name ends; -1: not found yet. */
  let firstEnd = form === 'target' ? 0 : -1;
  let isEncoded = false;
  let hasEncodedSlash = false;
  let end = 1;
  for (; end < url.length; end++) {
    const code = url.charCodeAt(end);
    if (code === slash) {
      checkSegment(url, segment, end);
      if (firstEnd < 0) firstEnd = end;
      segment = end + 1;
    } else if (code === question) {
      break;
    } else if (code === percent) {
      if (checkEncoded(url, end) === slash) {
        if (firstEnd < 0) throw invalid('The name of the connection has an encoded slash in it.');
        hasEncodedSlash = true;
      }
      isEncoded = true;
      end += 2;
    } else if (code > 127 || plain[code] === 0) {
      throw invalidCharacter(code);
    }
  }
  if (segment < end) checkSegment(url, segment, end);
  if (firstEnd < 0) firstEnd = end;
  if (firstEnd === 1 || (firstEnd === 0 && form === 'relay')) throw invalid(noStart(form));
  const search = url.slice(end);
  if (search !== '') checkQuery(search);
  const connection = firstEnd === 0 ? '' : url.slice(1, firstEnd);
  const path = firstEnd === end ? '/' : url.slice(firstEnd, end);
  if (!isEncoded) return { connection, path, search, hasEncodedSlash };
  checkDecoded(url.slice(0, end));
  return { connection: decodePlain(connection), path: decodePlain(path), search, hasEncodedSlash };
}

const noStart = (form: PathForm): string =>
  form === 'relay' ? 'The path must start with "/" and the name of a connection.' : 'The path must start with "/".';

/** The answer to a path whose `hasEncodedSlash` the connection does not take. */
export const encodedSlashRefused = (connection: string): AppError =>
  invalid(
    'The path has an encoded slash (%2F), which servers read in different ways. ' +
      `Where the target takes it for data of a segment, set paths.encodedSlash of the connection "${connection}" to "data".`,
  );

function invalidCharacter(code: number): AppError {
  if (code === 0x3b) return invalid('The path has a ";" in it, which servers read in different ways. Encode it as %3B.');
  if (code === backslash) return invalid('The path has a backslash in it.');
  if (code === 0x23) return invalid('The path has a fragment ("#") in it.');
  const shown = code > 0x20 && code < 0x7f ? `"${String.fromCharCode(code)}"` : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return invalid(`The path has the character ${shown} in it, which must be percent-encoded.`);
}

function checkSegment(url: string, start: number, end: number): void {
  const length = end - start;
  if (length === 0) throw invalid('The path has an empty segment ("//").');
  if (url.charCodeAt(start) === dot && (length === 1 || (length === 2 && url.charCodeAt(start + 1) === dot))) {
    throw invalid('The path has a "." or ".." segment. Send the path that you mean.');
  }
}

function checkEncoded(url: string, at: number): number {
  const byte = encodedByte(url, at);
  if (byte < 0) throw invalid('The path has a "%" that is not followed by two hexadecimal digits.');
  if (byte === dot || byte === backslash) {
    throw invalid('The path has an encoded backslash or dot, which servers read in different ways.');
  }
  if (byte < 0x20 || byte === 0x7f) throw invalid('The path has an encoded control character.');
  return byte;
}

/** Valid UTF-8 never has a longer form of a character than it needs (RFC 3629 §3); old decoders take one for the character. */
const overlong = /[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}/;
/** Servers that drop parameters, spaces at the end of a segment, or everything from a `?` or `#` on, are left with a dot segment. */
const hiddenDotSegment = /(?:^|\/)\.{1,2}(?: |\xc2?\xa0)*(?:[;?#/]|$)/;
// oxlint-disable-next-line no-control-regex -- they are refused
const structural = /[\\\0-\x1f\x7f]/;

/** However often a chain of servers decodes the path, none may find a separator, a dot or a dot segment that others do not. */
function checkDecoded(path: string): void {
  const decodedOnce = path.replace(/%2f/gi, '/');
  const whole = decodeFully(path);
  if (structural.test(whole) || count(whole, '/') !== count(decodedOnce, '/') || count(whole, '.') !== count(path, '.')) {
    throw invalid('The path has a slash, backslash, dot or control character that is encoded twice.');
  }
  if (overlong.test(whole)) throw invalid('The path has a character in overlong UTF-8, which servers read in different ways.');
  if (hiddenDotSegment.test(whole)) throw invalid('The path has a segment that a server could read as "." or "..".');
}

function count(text: string, character: string): number {
  let found = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) found++;
  return found;
}

function checkQuery(search: string): void {
  for (let i = 1; i < search.length; i++) {
    const code = search.charCodeAt(i);
    if (code === percent) {
      if (encodedByte(search, i) < 0)
        throw invalid('The query has a "%" that is not followed by two hexadecimal digits. Encode it as %25.');
      i += 2;
    } else if (code <= 0x20 || code >= 0x7f || code === 0x23) {
      throw invalid('The query has a character in it that must be percent-encoded.');
    }
  }
}

function decodePlain(text: string): string {
  return text.replace(/%[0-9a-f]{2}/gi, (triplet) => {
    const byte = Number.parseInt(triplet.slice(1), 16);
    return byte < 128 && decoded[byte] === 1 ? String.fromCharCode(byte) : triplet.toUpperCase();
  });
}

/** Names and values of a query, decoded as forms are (WHATWG URL §5.1). Has no prototype, so that no name is special. */
export function parseQuery(search: string): Record<string, string[]> {
  const query = Object.create(null) as Record<string, string[]>;
  if (search.length < 2) return query;
  // Escapes are rare; without them the parts are the values.
  if (search.includes('%') || search.includes('+')) {
    for (const [name, value] of new URLSearchParams(search)) (query[name] ??= []).push(value);
    return query;
  }
  for (let start = 1; start < search.length;) {
    const ampersand = search.indexOf('&', start);
    const end = ampersand === -1 ? search.length : ampersand;
    if (end > start) {
      const equals = search.indexOf('=', start);
      const nameEnd = equals === -1 || equals > end ? end : equals;
      const value = search.slice(nameEnd + 1, Math.max(end, nameEnd + 1));
      (query[search.slice(start, nameEnd)] ??= []).push(value);
    }
    start = end + 1;
  }
  return query;
}
