/**
 * The pairs of bytes that may follow each other in a secret, in any notation. Most texts are full of pairs that never
 * do; every match that starts before such a pair ends before it, so that a search can go over long pieces by looking
 * at one pair of each (as Wu and Manber's does).
 */
import { skipsOf } from './pattern.ts';
import type { Pattern } from './pattern.ts';
import { writingOf, writingOfCharacter } from './writing.ts';

/** Bytes that are gone over at once, at most. */
const widest = 16;

export class MatchPairs {
  /** A bit for each pair, by the first byte and 256 times the second. */
  readonly #bits = new Int32Array(2048);
  /** No match is shorter, in bytes. */
  readonly #width: number;
  /** Pairs looked at. */
  looked = 0;
  /** All pairs from the last result of `skip` up to this offset may be in a match. */
  likelyTo = 0;

  constructor(patterns: readonly Pattern[]) {
    this.#width = Math.min(widest, ...patterns.map((pattern) => pattern.positions.length));
    // wider encodings have NULs anywhere
    for (let byte = 0; byte < 256; byte++) {
      this.#add(byte, 0);
      this.#add(0, byte);
    }
    for (const pattern of patterns) this.#addPattern(pattern);
  }

  has(first: number, second: number): boolean {
    return ((this.#bits[(first >> 5) | (second << 3)]! >>> (first & 31)) & 1) === 1;
  }

  /**
   * A position in `bytes[from, n)` before which no match starts, whatever follows `n`. Calls of one scan hand on
   * `likelyTo`, so that each pair is looked at once.
   */
  skip(bytes: Uint8Array, from: number, n: number): number {
    const width = this.#width;
    const bits = this.#bits;
    const { likelyTo } = this;
    let at = from;
    let looked = 0;
    while (at + width <= n) {
      const last = at + width - 2;
      const least = at > likelyTo ? at : likelyTo;
      let pair = last;
      while (pair >= least) {
        const first = bytes[pair]!;
        if (((bits[(first >> 5) | (bytes[pair + 1]! << 3)]! >>> (first & 31)) & 1) === 0) break;
        pair--;
      }
      looked += last - pair + 1;
      if (pair < least) {
        this.likelyTo = last + 1;
        break;
      }
      at = pair + 1;
    }
    this.looked += looked;
    return at;
  }

  /** False: no match is in this text, which has one byte a character, or characters that are not in any pair. */
  mayMatch(text: string): boolean {
    const width = this.#width;
    const n = text.length;
    let at = 0;
    while (at + width <= n) {
      let pair = at + width - 2;
      while (pair >= at) {
        const first = text.charCodeAt(pair);
        const second = text.charCodeAt(pair + 1);
        if (first > 0xff || second > 0xff) return true;
        if (!this.has(first, second)) break;
        pair--;
      }
      if (pair < at) return true;
      at = pair + 1;
    }
    return false;
  }

  #addPattern(pattern: Pattern): void {
    const skips = writingOf(skipsOf(pattern));
    this.#addAll(skips.pairs);
    this.#cross(skips.lasts, skips.firsts);
    const seen = new Set<number>();
    let before: readonly number[] = [];
    for (const [position, chars] of pattern.positions.entries()) {
      const here = chars.map((char) => writingOfCharacter(char, pattern.depth));
      for (const [i, writing] of here.entries()) {
        this.#cross(before, writing.firsts);
        if (position > 0) this.#cross(skips.lasts, writing.firsts);
        if (seen.has(chars[i]!)) continue;
        seen.add(chars[i]!);
        this.#addAll(writing.pairs);
        this.#cross(writing.lasts, skips.firsts);
      }
      before = here.flatMap((writing) => writing.lasts);
    }
  }

  #addAll(pairs: readonly number[]): void {
    for (const pair of pairs) this.#add(pair & 255, pair >> 8);
  }

  #cross(firsts: readonly number[], seconds: readonly number[]): void {
    for (const second of seconds) for (const first of firsts) this.#add(first, second);
  }

  #add(first: number, second: number): void {
    this.#bits[(first >> 5) | (second << 3)]! |= 1 << (first & 31);
  }
}
