/**
 * Running text, line by line. A PEM block is looked at whole; postal addresses and phone numbers are looked for over the
 * ends of lines too, where a line ends as one that may go on: it is held until the next one has come.
 */
import { replaceText } from '../actions/action.ts';
import type { Engine } from '../engine.ts';
import { limits } from '../engine.ts';
import { merge } from '../text/span.ts';
import type { Span } from '../text/span.ts';
import { TextWindow } from '../text/text-window.ts';
import { LineSplitter } from './line-splitter.ts';
import type { Tally } from './machine.ts';
import { actionOfName, inRunningText } from './mask-leaf.ts';
import type { TextMachine } from './text-machine.ts';

/** Characters of a line that are looked at in one piece. */
const maxLine = 65_536;
const maxBlock = 32_768;
/** Lines, and characters of them, over which one value may go. */
const maxGroup = 6;
const maxGroupLength = 2000;
/** Characters at the end of a line that tell whether a value may go on behind it. */
const tailLength = 100;
const mayGoOn =
  /[0-9+]|\b(?:tel|phone|mobile|mob|cell|fax|call|telephone|telefon|handy|whatsapp|sms|text|number|no|nr|address|box|flat|apartment)\b|(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ufer|damm|straat|laan)[\s,]*$/i;

export class PlainText implements TextMachine {
  readonly #engine: Engine;
  readonly #tally: Tally;
  readonly #lines = new LineSplitter();
  /** The lines of a PEM block that has not ended. */
  #block = '';
  /** Lines that are held, since a value may go on in the next one. */
  #group: string[] = [];
  #groupLength = 0;
  /** A line that is longer than is looked at in one piece. */
  #window: TextWindow | null = null;

  constructor(engine: Engine, tally: Tally) {
    this.#engine = engine;
    this.#tally = tally;
  }

  write(text: string): string {
    let out = '';
    for (const line of this.#lines.push(text)) out += this.#line(line);
    if (this.#lines.pendingLength > (this.#window === null ? maxLine : 0)) {
      this.#window ??= new TextWindow(this.#engine.text, this.#tally, 0);
      out += this.#endBlock() + this.#endGroup() + this.#window.push(this.#lines.end());
    }
    return out;
  }

  end(): string {
    const last = this.#lines.end();
    return this.#line(last) + this.#endBlock() + this.#endGroup();
  }

  #line(line: string): string {
    if (this.#window !== null) {
      const rest = this.#window.push(line) + this.#window.finish();
      this.#window = null;
      return rest;
    }
    if (this.#block !== '') {
      this.#block += line;
      return line.includes('-----END') || this.#block.length > maxBlock ? this.#endBlock() : '';
    }
    if (line.includes('-----BEGIN') && !line.includes('-----END')) {
      this.#block = line;
      return this.#endGroup();
    }
    if (this.#engine.text?.goesOverLines !== true) return maskRunningText(this.#engine, this.#tally, line);
    this.#group.push(line);
    this.#groupLength += line.length;
    const isOpen =
      this.#group.length < maxGroup &&
      this.#groupLength < maxGroupLength &&
      /[^\r\n]/.test(line) &&
      (mayGoOn.test(line.slice(-tailLength)) || this.#group.length > 1);
    return isOpen ? '' : this.#endGroup();
  }

  /** Masks the lines that were held, and what goes over their ends. */
  #endGroup(): string {
    const lines = this.#group;
    this.#group = [];
    this.#groupLength = 0;
    if (lines.length < 2) return maskRunningText(this.#engine, this.#tally, lines[0] ?? '');
    const text = lines.join('');
    const spans: Span[] = [];
    let at = 0;
    for (const line of lines) {
      for (const { start, end, action } of spansOf(this.#engine, line, 0)) spans.push({ start: start + at, end: end + at, action });
      at += line.length;
    }
    // also values within a line: the word that announces them may be on the line before
    spans.push(...this.#engine.text!.findAcross(text.replaceAll(/[\r\n]/g, ' ')));
    return maskSpans(this.#engine, this.#tally, text, spans);
  }

  #endBlock(): string {
    const block = this.#block;
    this.#block = '';
    return maskRunningText(this.#engine, this.#tally, block);
  }
}

const pair =
  /(?<![\w.-])(["']?)([A-Za-z_][\w.-]{0,63})\1[ \t]{0,4}(?:=>|[:=])[ \t]{0,4}(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s,;&"'<>]+))/dg;

/** Masks what detectors, patterns and words find, and the values of `key=value` and `key: value` whose key a rule names. */
export function maskRunningText(engine: Engine, tally: Tally, text: string, context = 0): string {
  return maskSpans(engine, tally, text, spansOf(engine, text, context));
}

function spansOf(engine: Engine, text: string, context: number): Span[] {
  if (text.length < 3) return [];
  const spans = engine.text?.find(text, context) ?? [];
  if (engine.selects && text.length <= limits.text && /[:=]/.test(text)) addPairs(engine, text, spans);
  return spans;
}

function maskSpans(engine: Engine, tally: Tally, text: string, spans: Span[]): string {
  if (spans.length === 0) return text;
  let out = '';
  let at = 0;
  for (const { start, end, action } of merge(spans)) {
    tally.maskedCount++;
    out += text.slice(at, start) + (replaceText(inRunningText(action), text.slice(start, end), engine.hash) ?? '');
    at = end;
  }
  return out + text.slice(at);
}

function addPairs(engine: Engine, text: string, spans: Span[]): void {
  for (const match of text.matchAll(pair)) {
    const action = actionOfName(engine, engine.keys.named(match[2]!));
    if (action === 0) continue;
    const range = match.indices![3] ?? match.indices![4] ?? match.indices![5]!;
    if (range[1] > range[0]) spans.push({ start: range[0], end: range[1], action });
  }
}
