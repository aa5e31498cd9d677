/** Text for terminals. What is recorded was written by functions and targets: none of it may steer the terminal. */
import { styleText } from 'node:util';

// oxlint-disable-next-line no-control-regex
const unprintable = /[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/**
 * Control characters other than tab and line feed (C0, C1, so every escape sequence), and those that reorder or hide
 * what is read, are shown as their code point.
 */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replace(unprintable, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** On one line. */
export const onOneLine = (text: string): string => printable(text).replace(/[\t\n]/g, (character) => (character === '\n' ? '\\n' : ' '));

const shorten = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`);

/** Columns under their names; cells are made fit for a terminal. */
export function table(names: readonly string[], rows: readonly (readonly (string | number | null)[])[], maxWidth = 60): string {
  const cells = [names, ...rows].map((row) => row.map((cell) => shorten(onOneLine(String(cell ?? '-')), maxWidth)));
  const widths = names.map((_name, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export type Style = Parameters<typeof styleText>[0];
/** In colour where stdout is a terminal that wants it. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout, validateStream: true });
