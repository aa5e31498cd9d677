import { expect, test } from 'vitest';

import { onOneLine, printable, table } from './terminal.ts';

test('nothing that is recorded steers the terminal', () => {
  expect(printable('\u001b]0;title\u0007\u001b[2J\u009b31m')).toBe('\\u{1b}]0;title\\u{7}\\u{1b}[2J\\u{9b}31m');
  expect(printable('safe\rover')).toBe('safe\\u{d}over');
  expect(printable('ab\u202Ecod.exe\u200b\ufeff')).toBe('ab\\u{202e}cod.exe\\u{200b}\\u{feff}');
  expect(printable('lines\r\nand\ttabs, äöü 😀')).toBe('lines\nand\ttabs, äöü 😀');
  expect(printable('half \ud83d')).toBe('half \ufffd');
});

test('what belongs on one line stays on it', () => {
  expect(onOneLine('a\nb\tc')).toBe('a\\nb c');
});

test('a table is as wide as its cells, and cuts the long ones', () => {
  expect(
    table(
      ['A', 'BB'],
      [
        ['1', null],
        ['long', 2],
      ],
      4,
    ),
  ).toBe('A     BB\n1     -\nlong  2');
  expect(table(['A'], [['abcdef']], 4)).toBe('A\nabc…');
  expect(table(['A'], [['\u001b[31m']])).toBe('A\n\\u{1b}[31m');
});
