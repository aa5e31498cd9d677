/** The rules that look into texts: detectors, patterns and words. */
import type { RE2JS } from 're2js';

import { NULL, replaceText } from '../actions/action.ts';
import type { Action, HashText } from '../actions/action.ts';
import type { Detector } from '../detectors/detector.ts';
import { allClasses, byteClasses, classCombinations, DIGIT } from './byte-classes.ts';
import { hasLongWord, textFeatures } from './features.ts';
import { merge } from './span.ts';
import type { Span } from './span.ts';
import { WordFinder } from './word-finder.ts';

export interface DetectorRule {
  readonly detector: Detector;
  readonly action: Action;
}

export interface PatternRule {
  readonly pattern: RE2JS;
  readonly action: Action;
}

export interface WordsRule {
  readonly words: readonly string[];
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

/** No detector wants a shorter word. */
const leastWord = 14;

let scratch = new Uint8Array(4096);

export class TextRules {
  /** True where patterns or words must see every text. */
  readonly seesAll: boolean;
  readonly #detectors: readonly DetectorRule[];
  readonly #patterns: readonly PatternRule[];
  readonly #words: WordFinder | null;
  readonly #hash: HashText;
  readonly #contexts: number;
  /** By the classes that a text has: bit, least length and least digits of each detector that they suffice for. */
  readonly #byClasses: (Int32Array | undefined)[] = Array.from({ length: classCombinations }, () => undefined);

  constructor(rules: { detectors: readonly DetectorRule[]; patterns: readonly PatternRule[]; words: readonly WordsRule[]; hash: HashText }) {
    this.#detectors = rules.detectors;
    this.#patterns = rules.patterns;
    this.#words = rules.words.length === 0 ? null : new WordFinder(rules.words);
    this.#hash = rules.hash;
    this.seesAll = rules.patterns.length > 0 || rules.words.length > 0;
    this.#contexts = rules.detectors.reduce((bits, one) => bits | one.detector.contexts, 0);
  }

  /** Which detectors may find something in a text of these byte classes, length, count of digits and context; 0: none. */
  candidates(classes: number, length: number, digits: number, context: number): Candidates {
    if (this.seesAll) return length > 0 ? EVERYTHING : 0;
    const possible = this.#byClasses[classes & allClasses] ?? this.#possible(classes & allClasses);
    let bits = 0;
    for (let i = 0; i < possible.length; i += 3) if (length >= possible[i + 1]! && digits >= possible[i + 2]!) bits |= possible[i]!;
    const called = context & this.#contexts;
    if (called !== 0) for (const [i, { detector }] of this.#detectors.entries()) if ((called & detector.contexts) !== 0) bits |= bitOf(i);
    return bits;
  }

  #possible(classes: number): Int32Array {
    const possible: number[] = [];
    for (const [i, { detector }] of this.#detectors.entries()) {
      const { needs, needsOneOf, minLength, minDigits } = detector;
      if ((classes & needs) === needs && (needsOneOf === 0 || (classes & needsOneOf) !== 0)) possible.push(bitOf(i), minLength, minDigits);
    }
    return (this.#byClasses[classes] = Int32Array.from(possible));
  }

  /** Without those that want longer words than these bytes have. For bytes with escapes, where shapes cannot be seen. */
  narrowByWords(bytes: Uint8Array, from: number, to: number, candidates: Candidates, context: number): Candidates {
    if (candidates >= EVERYTHING) return candidates;
    let kept = candidates;
    let longWord = -1;
    for (let i = 0; i < Math.min(this.#detectors.length, lastBit); i++) {
      const { detector } = this.#detectors[i]!;
      if ((candidates & bitOf(i)) === 0 || detector.minWord === 0 || (detector.contexts & context) !== 0) continue;
      if (longWord < 0) longWord = hasLongWord(bytes, from, to, leastWord) ? 1 : 0;
      if (longWord === 0) kept &= ~bitOf(i);
    }
    return kept;
  }

  /** Those of the candidates whose shapes occur in these UTF-8 bytes. */
  narrow(bytes: Uint8Array, from: number, to: number, candidates: Candidates, context: number): Candidates {
    if (candidates >= EVERYTHING) return candidates;
    const detectors = this.#detectors;
    let wanted = 0;
    let kept = this.narrowByWords(bytes, from, to, candidates, context);
    if (kept === 0) return 0;
    for (let i = 0; i < detectors.length; i++) {
      const { detector } = detectors[i]!;
      if ((kept & bitOf(i)) !== 0 && (detector.contexts & context) === 0) wanted |= detector.features;
    }
    if (wanted === 0) return kept;
    const features = textFeatures(bytes, from, to, wanted);
    for (let i = 0; i < detectors.length && i < lastBit; i++) {
      const { detector } = detectors[i]!;
      if ((kept & bitOf(i)) !== 0 && (detector.contexts & context) === 0 && detector.features !== 0 && (features & detector.features) === 0) kept &= ~bitOf(i);
    }
    return kept;
  }

  /** Where the rules find something: sorted, without overlaps. */
  find(text: string, context: number): Span[] {
    return this.findOf(text, context, this.#candidatesOf(text, context));
  }

  /** The same, where the candidates are known. */
  findOf(text: string, context: number, candidates: Candidates): Span[] {
    const spans: Span[] = [];
    for (let i = 0; i < this.#detectors.length; i++) {
      if ((candidates & bitOf(i)) === 0 && candidates < EVERYTHING) continue;
      const { detector, action } = this.#detectors[i]!;
      detector.find(text, context, (start, end) => spans.push({ start, end, action }));
    }
    for (const { pattern, action } of this.#patterns) {
      const matcher = pattern.matcher(text);
      while (matcher.find()) if (matcher.end() > matcher.start()) spans.push({ start: matcher.start(), end: matcher.end(), action });
    }
    this.#words?.find(text, spans);
    return spans.length > 1 ? merge(spans) : spans;
  }

  /** Names of the detectors that find something. */
  detectorsIn(text: string, context: number): string[] {
    const candidates = this.#candidatesOf(text, context);
    return this.#detectors.flatMap(({ detector }, i) => {
      let found = false;
      if ((candidates & bitOf(i)) !== 0) detector.find(text, context, () => (found = true));
      return found ? [detector.name] : [];
    });
  }

  #candidatesOf(text: string, context: number): Candidates {
    const length = text.length;
    if (length === 0) return 0;
    if (this.seesAll) return EVERYTHING;
    if (scratch.length < length) scratch = new Uint8Array(length * 2);
    let classes = 0;
    let digits = 0;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      const byte = unit < 0x80 ? unit : 0xa0;
      const kind = byteClasses[byte]!;
      scratch[i] = byte;
      classes |= kind;
      digits += kind & DIGIT;
    }
    const candidates = this.candidates(classes, length, digits, context);
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
