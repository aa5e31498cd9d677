/** Strings, numbers and literals of a document, each within a chunk or over several. */
import { hiddenByPartial, keptByPartial, leastForPartial, NONE, REDACT } from '../../actions/action.ts';
import type { Action } from '../../actions/action.ts';
import { Collector, latin1Text, utf8Bytes, utf8Text } from '../../bytes.ts';
import { limits } from '../../engine.ts';
import type { Engine } from '../../engine.ts';
import { Constant } from '../../output.ts';
import type { KeyEntry } from '../../rules/key-entry.ts';
import type { Span } from '../../text/span.ts';
import type { Tally } from '../machine.ts';
import type { FieldObserver } from '../field-observer.ts';
import type { JsonStack } from './json-stack.ts';
import { JsonStringScanner } from './json-string-scanner.ts';
import { maskBare, maskString, mayBeNested, redactedPart, replacement, textBytes } from './json-value.ts';
import type { JsonWriter } from './json-writer.ts';
import { LongString } from './long-string.ts';
import type { Place } from './place.ts';

// what becomes of the string that is being read
const PASS = 0;
const DROP = 1;
const COLLECT = 2;
const LONG = 3;

const partialStart = new Constant(utf8Bytes(`"${hiddenByPartial}`));
const isRedacted = ({ action }: Span): boolean => action === REDACT;

export class JsonValues {
  readonly scanner = new JsonStringScanner();
  readonly collected = new Collector();
  readonly #engine: Engine;
  readonly #writer: JsonWriter;
  readonly #tally: Tally;
  readonly #stack: JsonStack;
  readonly #place: Place;
  readonly #nesting: number;
  readonly #observer: FieldObserver | null;
  /** Strings of places without an action are looked at. */
  readonly #inspects: boolean;
  /** Nothing looks into strings, but for JSON in them. */
  readonly passes: boolean;
  /** Numbers shorter than this hold nothing for any rule. */
  readonly leastNumber: number;
  #fate = PASS;
  #droppedAction: Action = NONE;
  #long: LongString | null = null;

  constructor(input: {
    engine: Engine;
    writer: JsonWriter;
    tally: Tally;
    stack: JsonStack;
    place: Place;
    nesting: number;
    observer: FieldObserver | null;
  }) {
    this.#engine = input.engine;
    this.#writer = input.writer;
    this.#tally = input.tally;
    this.#stack = input.stack;
    this.#place = input.place;
    this.#nesting = input.nesting;
    this.#observer = input.observer;
    this.#inspects = input.engine.text !== null || input.engine.selects || input.observer !== null;
    this.passes = input.engine.text === null && input.observer === null;
    this.leastNumber =
      input.engine.text?.seesAll === true ? 1 : input.engine.text === null && input.observer === null ? limits.number + 1 : 4;
  }

  /** Forgets everything, for another document. */
  reset(): void {
    this.scanner.begin();
    this.collected.clear();
    this.#fate = PASS;
    this.#long = null;
  }

  /** Puts what stands for a value that is masked whole. */
  putReplacement(action: Action): void {
    this.#tally.maskedCount++;
    this.#writer.out.putConstant(replacement(action));
  }

  /** Puts what `partial` makes of the string `chunk[start, end)`, which is ASCII without escapes. */
  putPartial(chunk: Uint8Array, start: number, end: number): void {
    this.#tally.maskedCount++;
    const { out } = this.#writer;
    out.putConstant(partialStart);
    const isShort = end - start - 2 < leastForPartial;
    out.copy(chunk, isShort ? end - 1 : end - 1 - keptByPartial, end);
  }

  /** Keeps the bytes of a token that is not complete in this chunk. */
  collect(chunk: Uint8Array, start: number): void {
    this.#writer.suspend(chunk, start);
    this.collected.clear();
    this.collected.append(chunk, start, chunk.length);
  }

  /** Decides what becomes of the string at `start`. */
  startString(chunk: Uint8Array, start: number): void {
    const { action } = this.#place.state;
    if (action >= REDACT) {
      this.#writer.flush(chunk, start);
      this.#writer.isHolding = true;
      this.#fate = DROP;
      this.#droppedAction = action;
    } else this.#fate = action !== NONE || this.#inspects ? COLLECT : PASS;
  }

  /** The string is whole: `chunk[start, end)`. */
  endString(chunk: Uint8Array, start: number, end: number): void {
    if (this.#fate === COLLECT) {
      const masked = this.#maskString(chunk, start, end);
      if (masked === null) return;
      this.#writer.flush(chunk, start);
      this.#writer.out.put(masked);
    } else if (this.#fate === DROP) this.putReplacement(this.#droppedAction);
    else return;
    this.#writer.resume(end);
  }

  /** Most strings: no rule selects them, they hold no JSON, and their bytes interest no detector. */
  isPlain(chunk: Uint8Array, start: number, quote: number, classes: number, counts: number): boolean {
    const place = this.#place;
    if (place.state.action !== NONE || this.#observer !== null) return false;
    if (!this.#inspects) return true;
    if (mayBeNested[chunk[start + 1]!] === 1) return false;
    const { text } = this.#engine;
    if (text === null) return true;
    const { context } = place.entry;
    const candidates = text.candidates(classes, quote - start - 1, counts, context);
    return candidates === 0 || text.narrow(chunk, start + 1, quote, candidates, context) === 0;
  }

  /**
   * For a string without an action, of ASCII and perhaps short escapes: masks in it what is to be masked. False: it
   * is not for here, and nothing has been done.
   */
  settleText(
    chunk: Uint8Array,
    start: number,
    quote: number,
    entry: KeyEntry,
    classes: number,
    counts: number,
    isEscaped: boolean,
  ): boolean {
    if (mayBeNested[chunk[start + 1]!] === 1) return false;
    const text = this.#engine.text!;
    const { context } = entry;
    const candidates = text.candidates(classes, quote - start - 1, counts, context);
    if (candidates === 0) return true;
    if (isEscaped) return text.narrowByWords(chunk, start + 1, quote, candidates, context) === 0;
    const kept = text.narrow(chunk, start + 1, quote, candidates, context);
    if (kept === 0) return true;
    const spans = text.findIn(chunk, start + 1, quote, context, kept);
    if (spans.length === 0) return true;
    this.#tally.maskedCount += spans.length;
    if (spans.every(isRedacted)) {
      // one byte a character, and none that JSON escapes: what is around the finds stays as it is
      for (const span of spans) {
        this.#writer.flush(chunk, start + 1 + span.start);
        this.#writer.out.putConstant(redactedPart);
        this.#writer.resume(start + 1 + span.end);
      }
      return true;
    }
    this.#writer.flush(chunk, start);
    this.#writer.out.put(textBytes(text.replace(latin1Text(chunk, start + 1, quote), spans).text));
    this.#writer.resume(quote + 1);
    return true;
  }

  /** Whether a number without a sign, or a literal, of so many bytes is to be looked at; it has no action. */
  wantsInteger(length: number, context: number): boolean {
    return (
      length >= this.leastNumber &&
      (this.#engine.text === null || this.#engine.text.seesAll || this.#engine.text.wantsInteger(length, context))
    );
  }

  /** The chunk ends within the string that starts at `start`. */
  suspendString(chunk: Uint8Array, start: number): void {
    if (this.#fate === COLLECT) this.collect(chunk, start);
  }

  /** The whole chunk lies within the string. */
  growString(chunk: Uint8Array, start: number): void {
    if (this.#fate !== COLLECT && this.#fate !== LONG) return;
    this.collected.append(chunk, start, chunk.length);
    if (this.collected.length <= limits.piece || !this.scanner.isBetweenCharacters) return;
    if (this.#fate === COLLECT) {
      if (this.collected.length <= limits.text && LongString.isWhole(this.#engine, this.collected, this.#place.state.action)) return;
      this.#long = LongString.begin(this.#engine, this.#tally, this.collected, this.#place.state.action, this.#place.entry.context);
      this.#fate = this.#long === null ? DROP : LONG;
    }
    if (this.#long !== null) this.#long.advance(this.collected, this.#writer.out);
    else {
      this.#droppedAction = REDACT;
      this.collected.clear();
    }
  }

  /** A string that began in an earlier chunk ends with `chunk[start, end)`. */
  finishString(chunk: Uint8Array, start: number, end: number): void {
    const { collected } = this;
    const { out } = this.#writer;
    if (this.#fate === PASS) return;
    if (this.#fate === DROP) this.putReplacement(this.#droppedAction);
    else {
      collected.append(chunk, start, end);
      if (this.#long !== null) this.#long.finish(collected, out);
      else {
        const masked = this.#maskString(collected.bytes, 0, collected.length);
        if (masked === null) out.putPart(collected.bytes, collected.length);
        else out.put(masked);
      }
      this.#long = null;
      collected.clear();
    }
    this.#writer.resume(end);
  }

  #maskString(bytes: Uint8Array, from: number, to: number): Uint8Array | null {
    const place = this.#place;
    const scanner = this.scanner;
    if (this.#observer !== null && place.state.action === NONE && to - from > 6) this.#observe(bytes, from, to);
    return maskString(this.#engine, this.#tally, bytes, from, to, place, scanner, this.#nesting);
  }

  /** The number or literal is whole: `chunk[start, end)`, and valid. */
  endBare(chunk: Uint8Array, start: number, end: number): void {
    if (this.#place.state.action === NONE && end - start < this.leastNumber) return;
    const masked = this.#maskBare(chunk, start, end);
    if (masked === null) return;
    this.#writer.flush(chunk, start);
    this.#writer.out.put(masked);
    this.#writer.resume(end);
  }

  /** The collected number or literal is whole; copying goes on at `next`. */
  finishBare(next: number): void {
    const { bytes, length } = this.collected;
    const masked = this.#maskBare(bytes, 0, length);
    if (masked === null) this.#writer.out.putPart(bytes, length);
    else this.#writer.out.put(masked);
    this.#writer.resume(next);
  }

  #maskBare(bytes: Uint8Array, from: number, to: number): Uint8Array | null {
    const { state, entry } = this.#place;
    if (this.#observer !== null && state.action === NONE && to - from > 6) this.#see(latin1Text(bytes, from, to));
    return maskBare(this.#engine, this.#tally, bytes, from, to, state.action, entry.context);
  }

  #observe(bytes: Uint8Array, from: number, to: number): void {
    if (to - from > 4096) return;
    const raw = utf8Text(bytes, from, to);
    this.#see(raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1));
  }

  #see(text: string): void {
    this.#observer!.see(text, this.#place.entry.context, () => this.#stack.path(this.#place.entry));
  }
}
