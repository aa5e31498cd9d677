/**
 * JSON by RFC 8259, to the letter and in slices: no comment, no trailing comma, no byte order mark, no second document.
 * The work per character is bounded, and so are depth and the number of values, so that no body holds an event loop.
 */
import { foldName, maxNameLength } from './member-names.ts';
import { readNumber } from './written-number.ts';

export type JsonFault = 'malformed' | 'ambiguous' | 'too_complex';

export const maxBodyDepth = 200;
/** Values and members together: more than a condition could look at within its budget. */
export const maxBodyValues = 200_000;
const maxNumberLength = 4096;
/** Strings with escapes are decoded in parts of this many characters. */
const decodedAtOnce = 32_768;

type Container = unknown[] | Record<string, unknown>;

interface Frame {
  readonly container: Container;
  /** Folded names so far; null for a list. */
  readonly names: Set<string> | null;
  /** Of the member that is being read. */
  key: string;
}

type State = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'string' | 'over';

export class JsonReader {
  value: unknown = null;
  /** Set where the text is no JSON, or none that every parser reads alike. */
  fault: JsonFault | null = null;
  readonly #text: string;
  #at = 0;
  #state: State = 'value';
  #values = 0;
  readonly #open: Frame[] = [];

  // The string that is being read.
  #isKey = false;
  #partStart = 0;
  #lastEscape = -1;
  #decoded: string[] | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads on for about `characters`. True: it is over, and `value` or `fault` is set. */
  advance(characters: number): boolean {
    const limit = this.#at + characters;
    while (this.fault === null && this.#at < limit) {
      if (this.#state === 'string') {
        this.#readString(limit);
        continue;
      }
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) this.#at++;
      else if (Number.isNaN(code)) {
        if (this.#state !== 'over') this.fault = 'malformed';
        return true;
      } else this.#take(code);
    }
    return this.fault !== null;
  }

  #take(code: number): void {
    switch (this.#state) {
      case 'value or end':
        if (code === 0x5d) return this.#close();
        return this.#readValue(code);
      case 'value':
        return this.#readValue(code);
      case 'key or end':
        if (code === 0x7d) return this.#close();
        return this.#readKey(code);
      case 'key':
        return this.#readKey(code);
      case 'colon':
        if (code !== 0x3a) return this.#fail('malformed');
        this.#at++;
        this.#state = 'value';
        return;
      case 'comma or end':
        return this.#readSeparator(code);
      default:
        return this.#fail('malformed');
    }
  }

  #fail(fault: JsonFault): void {
    this.fault = fault;
    this.value = null;
  }

  #readValue(code: number): void {
    if (++this.#values > maxBodyValues) return this.#fail('too_complex');
    if (code === 0x22) this.#beginString(false);
    else if (code === 0x7b) this.#openContainer(Object.create(null) as Record<string, unknown>, new Set(), 'key or end');
    else if (code === 0x5b) this.#openContainer([], null, 'value or end');
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) this.#readNumber();
    else if (code === 0x74) this.#readWord('true', true);
    else if (code === 0x66) this.#readWord('false', false);
    else if (code === 0x6e) this.#readWord('null', null);
    else this.#fail('malformed');
  }

  #readKey(code: number): void {
    if (code !== 0x22) return this.#fail('malformed');
    if (++this.#values > maxBodyValues) return this.#fail('too_complex');
    this.#beginString(true);
  }

  #readSeparator(code: number): void {
    const { names } = this.#open.at(-1)!;
    if (code === 0x2c) {
      this.#at++;
      this.#state = names === null ? 'value' : 'key';
    } else if (code === (names === null ? 0x5d : 0x7d)) this.#close();
    else this.#fail('malformed');
  }

  #openContainer(container: Container, names: Set<string> | null, state: State): void {
    if (this.#open.length >= maxBodyDepth) return this.#fail('too_complex');
    this.#at++;
    this.#open.push({ container, names, key: '' });
    this.#state = state;
  }

  #close(): void {
    this.#at++;
    this.#place(this.#open.pop()!.container);
  }

  /** Into the container that is open, or as the whole. */
  #place(value: unknown): void {
    const frame = this.#open.at(-1);
    if (frame === undefined) {
      this.value = value;
      this.#state = 'over';
      return;
    }
    if (frame.names === null) (frame.container as unknown[]).push(value);
    else (frame.container as Record<string, unknown>)[frame.key] = value;
    this.#state = 'comma or end';
  }

  #readWord(word: string, value: unknown): void {
    if (!this.#text.startsWith(word, this.#at)) return this.#fail('malformed');
    this.#at += word.length;
    this.#place(value);
  }

  #readNumber(): void {
    const start = this.#at;
    const most = start + maxNumberLength;
    let end = start + 1;
    while (end <= most && isNumberCharacter(this.#text.charCodeAt(end))) end++;
    if (end > most) return this.#fail('too_complex');
    const literal = this.#text.slice(start, end);
    if (!numberForm.test(literal)) return this.#fail('malformed');
    this.#at = end;
    this.#place(readNumber(literal));
  }

  #beginString(isKey: boolean): void {
    this.#isKey = isKey;
    this.#partStart = ++this.#at;
    this.#lastEscape = -1;
    this.#decoded = null;
    this.#state = 'string';
  }

  #readString(limit: number): void {
    const text = this.#text;
    const most = Math.min(limit, this.#partStart + decodedAtOnce, text.length);
    let at = this.#at;
    for (; at < most; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x22) return this.#endString(at);
      if (code === 0x5c) this.#lastEscape = at++;
      else if (code < 0x20) return this.#fail('malformed');
    }
    this.#at = at;
    if (at >= text.length) return this.#fail('malformed');
    if (at < this.#partStart + decodedAtOnce) return;
    // a part never ends within an escape
    const end = this.#lastEscape >= 0 && at < this.#lastEscape + 6 ? this.#lastEscape : at;
    if (!this.#decode(end)) return;
    this.#partStart = end;
    this.#at = end;
  }

  /** Keeps the part of the string up to `end`. */
  #decode(end: number): boolean {
    const part = this.#text.slice(this.#partStart, end);
    this.#decoded ??= [];
    if (this.#lastEscape < this.#partStart) {
      this.#decoded.push(part);
      return true;
    }
    try {
      this.#decoded.push(JSON.parse(`"${part}"`) as string);
      return true;
    } catch {
      this.#fail('malformed');
      return false;
    }
  }

  #endString(end: number): void {
    let value: string;
    if (this.#decoded === null && this.#lastEscape < 0) value = this.#text.slice(this.#partStart, end);
    else {
      if (!this.#decode(end)) return;
      value = this.#decoded!.length === 1 ? this.#decoded![0]! : this.#decoded!.join('');
    }
    this.#at = end + 1;
    if (!this.#isKey) return this.#place(value);
    if (value.length > maxNameLength) return this.#fail('too_complex');
    const frame = this.#open.at(-1)!;
    const folded = foldName(value);
    // Parsers replace, drop or refuse half a surrogate pair (RFC 7493 §2.1).
    if (frame.names!.has(folded) || !value.isWellFormed()) return this.#fail('ambiguous');
    frame.names!.add(folded);
    frame.key = value;
    this.#state = 'colon';
  }
}

const numberForm = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const isNumberCharacter = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b || code === 0x2d;
