/**
 * Bodies that are made to be dear: each of some `n` bytes, of a kind that costs more than its length in a masker that
 * does not bound its work.
 */
import type { RuleInput } from './run-masker.ts';

export interface Adversary {
  readonly name: string;
  readonly rules: readonly RuleInput[];
  readonly type: string;
  readonly body: (n: number) => string;
}

export const everyDetector: readonly RuleInput[] = [
  { detect: 'personal' },
  { detect: 'financial' },
  { detect: 'credential' },
  { detect: 'ip_address' },
  { detect: 'mac_address' },
];

/** The unit again and again, cut at `n` characters. */
export const repeated =
  (unit: string, before = '', after = '') =>
  (n: number): string =>
    before + unit.repeat(Math.ceil(n / unit.length)).slice(0, n) + after;

const inJson =
  (body: (n: number) => string, key = 'text') =>
  (n: number): string =>
    JSON.stringify({ [key]: body(n) });

const pattern = (name: string, source: string, body: (n: number) => string): Adversary => ({
  name: `pattern ${name}`,
  rules: [{ pattern: source }],
  type: 'application/json',
  body: inJson(body),
});
/** Has the shapes of what every detector looks for, so that all of them look. */
const everyShape = '-----BEGIN << SK Mr passport no 1 driver tel: 12.12.1212 4242424242424242 DE12 a12345678 +1234567 ::1.1.1. ';
const text = (name: string, body: (n: number) => string): Adversary => ({
  name: `text ${name}`,
  rules: everyDetector,
  type: 'text/plain',
  body: (n) => everyShape + body(n),
});
const under = (key: string, name: string, body: (n: number) => string): Adversary => ({
  name: `value under ${key} ${name}`,
  rules: everyDetector,
  type: 'application/json',
  body: inJson(body, key),
});
const markup = (type: string, name: string, body: (n: number) => string): Adversary => ({
  name: `${type} ${name}`,
  rules: [...everyDetector, { key: 'pin' }],
  type,
  body,
});

export const adversaries: readonly Adversary[] = [
  pattern('that looks for what never comes behind each match', 'a.*b|a', repeated('a')),
  pattern('the same over lines', '(?s)a.*b|a', repeated('a\n')),
  pattern('the same, lazily', 'a(?:.*?b)?', repeated('a')),
  pattern('with a counted gap', 'a.{0,400}b|a', repeated('a')),
  pattern(
    'of many alternatives',
    Array.from({ length: 60 }, (_, i) => `a.*${String.fromCodePoint(0x100 + i)}`).join('|') + '|a',
    repeated('a'),
  ),
  pattern('of counted alternatives', '.{450}x|.{440}y|[ab]', repeated('ab')),
  pattern('of words in order', '(?:\\w+\\s+)*end|\\w+', repeated('word ')),
  pattern('at a word boundary', '\\b.*\\bx\\b|\\ba', repeated('a ')),
  pattern('of one long match', 'a.*b', repeated('a', '', 'b')),
  pattern('with an anchor at the end', '[^x]+$|a', repeated('a', '', 'x')),
  {
    name: 'a thousand words in a chain',
    rules: [{ words: Array.from({ length: 200 }, (_, i) => 'a'.repeat(i + 1)) }],
    type: 'application/json',
    body: inJson(repeated('a')),
  },
  {
    name: 'words that end in one another',
    rules: [{ words: Array.from({ length: 200 }, (_, i) => `${'ab'.repeat(Math.floor(i / 2))}${i % 2 === 0 ? 'c' : 'ad'}`.slice(-200)) }],
    type: 'text/plain',
    body: repeated('ababababc'),
  },
  text('of short words joined by dots', repeated('a.')),
  text('of short words joined by dashes', repeated('a-')),
  text('of a street and blanks', repeated(' ', 'Hauptstrasse', 'x')),
  text('of a street name again and again', repeated('Hauptweg ')),
  text('of particles', repeated('de ', 'rue ', '1')),
  text('of french particles', repeated("l'de", '1 rue ', '1')),
  text('of a passport and blanks', repeated(' ', 'passport', 'x')),
  text('of a passport and letters', repeated('A', 'passport')),
  text('of passports', repeated('passport no ')),
  text('of a licence and blanks', repeated(' ', "driver's license", 'x')),
  text('of a birth and blanks', repeated(' ', 'born on', 'x')),
  text('of a password and blanks', repeated(' ', 'password is', ' x')),
  text('of a secret and blanks', repeated(' ', 'token=bearer', 'x')),
  text('of secrets', repeated('token=')),
  text('of assignments', repeated('a=')),
  text('of quotes', repeated('a="\\')),
  text('of titles', repeated('Mr. A ')),
  text('of a title and particles', repeated('de ', 'Mr. Aa ', '1')),
  text('of a title and blanks', repeated(' ', 'Mr.', '1')),
  text('of a letter', repeated('Dear Aa Bb Cc ')),
  text('of a long name', repeated('A', 'Dear ', '1')),
  text('of regards and blanks', repeated(' ', 'Regards', '1')),
  text('of addresses', repeated('1 Aa Bb Cc Dd ')),
  text('of an address and blanks', repeated(' ', '1 Aa', '1')),
  text('of flats', repeated('Flat 1, Aa Bb ')),
  text('of a box and blanks', repeated(' ', 'PO Box', 'x')),
  text('of digits', repeated('1')),
  text('of single digits', repeated('1 ')),
  text('of digits and dots', repeated('1.')),
  text('of digits and dashes', repeated('12-')),
  text('of groups of four', repeated('4242 ')),
  text('of countries', repeated('DE12 ')),
  text('of a country and dashes', repeated('-', 'DE12')),
  text('of plus signs', repeated('+1')),
  text('of numbers with plus signs', repeated('+14155552671 ')),
  text('of parentheses', repeated('(415) ')),
  text('of labels of phones', repeated('tel ')),
  text('of phones', repeated('tel 415 555 2671 ')),
  text('of at signs', repeated('@')),
  text('of addresses of mail', repeated('a@a.bc')),
  text('of labels', repeated('a.', '@')),
  text('of colons', repeated(':')),
  text('of hexadecimal groups', repeated('ab:')),
  text('of beginnings of JWTs', repeated('eyJhbGciOiJIUzI1NiJ9.')),
  text('of beginnings of JWTs apart', repeated('eyJhbGciOiJIUzI1NiJ9.=')),
  text('of a JWT that does not end', repeated('A', 'eyJhbGciOiJIUzI1NiJ9.')),
  text('of beginnings of keys', repeated('-----BEGIN PRIVATE KEY-----')),
  text('of dashes', repeated('-')),
  text('of chevrons', repeated('<')),
  text('of machine-readable zones', repeated('P<DEUA<')),
  text('of a machine-readable name', repeated('A<', 'P<DEUA')),
  text('of tokens', repeated('ghp_')),
  text('of a token', repeated('A', 'tskey-auth-')),
  text('of host names', repeated('https://')),
  text('of user names', repeated('https://a:')),
  text('of brackets', repeated('[')),
  text('of blanks', repeated(' ')),
  text('of empty lines', repeated('\n')),
  text('of carriage returns', repeated('\r')),
  text('of short lines', repeated('a b\n')),
  under('passport', 'of blanks', repeated(' ', '', '!')),
  under('dln', 'of blanks', repeated(' ', '', '!')),
  under('birthdate', 'with blanks', repeated(' ', '1990-01-01', 'x')),
  under('address', 'of blanks', repeated(' ', 'A', '!')),
  under('first_name', 'of blanks', repeated(' ', 'A', '1')),
  under('phone', 'of digits', repeated('1 ')),
  under('phone', 'of groups', repeated('415 ')),
  under('ssn', 'of digits', repeated('123456789 ')),
  under('token', 'of letters', repeated('aB1')),
  under('password', 'of blanks', repeated(' ', 'x')),
  markup('text/html', 'of inline tags and values', repeated('<b></b>a@b.cd ')),
  markup('text/html', 'of open angles', repeated('<')),
  markup('text/html', 'of one tag with many attributes', repeated('a=b ', '<p ', '>')),
  markup('text/html', 'of a tag that does not end', repeated('a', '<p a="')),
  markup('text/html', 'of blanks in a tag', repeated(' ', '<p a', '>')),
  markup('text/html', 'of scripts', repeated('<script>')),
  markup('text/html', 'of a script that does not end', repeated('</scrip', '<script>')),
  markup('text/html', 'of comments', repeated('<!--')),
  markup('text/html', 'of nested elements', repeated('<i>')),
  markup('text/html', 'of references', repeated('&amp')),
  markup('text/html', 'of classes', repeated('a ', '<p class="', '">')),
  markup('application/xml', 'of nested elements', (n) => '<a>'.repeat(Math.min(1000, n / 7)) + '</a>'.repeat(Math.min(1000, n / 7))),
  markup('application/xml', 'of attributes', (n) => `<a ${Array.from({ length: n / 12 }, (_, i) => `a${i}="b"`).join(' ')}/>`),
  markup('application/xml', 'of CDATA sections', (n) => `<a>${repeated('<![CDATA[<]]>')(n - (n % 13))}</a>`),
  markup('application/xml', 'of a comment', repeated('- ', '<a><!--', '--></a>')),
  markup('application/xml', 'of XML in XML', repeated('&lt;a&gt;', '<a>', '</a>')),
  markup('application/json', 'of brackets', repeated('[')),
  markup('application/json', 'of JSON in a string', (n) => JSON.stringify({ a: `{"a":"${'[{'.repeat(n / 2)}` })),
  markup('application/json', 'of keys', (n) => `{${Array.from({ length: n / 12 }, (_, i) => `"key${i}":1`).join()}}`),
  markup('application/json', 'of numbers', (n) => `[${repeated('1,')(n - (n % 2))}1]`),
  markup('application/json', 'of card numbers', (n) => `[${Array.from({ length: n / 17 }, () => '4242424242424242').join()}]`),
  markup('text/csv', 'of one cell', repeated('a', '"')),
  markup('text/csv', 'of quotes', repeated('"')),
  markup('text/csv', 'of delimiters', repeated(',')),
  markup('application/x-www-form-urlencoded', 'of pairs', repeated('&')),
  markup('application/x-www-form-urlencoded', 'of steps', repeated('[a]', 'a', '=1')),
  markup('text/event-stream', 'of lines', repeated('data\n')),
  markup('text/event-stream', 'of comments', repeated(':\n')),
  markup('multipart/mixed; boundary=q', 'of boundaries', repeated('\r\n--q\r\n\r\n')),
  markup('multipart/mixed; boundary=q', 'of half boundaries', repeated('\r\n--', '--q\r\n\r\n')),
  {
    name: 'paths that descend',
    rules: [{ path: `$${'..*'.repeat(300)}` }, { path: `$${'..a..b'.repeat(80)}` }],
    type: 'application/json',
    body: (n) =>
      `[${Array.from({ length: n / 600 }, (_, i) => '{"a":{"b":'.repeat(30 + (i % 30)) + '1' + '}}'.repeat(30 + (i % 30))).join()}]`,
  },
  {
    name: 'paths of many keys in any order',
    rules: Array.from({ length: 40 }, (_, i) => ({ path: `$..k${i}..z${i}` })),
    type: 'application/json',
    body: (n) =>
      `[${Array.from({ length: n / 700 }, (_, i) => Array.from({ length: 40 }, (_, k) => `{"k${(k * 7 + i * k) % 40}":`).join('') + '1' + '}'.repeat(40)).join()}]`,
  },
  {
    name: 'slices with steps that have no common measure',
    rules: [{ path: '$[::4093]' }, { path: '$[::4091]' }, { path: '$[1::4079]' }],
    type: 'application/json',
    body: (n) => `[${repeated('1,')(n - (n % 2))}1]`,
  },
];
