/**
 * A body as conditions see it. What another parser could read differently is not parsed at all: a condition must
 * not see one amount and the target another. So JSON with a key twice, with bytes that are not UTF-8, or with
 * numbers that a double cannot hold is `unparsed`, and a condition that reads it is in error.
 */
import type { BodyState, Facts } from './facts.ts';

export interface InspectedBody {
  readonly body: unknown;
  readonly bodyState: BodyState;
}

const unparsed: InspectedBody = { body: null, bodyState: 'unparsed' };
const maxBodyDepth = 200;

/**
 * @param bytes the whole body
 * @param contentType the header's value; JSON (`application/json`, `…+json`) and `application/x-www-form-urlencoded` are read
 * @returns for a form: a map of lists of strings, every value of a key in order
 */
export function readInspectedBody(bytes: Uint8Array, contentType: string | undefined): InspectedBody {
  if (bytes.length === 0) return { body: null, bodyState: 'absent' };
  const [mediaType = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  if (parameters.some((parameter) => parameter.startsWith('charset=') && !/^charset="?utf-?8"?$/.test(parameter))) return unparsed;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return unparsed;
  }
  if (/^(?:application\/json|[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+\+json)$/.test(mediaType)) return readJson(text);
  if (mediaType === 'application/x-www-form-urlencoded') return readForm(text);
  return unparsed;
}

function readForm(text: string): InspectedBody {
  // RFC-less ground: a lone %, or bytes that are not UTF-8, are replaced by some parsers and kept by others
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return unparsed;
  const body = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of new URLSearchParams(text)) {
    if (name.includes('\ufffd') || value.includes('\ufffd')) return unparsed;
    (body[name] ??= []).push(value);
  }
  return { body, bodyState: 'parsed' };
}

function readJson(text: string): InspectedBody {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return unparsed;
  }
  return isUnambiguous(text) ? { body, bodyState: 'parsed' } : unparsed;
}

/**
 * Of a text that JSON.parse accepts: no object has a key twice, no number loses its value, nothing is nested more
 * than 200 deep. One pass.
 */
function isUnambiguous(text: string): boolean {
  /** Keys of the open objects; null for an open list. */
  const open: (Set<string> | null)[] = [];
  let expectsKey = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      const end = stringEnd(text, i);
      if (expectsKey) {
        const literal = text.slice(i, end);
        const key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
        const keys = open[open.length - 1]!;
        if (keys.has(key)) return false;
        keys.add(key);
        expectsKey = false;
      }
      i = end - 1;
    } else if (code === 0x7b) {
      open.push(new Set());
      expectsKey = true;
    } else if (code === 0x5b) open.push(null);
    else if (code === 0x7d || code === 0x5d) {
      open.pop();
      expectsKey = false;
    } else if (code === 0x2c) expectsKey = open[open.length - 1] !== null;
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      const end = numberEnd(text, i);
      if (!isExact(text.slice(i, end))) return false;
      i = end - 1;
    }
    if (open.length > maxBodyDepth) return false;
  }
  return true;
}

function stringEnd(text: string, start: number): number {
  let i = start + 1;
  for (; text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
  return i + 1;
}

function numberEnd(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && /[0-9.eE+-]/.test(text[i]!)) i++;
  return i;
}

/** Whole numbers beyond 2^53 and numbers beyond the range of a double are not what a target with a decimal parser reads. */
function isExact(literal: string): boolean {
  const value = Number(literal);
  if (!Number.isFinite(value)) return false;
  if (Number.isInteger(value)) return Number.isSafeInteger(value);
  return literal.length <= 40;
}

/**
 * Headers as conditions see them. A name that came on several lines keeps its list, and a condition that reads it
 * is in error: which line the target takes is not known.
 * @param list names in lower case, in wire order
 */
export function headerFacts(list: readonly (readonly [string, string])[]): Facts['request']['headers'] {
  const headers = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of list) {
    const earlier = headers[name];
    if (earlier === undefined) headers[name] = value;
    else if (typeof earlier === 'string') headers[name] = [earlier, value];
    else earlier.push(value);
  }
  return headers;
}
