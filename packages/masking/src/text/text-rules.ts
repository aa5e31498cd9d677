/** The rules that look into texts: detectors, patterns and words. */
import type { RE2JS } from 're2js';

import { HASH, NULL, REDACT, replaceText } from '../actions/action.ts';
import type { Action, HashText } from '../actions/action.ts';
import { latin1Text } from '../bytes.ts';
import type { Detector } from '../detectors/detector.ts';
import { allClasses, byteClasses, byteCounts, classCombinations, countable, DASH, DIGIT, DOT, manyOfAll, PLUS } from './byte-classes.ts';
import { hasLongWord, textFeatures } from './features.ts';
import { findMatches } from './pattern-finder.ts';
import { merge } from './span.ts';
import type { Span } from './span.ts';
import { WordFinder } from './word-finder.ts';
import type { WordsRule } from './words-rule.ts';
import { OutOfSteps, Work } from './work.ts';

export interface DetectorRule {
  readonly detector: Detector;
  readonly action: Action;
}

export interface PatternRule {
  readonly pattern: RE2JS;
  readonly action: Action;
}

export interface MaskedText {
  /** Null: the whole value becomes null. */
  readonly text: string | null;
  /** Places that were masked. */
  readonly count: number;
}

/** Detectors of which a text passes the first, cheap tests; bits by their order. `EVERYTHING`: patterns or words look at it. */
export type Candidates = number;
const EVERYTHING = 1 << 30;
/** Detectors from this one on share a bit. */
const lastBit = 29;
const bitOf = (index: number): number => 1 << Math.min(index, lastBit);
const firstOf = (candidates: Candidates): number => (candidates >= EVERYTHING ? 0 : 31 - Math.clz32(candidates & -candidates));
const isAmong = (candidates: Candidates, index: number): boolean => candidates >= EVERYTHING || (candidates & bitOf(index)) !== 0;

/** Steps of hashing one find. */
const hashSteps = 300;
/** Bytes that a text without an account of its own pays for besides its own: a header, a key's name. */
const ownBytes = 4096;

/** No detector wants a shorter word. */
const leastWord = 14;

/** No detector asks for more digits, dots or colons. */
const mostCounted = 15;

/** By a count: bits of all whose least count it reaches. The last entry stands for every larger count. */
function bitsFrom(least: readonly number[]): Int32Array {
  const bits = new Int32Array(Math.max(mostCounted, ...least) + 1);
  for (const [i, from] of least.entries()) for (let count = from; count < bits.length; count++) bits[count]! |= bitOf(i);
  return bits;
}

let scratch = new Uint8Array(4096);

export class TextRules {
  /** True where patterns or words must see every text. */
  readonly seesAll: boolean;
  /** True where a detector's values may go over the ends of lines. */
  readonly goesOverLines: boolean;
  readonly #detectors: readonly DetectorRule[];
  readonly #patterns: readonly PatternRule[];
  readonly #words: WordFinder | null;
  readonly #hash: HashText;
  /** Of the body that is being masked; null: each text pays for itself. */
  #work: Work | null = null;
  /** Bits of detectors: those for which a text with so many bytes, digits, dots or colons suffices; by its classes, -1 for not known. */
  readonly #byLength: Int32Array;
  readonly #byDigits: Int32Array;
  readonly #byDots: Int32Array;
  readonly #byColons: Int32Array;
  readonly #byClasses = new Int32Array(classCombinations).fill(-1);
  /** By the bits of contexts: those that look in it. By their own bits: the shapes that they want, 0 for any. */
  readonly #calledBy = new Int32Array(32);
  readonly #featuresOf = new Int32Array(lastBit + 1);
  readonly #contexts: number;
  /** Bits that want long words. */
  readonly #longWords: number;
  /** Whether an integer of so many digits may match a detector, for any digits; longer ones always may. */
  readonly #integers = new Uint8Array(64);

  constructor(rules: {
    detectors: readonly DetectorRule[];
    patterns: readonly PatternRule[];
    words: readonly WordsRule[];
    hash: HashText;
  }) {
    this.#detectors = rules.detectors;
    this.#patterns = rules.patterns;
    this.#words = rules.words.length === 0 ? null : new WordFinder(rules.words);
    this.#hash = rules.hash;
    this.seesAll = rules.patterns.length > 0 || rules.words.length > 0;
    this.goesOverLines = rules.detectors.some(({ detector }) => detector.goesOverLines === true);
    const all = rules.detectors.map((one) => one.detector);
    this.#contexts = all.reduce((bits, one) => bits | one.contexts, 0);
    this.#byLength = bitsFrom(all.map((one) => one.minLength));
    this.#byDigits = bitsFrom(all.map((one) => Math.min(one.minDigits, mostCounted)));
    this.#byDots = bitsFrom(all.map((one) => one.minDots ?? 0));
    this.#byColons = bitsFrom(all.map((one) => one.minColons ?? 0));
    let longWords = 0;
    for (const [i, { contexts, features, minWord }] of all.entries()) {
      for (let context = 0; context < 32; context++) if ((contexts & (1 << context)) !== 0) this.#calledBy[context]! |= bitOf(i);
      // who shares a bit is not asked for shapes
      if (i >= lastBit) continue;
      this.#featuresOf[i] = features;
      if (minWord > 0) longWords |= bitOf(i);
    }
    this.#longWords = longWords;
    const ones = new Uint8Array(this.#integers.length).fill(0x31);
    for (let length = 1; length < ones.length; length++) {
      const candidates = this.candidates(DIGIT | DOT | DASH | PLUS, length, length, 0);
      this.#integers[length] = candidates !== 0 && this.narrow(ones, 0, length, candidates, 0) !== 0 ? 1 : 0;
    }
  }

  /** Which detectors may find something in a text of these byte classes, length, counts (`byteCounts`) and context; 0: none. */
  candidates(classes: number, length: number, counted: number, context: number): Candidates {
    if (this.seesAll) return length > 0 ? EVERYTHING : 0;
    const counts = length < countable ? counted : manyOfAll;
    let possible = this.#byClasses[classes & allClasses]!;
    if (possible === -1) possible = this.#possible(classes & allClasses);
    if (possible !== 0) {
      const byLength = this.#byLength;
      possible &= byLength[length < byLength.length ? length : byLength.length - 1]!;
    }
    if (possible !== 0) {
      possible &=
        this.#byDigits[Math.min(counts & 1023, mostCounted)]! &
        this.#byDots[Math.min((counts >> 10) & 1023, mostCounted)]! &
        this.#byColons[Math.min(counts >> 20, mostCounted)]!;
    }
    return (context & this.#contexts) === 0 ? possible : possible | this.#called(context);
  }

  #possible(classes: number): number {
    let possible = 0;
    for (const [i, { detector }] of this.#detectors.entries()) {
      const { needs, needsOneOf } = detector;
      if ((classes & needs) === needs && (needsOneOf === 0 || (classes & needsOneOf) !== 0)) possible |= bitOf(i);
    }
    return (this.#byClasses[classes] = possible);
  }

  /** The detectors that look at any text in this context. */
  #called(context: number): Candidates {
    let bits = 0;
    for (let rest = context & this.#contexts; rest !== 0; rest &= rest - 1) bits |= this.#calledBy[31 - Math.clz32(rest & -rest)]!;
    return bits;
  }

  /** Whether an integer without a sign and of so many digits may hold something. */
  wantsInteger(length: number, context: number): boolean {
    return length >= this.#integers.length || this.#integers[length] === 1 || (context & this.#contexts) !== 0;
  }

  /** Without those that want longer words than these bytes have. For bytes with escapes, where shapes cannot be seen. */
  narrowByWords(bytes: Uint8Array, from: number, to: number, candidates: Candidates, context: number): Candidates {
    if (candidates >= EVERYTHING) return candidates;
    const asked = candidates & this.#longWords & ((context & this.#contexts) === 0 ? -1 : ~this.#called(context));
    return asked === 0 || hasLongWord(bytes, from, to, leastWord) ? candidates : candidates & ~asked;
  }

  /** Those of the candidates whose shapes occur in these UTF-8 bytes. */
  narrow(bytes: Uint8Array, from: number, to: number, candidates: Candidates, context: number): Candidates {
    if (candidates >= EVERYTHING) return candidates;
    let kept = this.narrowByWords(bytes, from, to, candidates, context);
    const asked = (context & this.#contexts) === 0 ? kept : kept & ~this.#called(context);
    const featuresOf = this.#featuresOf;
    let wanted = 0;
    for (let rest = asked; rest !== 0; rest &= rest - 1) wanted |= featuresOf[31 - Math.clz32(rest & -rest)]!;
    if (wanted === 0) return kept;
    const features = textFeatures(bytes, from, to, wanted);
    for (let rest = asked; rest !== 0; rest &= rest - 1) {
      const shapes = featuresOf[31 - Math.clz32(rest & -rest)]!;
      if (shapes !== 0 && (features & shapes) === 0) kept &= ~(rest & -rest);
    }
    return kept;
  }

  /** The account that looking is paid from until the next call; null: each text pays for itself. */
  use(work: Work | null): void {
    this.#work = work;
  }

  /** A full account for a body. */
  createWork(): Work {
    return new Work(this.#patterns.length);
  }

  /** Where the rules find something: sorted, without overlaps. One span over everything where the work is used up. */
  find(text: string, context: number): Span[] {
    return this.findOf(text, context, this.#candidatesOf(text, context));
  }

  /** The same, where the candidates are known. */
  findOf(text: string, context: number, candidates: Candidates): Span[] {
    const work = this.#workFor(text.length);
    const spans: Span[] = [];
    try {
      const { length } = this.#detectors;
      for (let i = firstOf(candidates); i < length; i++) {
        if (!isAmong(candidates, i)) continue;
        const { detector, action } = this.#detectors[i]!;
        detector.find(text, context, (start, end) => spans.push({ start, end, action }), work);
      }
      if (this.seesAll) {
        for (const { pattern, action } of this.#patterns) findMatches(pattern, action, text, work, spans);
        this.#words?.find(text, work, spans);
      }
      return this.#merged(spans, work);
    } catch (error) {
      return hiddenWhole(error, text.length, work);
    }
  }

  /** The same in `bytes[from, to)`, which are ASCII, with offsets from `from`. */
  findIn(bytes: Uint8Array, from: number, to: number, context: number, candidates: Candidates): Span[] {
    if (this.seesAll) return this.findOf(latin1Text(bytes, from, to), context, candidates);
    const work = this.#workFor(to - from);
    const spans: Span[] = [];
    try {
      const { length } = this.#detectors;
      let text: string | null = null;
      for (let i = firstOf(candidates); i < length; i++) {
        if (!isAmong(candidates, i)) continue;
        const { detector, action } = this.#detectors[i]!;
        const found = (start: number, end: number): void => void spans.push({ start, end, action });
        if (detector.findIn !== undefined) detector.findIn(bytes, from, to, context, found, work);
        else detector.find((text ??= latin1Text(bytes, from, to)), context, found, work);
      }
      return this.#merged(spans, work);
    } catch (error) {
      return hiddenWhole(error, to - from, work);
    }
  }

  /** Finds values that may span lines, in lines that are joined by blanks. */
  findAcross(joined: string): Span[] {
    const work = this.#workFor(joined.length);
    const spans: Span[] = [];
    try {
      for (const { detector, action } of this.#detectors)
        if (detector.goesOverLines === true) detector.find(joined, 0, (start, end) => spans.push({ start, end, action }), work);
      return this.#merged(spans, work);
    } catch (error) {
      return hiddenWhole(error, joined.length, work);
    }
  }

  #workFor(length: number): Work {
    return this.#work ?? new Work(this.#patterns.length, length + ownBytes);
  }

  #merged(spans: Span[], work: Work): Span[] {
    const merged = spans.length > 1 ? merge(spans) : spans;
    for (const { action, start, end } of merged) if (action === HASH) work.spend(hashSteps + ((end - start) >> 3));
    return merged;
  }

  /** Names of the detectors that find something. */
  detectorsIn(text: string, context: number): string[] {
    const candidates = this.#candidatesOf(text, context);
    const work = this.#workFor(text.length);
    const names: string[] = [];
    const { length } = this.#detectors;
    for (let i = candidates === 0 ? length : firstOf(candidates); i < length; i++) {
      if (!isAmong(candidates, i)) continue;
      const { detector } = this.#detectors[i]!;
      let found = false;
      try {
        detector.find(text, context, () => (found = true), work);
      } catch (error) {
        if (!(error instanceof OutOfSteps)) throw error;
        return names;
      }
      if (found) names.push(detector.name);
    }
    return names;
  }

  #candidatesOf(text: string, context: number): Candidates {
    const length = text.length;
    if (length === 0) return 0;
    if (this.seesAll) return EVERYTHING;
    if (scratch.length < length) scratch = new Uint8Array(length * 2);
    let classes = 0;
    let counts = 0;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      const byte = unit < 0x80 ? unit : 0xa0;
      scratch[i] = byte;
      classes |= byteClasses[byte]!;
      counts += byteCounts[byte]!;
    }
    const candidates = this.candidates(classes, length, counts, context);
    const kept = candidates === 0 ? 0 : this.narrow(scratch, 0, length, candidates, context);
    if (scratch.length > 1 << 20) scratch = new Uint8Array(4096);
    return kept;
  }

  /** The text with everything masked that a rule finds; null where nothing is found. */
  mask(text: string, context: number): MaskedText | null {
    return this.maskOf(text, context, this.#candidatesOf(text, context));
  }

  /** The same, where the candidates are known. */
  maskOf(text: string, context: number, candidates: Candidates): MaskedText | null {
    if (candidates === 0) return null;
    const spans = this.findOf(text, context, candidates);
    return spans.length === 0 ? null : this.replace(text, spans);
  }

  replace(text: string, spans: readonly Span[]): MaskedText {
    let masked = '';
    let at = 0;
    for (const { start, end, action } of spans) {
      if (action === NULL) return { text: null, count: spans.length };
      masked += text.slice(at, start) + (replaceText(action, text.slice(start, end), this.#hash) ?? '');
      at = end;
    }
    return { text: masked + text.slice(at), count: spans.length };
  }
}

function hiddenWhole(error: unknown, length: number, work: Work): Span[] {
  if (!(error instanceof OutOfSteps)) throw error;
  work.hiddenValues++;
  return [{ start: 0, end: length, action: REDACT }];
}
