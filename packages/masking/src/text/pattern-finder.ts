/**
 * Finds every match of an RE2 pattern. One match is found in linear time; all of them are not: each search may go on to
 * the end of the text before it knows where its match ended. So the characters that a search reads are counted.
 */
import { RE2JS } from 're2js';

import type { Action } from '../actions/action.ts';
import type { Span } from './span.ts';
import { OutOfSteps } from './work.ts';
import type { Work } from './work.ts';

/** Characters of the longest match; a text with a longer one is hidden whole. */
export const longestMatch = 16_384;
/** Instructions of the largest pattern. */
export const largestPattern = 1000;

// re2js: how a text is read, and flags of `executeEngine`
const unanchored = 0;
const endOfText = -8;
const beginLine = 1;
const endLine = 2;
const beginText = 4;
const endTextFlag = 8;
const wordBoundary = 16;
const noWordBoundary = 32;
/** Of the two engines that find a match's ends, the first is for texts of fewer instructions times characters. */
const mostBacktracked = 262_144;
const largestBacktracked = 500;
/** Steps of a search besides what it reads. */
const searchSteps = 16;

interface Prefixed {
  readonly prefix: string;
}

interface Automaton {
  searchUTF16(text: string, from: number, to: number): boolean;
}

const isWordUnit = (unit: number): boolean =>
  (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || unit === 0x5f || (unit >= 0x61 && unit <= 0x7a);

/** A text as re2js reads it (its `MachineInput`), with a count of the reads. */
class CountedText {
  readonly #text: string;
  readonly #end: number;
  readonly #work: Work;
  readonly #stepsPerRead: number;

  constructor(text: string, work: Work, stepsPerRead: number) {
    this.#text = text;
    this.#end = text.length;
    this.#work = work;
    this.#stepsPerRead = stepsPerRead;
  }

  canCheckPrefix(): boolean {
    return true;
  }

  endPos(): number {
    return this.#end;
  }

  hasString({ str }: { readonly str: string }, from: number): boolean {
    return this.#text.includes(str, from);
  }

  hasAnyString(filter: { automaton16(): Automaton }, from: number): boolean {
    return filter.automaton16().searchUTF16(this.#text, from, this.#end);
  }

  /** The code point at `at` and its length in units, as `point << 3 | length`. */
  step(at: number): number {
    this.#work.spend(this.#stepsPerRead);
    if (at >= this.#end) return endOfText;
    const unit = this.#text.charCodeAt(at);
    if ((unit & 0xfc00) !== 0xd800 || at + 1 >= this.#end) return (unit << 3) | 1;
    const low = this.#text.charCodeAt(at + 1);
    return (low & 0xfc00) === 0xdc00 ? ((((unit & 0x3ff) << 10) + (low & 0x3ff) + 0x10000) << 3) | 2 : (unit << 3) | 1;
  }

  index({ prefix }: Prefixed, from: number): number {
    const at = this.#text.indexOf(prefix, from);
    this.#work.spend(1 + ((at < 0 ? this.#end - from : at - from) >> 4));
    return at < 0 ? -1 : at - from;
  }

  /** Which assertions hold before `at`. */
  context(at: number): number {
    this.#work.spend(1);
    const before = at > 0 && at <= this.#end ? this.#text.charCodeAt(at - 1) : -1;
    const next = at < this.#end ? this.#text.charCodeAt(at) : -1;
    let holds = isWordUnit(before) === isWordUnit(next) ? noWordBoundary : wordBoundary;
    if (before < 0) holds |= beginText | beginLine;
    if (before === 0x0a) holds |= beginLine;
    if (next < 0) holds |= endTextFlag | endLine;
    if (next === 0x0a) holds |= endLine;
    return holds;
  }

  prefixLength({ prefix }: Prefixed): number {
    return prefix.length;
  }
}

/** Throws an `Error` with a sentence where the pattern is not valid, too large, or matches the empty text. */
export function compilePattern(source: string): RE2JS {
  const pattern = RE2JS.compile(source);
  const size = pattern.programSize();
  if (size > largestPattern) throw new Error(`the pattern is too large (${size} instructions, at most ${largestPattern})`);
  if (pattern.test('')) throw new Error('the pattern matches the empty text, so it would match everywhere');
  return pattern;
}

/** Adds a span for each match. Throws `OutOfSteps` where the work is used up or a match is too long. */
export function findMatches(pattern: RE2JS, action: Action, text: string, work: Work, spans: Span[]): void {
  const re2 = pattern.re2();
  const size = pattern.programSize();
  const isBacktracked = size <= largestBacktracked && text.length * size <= mostBacktracked;
  const input = new CountedText(text, work, isBacktracked ? 1 : 1 + (size >> 2));
  // what it clears before each search, a bit for each instruction at each character
  const steps = searchSteps + (isBacktracked ? (size * text.length) >> 8 : size >> 3);
  for (let at = 0; at <= text.length;) {
    work.spend(steps);
    const found = re2.executeEngine(input, at, unanchored, 2) as readonly [number, number] | null;
    if (found === null) return;
    const [start, end] = found;
    if (end - start > longestMatch) throw new OutOfSteps();
    if (end > start) spans.push({ start, end, action });
    at = end > at ? end : at + (input.step(at) & 7 || 1);
  }
}
