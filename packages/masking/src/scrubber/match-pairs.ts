/**
 * Which two bytes may follow each other in a secret, however it is written. Most texts are full of pairs that never
 * do; every match that starts before such a pair ends before it, so that a search can go over long pieces by looking
 * at one pair of each (as Wu and Manber's does).
 */
import type { GraphPattern } from './escape-graph.ts';
import { skipsOf } from './escape-graph.ts';
import { writingOf, writingOfCharacter } from './writing.ts';

/** Bytes that are gone over at once, at most. */
const widest = 16;

export class MatchPairs {
  /** A bit for each pair, by the first byte and 256 times the second. */
  readonly #bits = new Int32Array(2048);
  /** No match is shorter, in bytes. */
  readonly #width: number;

  constructor(patterns: readonly GraphPattern[]) {
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

  /** No match starts before the position that it gives, in `bytes[from, n)` or whatever follows. */
  skip(bytes: Uint8Array, from: number, n: number): number {
    const width = this.#width;
    let at = from;
    while (at + width <= n) {
      let pair = at + width - 2;
      while (pair >= at && this.has(bytes[pair]!, bytes[pair + 1]!)) pair--;
      if (pair < at) return at;
      at = pair + 1;
    }
    return at;
  }

  #addPattern(pattern: GraphPattern): void {
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
