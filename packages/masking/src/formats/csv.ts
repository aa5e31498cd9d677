/** CSV (RFC 4180) and tab-separated values. Columns are selected by their names: `$[*].email`, or a key rule. */
import { NONE } from '../actions/action.ts';
import { limits } from '../engine.ts';
import type { Engine } from '../engine.ts';
import type { KeyEntry } from '../rules/key-entry.ts';
import { Malformed } from './machine.ts';
import type { Tally } from './machine.ts';
import { maskLeaf } from './mask-leaf.ts';
import { pathStep } from './path-step.ts';
import { Patience } from './patience.ts';
import type { TextMachine } from './text-machine.ts';

export interface CsvOptions {
  /** @default by look at the first line: "," ";" or tab */
  readonly delimiter?: string;
  /** The first record holds the names of the columns. @default true */
  readonly hasHeader?: boolean;
}

export class Csv implements TextMachine {
  readonly #engine: Engine;
  readonly #tally: Tally;
  readonly #hasHeader: boolean;
  #delimiter: string | null;
  #pending = '';
  readonly #patience = new Patience();
  #read = 0;
  #columns: KeyEntry[] | null = null;
  #row = 0;
  #column = 0;
  /** The first record may be a record like the others: then its cells are values, and no path is made of them. */
  #hasNames = true;

  constructor(engine: Engine, tally: Tally, options: CsvOptions = {}) {
    this.#engine = engine;
    this.#tally = tally;
    this.#delimiter = options.delimiter ?? null;
    this.#hasHeader = options.hasHeader ?? true;
    if (!this.#hasHeader) this.#columns = [];
  }

  write(text: string): string {
    this.#read += text.length;
    this.#pending += text;
    if (!this.#patience.isOver(this.#pending.length)) return '';
    const out = this.#advance(false);
    this.#patience.wait(this.#pending.length);
    if (this.#pending.length > limits.text) throw new Malformed(this.#read, 'a cell is too long');
    return out;
  }

  end(): string {
    return this.#advance(true);
  }

  #advance(isLast: boolean): string {
    const text = this.#pending;
    let out = '';
    let from = 0;
    if (this.#delimiter === null) {
      const line = /^[^\r\n]*(?:\r\n|[\r\n])/.exec(text)?.[0] ?? (isLast ? text : undefined);
      if (line === undefined) return '';
      this.#delimiter = delimiterOf(line);
      if (/^"?sep=.?"?[\r\n]*$/i.test(line)) {
        out = line;
        from = line.length;
      }
    }
    while (from < text.length || (isLast && from === text.length && this.#column > 0)) {
      const end = this.#cellEnd(text, from, isLast);
      if (end < 0) break;
      out += this.#cell(text.slice(from, end));
      const next = text[end];
      if (next === this.#delimiter) {
        this.#column++;
        out += next;
        from = end + 1;
        continue;
      }
      const stop = next === undefined ? '' : next === '\r' && text[end + 1] === '\n' ? '\r\n' : next;
      out += stop;
      from = end + stop.length;
      this.#column = 0;
      this.#row++;
      if (next === undefined) break;
    }
    this.#pending = text.slice(from);
    return out;
  }

  /** Where the cell that starts at `from` ends; -1 where that is not known yet. */
  #cellEnd(text: string, from: number, isLast: boolean): number {
    let at = from;
    if (text[at] === '"') {
      at++;
      for (;;) {
        at = text.indexOf('"', at);
        if (at < 0) {
          if (isLast) throw new Malformed(this.#read, 'a quoted cell does not end');
          return -1;
        }
        if (text[at + 1] !== '"') break;
        at += 2;
      }
      at++;
      if (at === text.length) return isLast ? at : -1;
      if (text[at] !== this.#delimiter && text[at] !== '\n' && text[at] !== '\r')
        throw new Malformed(this.#read, 'something follows the quote that ends a cell');
    } else while (at < text.length && text[at] !== this.#delimiter && text[at] !== '\n' && text[at] !== '\r') at++;
    // a CR at the very end may be half of a line's end
    if (at === text.length || (text[at] === '\r' && at === text.length - 1)) return isLast ? at : -1;
    return at;
  }

  #cell(raw: string): string {
    const engine = this.#engine;
    const isQuoted = raw.startsWith('"');
    const text = isQuoted ? raw.slice(1, -1).replaceAll('""', '"') : raw;
    const isHeader = this.#hasHeader && this.#row === 0;
    if (isHeader) {
      this.#columns ??= [];
      const name = text.trim();
      this.#columns[this.#column] = engine.keys.named(name);
      if (name !== '' && (!/\p{L}/u.test(name) || pathStep(name) === '[*]')) this.#hasNames = false;
    }
    const entry = this.#columns?.[this.#column] ?? engine.keys.named(String(this.#column));
    let masked = text;
    if (!isHeader) {
      const inRow = engine.root.element(this.#row - (this.#hasHeader ? 1 : 0));
      const { paths } = engine;
      const state = paths.union(paths.union(inRow.member(entry), engine.root.member(entry)), inRow.element(this.#column));
      if (engine.observer !== null && state.action === NONE && this.#hasNames)
        engine.observer.see(text, entry.context, () => `$[*]${pathStep(entry.masked ?? entry.name)}`);
      masked = maskLeaf(engine, this.#tally, text, { state, entry });
    } else if (entry.masked !== null) {
      this.#tally.maskedCount++;
      masked = entry.masked;
    }
    if (masked === text) return raw;
    return isQuoted || /["\r\n]/.test(masked) || masked.includes(this.#delimiter!) ? `"${masked.replaceAll('"', '""')}"` : masked;
  }
}

function delimiterOf(line: string): string {
  const said = /^"?sep=(.)/i.exec(line)?.[1];
  if (said !== undefined) return said;
  const bare = line.replaceAll(/"(?:[^"]|"")*"?/g, '');
  const counts = [',', ';', '\t', '|'].map((one) => [one, bare.split(one).length] as const);
  return counts.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}
