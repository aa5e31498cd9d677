/** The notations that led from one state to another, in the order of their ends: the way back from the end of a match to its start. */
import { utf8Bytes } from '../bytes.ts';
import type { PatternTrie } from './pattern-trie.ts';

/** In the place of a character: a soft line break, which stands for nothing. */
export const NOTHING = -1;
const BYTE = 0x200000;

/** Logs of bodies that are over. One that had to grow is not made anew for the next body. */
const spare: TokenLog[] = [];
const maxSpare = 16;
const maxSpareLength = 65_536;

export class TokenLog {
  static take(): TokenLog {
    return spare.pop() ?? new TokenLog();
  }

  /** The log is not used any more. */
  static giveBack(log: TokenLog): void {
    log.clear();
    if (spare.length < maxSpare && log.#ends.length <= maxSpareLength) spare.push(log);
  }

  #starts = new Int32Array(64);
  #ends = new Int32Array(64);
  #chars = new Int32Array(64);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** `char`: a code point, or a byte of UTF-8 where `isByte`. */
  add(start: number, end: number, char: number, isByte: boolean): void {
    const at = this.#length++;
    if (at === this.#ends.length) this.#grow();
    this.#starts[at] = start;
    this.#ends[at] = end;
    this.#chars[at] = isByte ? char + BYTE : char;
  }

  clear(): void {
    this.#length = 0;
  }

  /** Forgets all notations that begin before an offset, which becomes 0. */
  rebase(offset: number): void {
    let kept = 0;
    for (let i = 0; i < this.#length; i++) {
      if (this.#starts[i]! < offset) continue;
      this.#starts[kept] = this.#starts[i]! - offset;
      this.#ends[kept] = this.#ends[i]! - offset;
      this.#chars[kept++] = this.#chars[i]!;
    }
    this.#length = kept;
  }

  /**
   * The first offset, at or after `from`, from which `bytes` up to `end` read as the beginning of a pattern that the
   * node stands for.
   */
  startOf(trie: PatternTrie, bytes: Uint8Array, node: number, end: number, from: number): number {
    let first = end;
    let at = end;
    let here = node;
    let last = this.#lastUpTo(end);
    // mostly there is one way at a time
    while (!trie.isRoot(here) && at > from) {
      while (last >= 0 && this.#ends[last]! > at) last--;
      const byte = bytes[at - 1]!;
      if (byte === 0) break;
      const isTaken = trie.takes(here, byte);
      if (last < 0 || this.#ends[last]! !== at) {
        if (isTaken) here = trie.parent(here);
        else if (!trie.skips(here, byte)) break;
        at--;
        continue;
      }
      if (isTaken || trie.skips(here, byte) || (last > 0 && this.#ends[last - 1]! === at)) break;
      const before = this.#before(trie, here, this.#chars[last]!);
      if (before < 0) break;
      at = this.#starts[last]!;
      here = before;
    }
    const ways: number[] = [];
    const seen = new Set<number>();
    for (;;) {
      if (trie.isRoot(here)) first = Math.min(first, at);
      else this.#back(trie, bytes, here, at, from, ways);
      do {
        const way = ways.pop();
        if (way === undefined) return first === end ? from : first;
        at = Math.floor(way / trie.size);
        here = way % trie.size;
      } while (!isNew(seen, at * trie.size + here));
    }
  }

  /** All ways to have come to a node at an offset: offset times the size of the trie, plus the node before. */
  #back(trie: PatternTrie, bytes: Uint8Array, node: number, offset: number, from: number, ways: number[]): void {
    const { size } = trie;
    for (let at = offset; at > from; at--) {
      const byte = bytes[at - 1]!;
      if (trie.takes(node, byte)) ways.push((at - 1) * size + trie.parent(node));
      else if (trie.skips(node, byte)) ways.push((at - 1) * size + node);
      for (let i = this.#lastUpTo(at); i >= 0 && this.#ends[i] === at; i--) {
        const before = this.#before(trie, node, this.#chars[i]!);
        if (before >= 0) ways.push(this.#starts[i]! * size + before);
      }
      if (byte !== 0) return;
    }
  }

  /** The node before a character; negative: the character does not lead here. */
  #before(trie: PatternTrie, node: number, char: number): number {
    if (char === NOTHING) return node;
    if (char >= BYTE) return this.#beforeByte(trie, node, char - BYTE);
    if (char < 0x80) return this.#beforeByte(trie, node, char);
    let at = node;
    for (const byte of utf8Bytes(String.fromCodePoint(char)).toReversed()) {
      if (trie.isRoot(at) || !trie.takes(at, byte)) return -1;
      at = trie.parent(at);
    }
    return at;
  }

  #beforeByte(trie: PatternTrie, node: number, byte: number): number {
    if (trie.skips(node, byte)) return node;
    return trie.takes(node, byte) ? trie.parent(node) : -1;
  }

  #grow(): void {
    const larger = (list: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(list.length * 2);
      grown.set(list);
      return grown;
    };
    this.#starts = larger(this.#starts);
    this.#ends = larger(this.#ends);
    this.#chars = larger(this.#chars);
  }

  /** The last one that ends at or before an offset. */
  #lastUpTo(offset: number): number {
    const ends = this.#ends;
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function isNew(seen: Set<number>, way: number): boolean {
  if (seen.has(way)) return false;
  seen.add(way);
  return true;
}
