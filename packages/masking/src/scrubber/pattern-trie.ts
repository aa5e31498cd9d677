/**
 * The patterns as tries with failure links (Aho and Corasick, 1975), one trie an encoding. A node stands for the longest
 * beginning of a pattern that the characters read so far end with; its failure link leads to the next shorter one.
 */
import { utf8Bytes } from '../bytes.ts';
import type { Encoding, Pattern } from './pattern.ts';

const encodings: readonly Encoding[] = ['text', 'base64', 'hexadecimal'];
const TEXT = 0;
const BASE64 = 1;

export const isBreak = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d && byte !== 0x0b && byte !== 0x0c);

/** Characters that are the same within an encoding become one. */
function fold(encoding: number, byte: number): number {
  if (encoding === TEXT) return byte;
  if (encoding === BASE64) return byte === 0x2d ? 0x2b : byte === 0x5f ? 0x2f : byte;
  return byte >= 0x41 && byte <= 0x46 ? byte + 32 : byte;
}

export class PatternTrie {
  /** Bytes that lead from some node to another; line breaks, where they may be skipped, are among them. */
  readonly alphabet: ReadonlySet<number>;
  /** Bytes of the secrets as they are. */
  readonly textBytes: ReadonlySet<number>;
  /** Bytes in the longest pattern. */
  readonly depth: number;
  /** NULs that follow each other in a secret. */
  readonly nuls: number;
  // by node; the first three are the roots
  readonly #byte: number[] = [0, 0, 0];
  readonly #parent: number[] = [0, 1, 2];
  readonly #encoding: number[] = [0, 1, 2];
  readonly #depth: number[] = [0, 0, 0];
  readonly #child: number[] = [0, 0, 0];
  readonly #sibling: number[] = [0, 0, 0];
  readonly #fail: number[] = [0, 1, 2];
  /** The longest pattern that ends here, as its last node; 0: none. */
  readonly #output: number[] = [0, 0, 0];

  constructor(patterns: readonly Pattern[]) {
    const alphabet = new Set<number>();
    const textBytes = new Set<number>();
    let depth = 0;
    let nuls = 0;
    for (const { encoding, positions, breaks } of patterns) {
      let run = 0;
      let at = encodings.indexOf(encoding);
      for (const byte of bytesOf(positions)) {
        at = this.#childOf(at, byte) || this.#add(at, byte);
        run = byte === 0 ? run + 1 : 0;
        nuls = Math.max(nuls, run);
      }
      this.#output[at] = at;
      depth = Math.max(depth, this.#depth[at]!);
      if (encoding === 'text') for (const byte of bytesOf(positions)) textBytes.add(byte);
      else for (const char of positions.flat()) alphabet.add(char);
      if (breaks) for (const byte of [0x20, 0x09, 0x0a, 0x0d]) alphabet.add(byte);
    }
    for (const byte of textBytes) alphabet.add(byte);
    this.alphabet = alphabet;
    this.textBytes = textBytes;
    this.depth = depth;
    this.nuls = nuls;
    this.#link();
  }

  get size(): number {
    return this.#byte.length;
  }

  /** The nodes of all encodings after one more byte, in ascending order. */
  step(nodes: readonly number[], byte: number): number[] {
    const next: number[] = [];
    for (let encoding = 0; encoding < encodings.length; encoding++) {
      let isAny = false;
      for (const node of nodes) {
        if (this.#encoding[node] !== encoding) continue;
        isAny = true;
        this.#take(next, this.#next(node, byte));
      }
      if (!isAny) this.#take(next, this.#next(encoding, byte));
    }
    return this.pruned(next);
  }

  /** Without nodes that others imply: those on the failure chain of another. In ascending order. */
  pruned(nodes: readonly number[]): number[] {
    const kept = nodes.filter((node) => !nodes.some((other) => other !== node && this.#implies(other, node)));
    return [...new Set(kept)].sort((a, b) => a - b);
  }

  /** The last node of the longest pattern that ends at this node; 0: none does. */
  output(node: number): number {
    return this.#output[node]!;
  }

  isRoot(node: number): boolean {
    return node < encodings.length;
  }

  parent(node: number): number {
    return this.#parent[node]!;
  }

  /** The next shorter beginning that this one ends with. */
  shorter(node: number): number {
    return this.#fail[node]!;
  }

  /** Whether this byte leads to the node from its parent. */
  takes(node: number, byte: number): boolean {
    return this.#byte[node] === fold(this.#encoding[node]!, byte);
  }

  /** Whether this byte changes nothing between two characters. */
  skips(node: number, byte: number): boolean {
    return this.#encoding[node] !== TEXT && isBreak(byte);
  }

  #take(into: number[], node: number): void {
    if (node >= encodings.length && !into.includes(node)) into.push(node);
  }

  #next(from: number, byte: number): number {
    if (this.skips(from, byte)) return from;
    const wanted = fold(this.#encoding[from]!, byte);
    for (let node = from; ; node = this.#fail[node]!) {
      const child = this.#childOf(node, wanted);
      if (child !== 0 || node < encodings.length) return child;
    }
  }

  #implies(longer: number, shorter: number): boolean {
    if (this.#encoding[longer] !== this.#encoding[shorter]) return false;
    let node = longer;
    while (this.#depth[node]! > this.#depth[shorter]!) node = this.#fail[node]!;
    return node === shorter;
  }

  #childOf(node: number, byte: number): number {
    let child = this.#child[node]!;
    while (child !== 0 && this.#byte[child] !== byte) child = this.#sibling[child]!;
    return child;
  }

  #add(parent: number, byte: number): number {
    const node = this.#byte.length;
    this.#byte.push(byte);
    this.#parent.push(parent);
    this.#encoding.push(this.#encoding[parent]!);
    this.#depth.push(this.#depth[parent]! + 1);
    this.#child.push(0);
    this.#sibling.push(this.#child[parent]!);
    this.#fail.push(this.#encoding[parent]!);
    this.#output.push(0);
    this.#child[parent] = node;
    return node;
  }

  /** Failure links from the shortest beginnings on. */
  #link(): void {
    const byDepth: number[] = [];
    for (let root = 0; root < encodings.length; root++)
      for (let child = this.#child[root]!; child !== 0; child = this.#sibling[child]!) byDepth.push(child);
    for (let at = 0; at < byDepth.length; at++) {
      const node = byDepth[at]!;
      if (this.#depth[node]! > 1) this.#fail[node] = this.#failOf(node);
      if (this.#output[node] === 0) this.#output[node] = this.#output[this.#fail[node]!]!;
      for (let child = this.#child[node]!; child !== 0; child = this.#sibling[child]!) byDepth.push(child);
    }
  }

  #failOf(node: number): number {
    const byte = this.#byte[node]!;
    let at = this.#parent[node]!;
    do {
      at = this.#fail[at]!;
      const child = this.#childOf(at, byte);
      if (child !== 0) return child;
    } while (at >= encodings.length);
    return at;
  }
}

/** Text as UTF-8; of an encoding's characters the first of those that are the same. */
function* bytesOf(positions: Pattern['positions']): Generator<number> {
  for (const chars of positions) {
    const char = chars[0]!;
    if (char < 0x80) yield char;
    else yield* utf8Bytes(String.fromCodePoint(char));
  }
}
