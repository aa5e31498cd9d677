/** How a secret may be encoded before its characters are written: as it is, in base64 at each alignment, in hexadecimal. */
import { utf8Bytes } from '../bytes.ts';

/** Shorter ones are no secrets: masking every "a" of a body would tell more than it hides. */
export const minSecretLength = 4;
const minEncodedLength = 6;

/** A text as positions, each a set of characters that may stand there. */
export interface Pattern {
  readonly encoding: Encoding;
  readonly positions: readonly (readonly number[])[];
  /** Notations one inside the other that existing writers produce: 1 or 2. */
  readonly depth: 1 | 2;
  /** Line breaks may stand between characters. */
  readonly breaks: boolean;
}

export type Encoding = 'text' | 'base64' | 'hexadecimal';

const softBreaks: readonly string[] = ['=\n', '=\r\n'];
const lineBreaks: readonly string[] = [...softBreaks, '\r', '\n', ' ', '\t', '\\n', '\\r', '%0a', '%0d', '&#10;', '&#13;'];

/** Texts that may stand between two characters of a pattern, in lower case. */
export const skipsOf = (pattern: Pick<Pattern, 'breaks'>): readonly string[] => (pattern.breaks ? lineBreaks : softBreaks);

/** Empty for a secret of under four bytes. */
export function patternsOf(secret: string): Pattern[] {
  const bytes = utf8Bytes(secret);
  if (bytes.length < minSecretLength) return [];
  const text = Array.from(secret, (char) => [char.codePointAt(0)!]);
  const patterns: Pattern[] = [{ encoding: 'text', positions: text, depth: 2, breaks: false }];
  for (let alignment = 0; alignment < 3; alignment++) {
    const positions = base64Core(bytes, alignment);
    if (positions.length >= minEncodedLength) patterns.push({ encoding: 'base64', positions, depth: 1, breaks: true });
  }
  if (bytes.length * 2 >= minEncodedLength) patterns.push({ encoding: 'hexadecimal', positions: hexDigits(bytes), depth: 1, breaks: true });
  return patterns;
}

const hexDigits = (bytes: Uint8Array): number[][] =>
  Array.from(bytes, (byte) =>
    Array.from(byte.toString(16).padStart(2, '0'), (digit) => [...new Set([digit, digit.toUpperCase()])].map((one) => one.charCodeAt(0))),
  ).flat();

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The base64 characters that the secret alone determines when it starts `alignment` bytes into a group; RFC 4648 §4 or §5. */
function base64Core(bytes: Uint8Array, alignment: number): number[][] {
  const firstBit = alignment * 8;
  const lastBit = firstBit + bytes.length * 8;
  const positions: number[][] = [];
  for (let at = Math.ceil(firstBit / 6) * 6; at + 6 <= lastBit; at += 6) {
    let value = 0;
    for (let bit = at - firstBit; bit < at - firstBit + 6; bit++) value = (value << 1) | ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1);
    const char = alphabet.charCodeAt(value);
    positions.push(value === 62 ? [char, 0x2d] : value === 63 ? [char, 0x5f] : [char]);
  }
  return positions;
}
