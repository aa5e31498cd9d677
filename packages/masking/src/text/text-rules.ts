/** The rules that look into texts: detectors, patterns and words. */
import type { RE2JS } from 're2js';

import { NULL, replaceText } from '../actions/action.ts';
import type { Action, HashText } from '../actions/action.ts';
import type { Detector } from '../detectors/detector.ts';
import { allClasses, byteClasses, classCombinations } from './byte-classes.ts';
import { allFeatures, textFeatures } from './features.ts';
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

export interface Span {
  start: number;
  end: number;
  action: Action;
}

export interface MaskedText {
  /** Null: the whole value becomes null. */
  readonly text: string | null;
  /** Places that were masked. */
  readonly count: number;
}

const tooLong = 0x7fff_ffff;
let scratch = new Uint8Array(4096);

export class TextRules {
  /** True where patterns or words must see every text. */
  readonly seesAll: boolean;
  readonly #detectors: readonly DetectorRule[];
  readonly #patterns: readonly PatternRule[];
  readonly #words: WordFinder | null;
  readonly #hash: HashText;
  readonly #contexts: number;
  readonly #features: number;
  /** By the classes that a text has: the shortest text that any detector wants to see. */
  readonly #minLengths = new Int32Array(classCombinations).fill(-1);

  constructor(rules: { detectors: readonly DetectorRule[]; patterns: readonly PatternRule[]; words: readonly WordsRule[]; hash: HashText }) {
    this.#detectors = rules.detectors;
    this.#patterns = rules.patterns;
    this.#words = rules.words.length === 0 ? null : new WordFinder(rules.words);
    this.#hash = rules.hash;
    this.seesAll = rules.patterns.length > 0 || rules.words.length > 0;
    this.#contexts = rules.detectors.reduce((bits, one) => bits | one.detector.contexts, 0);
    this.#features = rules.detectors.reduce((bits, one) => bits | (one.detector.features === 0 ? allFeatures : one.detector.features), 0);
  }

  /** False: a text of these byte classes and this length holds nothing for any rule. */
  mayHold(classes: number, length: number, context: number): boolean {
    if (this.seesAll || (context & this.#contexts) !== 0) return length > 0;
    const key = classes & allClasses;
    let least = this.#minLengths[key]!;
    if (least < 0) this.#minLengths[key] = least = this.#shortest(key);
    return length >= least;
  }

  #shortest(classes: number): number {
    let least = tooLong;
    for (const { detector } of this.#detectors) if ((classes & detector.needs) === detector.needs) least = Math.min(least, detector.minLength);
    return least;
  }

  /** False: these UTF-8 bytes hold nothing for any rule. */
  mayHoldIn(bytes: Uint8Array, from: number, to: number, context: number): boolean {
    return this.seesAll || (context & this.#contexts) !== 0 || (textFeatures(bytes, from, to) & this.#features) !== 0;
  }

  /** Where the rules find something: sorted, without overlaps. */
  find(text: string, context: number): Span[] {
    const spans: Span[] = [];
    if (this.#detectors.length > 0) this.#detect(text, context, ({ action }, start, end) => spans.push({ start, end, action }));
    for (const { pattern, action } of this.#patterns) {
      const matcher = pattern.matcher(text);
      while (matcher.find()) if (matcher.end() > matcher.start()) spans.push({ start: matcher.start(), end: matcher.end(), action });
    }
    this.#words?.find(text, spans);
    return spans.length > 1 ? merge(spans) : spans;
  }

  /** Names of the detectors that find something. */
  detectorsIn(text: string, context: number): string[] {
    const names: string[] = [];
    this.#detect(text, context, (rule) => {
      if (names.at(-1) !== rule.detector.name) names.push(rule.detector.name);
    });
    return names;
  }

  #detect(text: string, context: number, found: (rule: DetectorRule, start: number, end: number) => void): void {
    const length = text.length;
    if (scratch.length < length) scratch = new Uint8Array(length * 2);
    let classes = 0;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      const byte = unit < 0x80 ? unit : 0xa0;
      scratch[i] = byte;
      classes |= byteClasses[byte]!;
    }
    if (!this.mayHold(classes, length, context)) return;
    const features = textFeatures(scratch, 0, length);
    if (scratch.length > 1 << 20) scratch = new Uint8Array(4096);
    for (const rule of this.#detectors) {
      const { detector } = rule;
      const called = (context & detector.contexts) !== 0;
      if (!called && (length < detector.minLength || (classes & detector.needs) !== detector.needs)) continue;
      if (!called && detector.features !== 0 && (features & detector.features) === 0) continue;
      detector.find(text, context, (start, end) => found(rule, start, end));
    }
  }

  /** The text with everything masked that a rule finds; null where nothing is found. */
  mask(text: string, context: number): MaskedText | null {
    const spans = this.find(text, context);
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

/** Sorts, and joins what overlaps under the action that hides most. */
export function merge(spans: Span[]): Span[] {
  spans.sort((a, b) => a.start - b.start || b.end - a.end);
  const merged: Span[] = [spans[0]!];
  for (const span of spans) {
    const last = merged.at(-1)!;
    if (span.start < last.end) {
      last.end = Math.max(last.end, span.end);
      last.action = Math.max(last.action, span.action);
    } else if (span !== spans[0]) merged.push(span);
  }
  return merged;
}
