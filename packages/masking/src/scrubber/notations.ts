/**
 * The notations of one character: percent-encoding (RFC 3986), JSON and JavaScript escapes, HTML and XML references,
 * quoted-printable (RFC 2045). In lower case: hexadecimal digits and names count in any case.
 */
import { utf8Bytes } from '../bytes.ts';

/** The characters that open a notation; they may be written in one themselves. */
export const openings: readonly number[] = [0x25, 0x3d, 0x5c, 0x26];

/** Backslashes that layers of escaping may have made of one. */
const maxBackslashes = 4;
const maxZeros = 6;

const letters: ReadonlyMap<number, string> = new Map([
  [8, 'b'],
  [12, 'f'],
  [10, 'n'],
  [13, 'r'],
  [9, 't'],
  [0x22, '"'],
  [0x27, "'"],
  [0x5c, '\\'],
  [0x2f, '/'],
]);
export const names: ReadonlyMap<number, readonly string[]> = new Map([
  [0x26, ['amp']],
  [0x3c, ['lt']],
  [0x3e, ['gt']],
  [0x22, ['quot']],
  [0x27, ['apos']],
  [0x2f, ['sol']],
  [0x2b, ['plus']],
  [0x3d, ['equals']],
  [0x3a, ['colon']],
  [0x2e, ['period']],
  [0x5f, ['lowbar', 'underbar']],
  [0x25, ['percnt']],
  [0x23, ['num']],
  [0x21, ['excl']],
  [0x24, ['dollar']],
  [0x40, ['commat']],
  [0x2a, ['ast', 'midast']],
  [0x28, ['lpar']],
  [0x29, ['rpar']],
  [0x3f, ['quest']],
  [0x3b, ['semi']],
  [0x2c, ['comma']],
  [0x5c, ['bsol']],
  [0x7c, ['vert', 'verbar']],
  [0x5b, ['lsqb', 'lbrack']],
  [0x5d, ['rsqb', 'rbrack']],
  [0x7b, ['lcub', 'lbrace']],
  [0x7d, ['rcub', 'rbrace']],
  [0x60, ['grave']],
  [0x5e, ['hat']],
]);

const known = new Map<number, readonly string[]>();

/** As latin-1 text, one character a byte. */
export function notationsOf(char: number): readonly string[] {
  let forms = known.get(char);
  if (forms === undefined) {
    forms = [...new Set(make(char))];
    if (known.size < 1024) known.set(char, forms);
  }
  return forms;
}

function make(char: number): string[] {
  const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');
  const text = String.fromCodePoint(char);
  const bytes = Array.from(utf8Bytes(text));
  const forms = [bytes.map((byte) => `%${hex(byte, 2)}`).join(''), bytes.map((byte) => `=${hex(byte, 2)}`).join('')];
  const letter = letters.get(char);
  for (let count = 1; count <= maxBackslashes; count++) {
    const opening = '\\'.repeat(count);
    forms.push(
      Array.from({ length: text.length }, (_, i) => `${opening}u${hex(text.charCodeAt(i), 4)}`).join(''),
      `${opening}u{${hex(char, 1)}}`,
    );
    if (char < 0x100) forms.push(`${opening}x${hex(char, 2)}`);
    if (letter !== undefined) forms.push(opening + letter);
  }
  for (let zeros = 0; zeros <= maxZeros; zeros++) forms.push(`&#${'0'.repeat(zeros)}${char};`, `&#x${'0'.repeat(zeros)}${hex(char, 1)};`);
  // without the semicolon, as browsers take it
  forms.push(`&#${char}`, `&#x${hex(char, 1)}`);
  for (const name of names.get(char) ?? []) forms.push(`&${name};`);
  return forms;
}
