/** Inclusion and consistency proofs of RFC 9162 §2.1.3 and §2.1.4, and their verification. */
import { emptyRoot, nodeHash, rangeHash, rangeNodes, sameHash } from './tree.ts';
import type { Hash, NodeId, NodeLookup } from './tree.ts';

type Range = readonly [start: number, end: number];

/** The largest power of two smaller than `n` (n ≥ 2). */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

function inclusionRanges(index: number, start: number, end: number): Range[] {
  if (end - start <= 1) return [];
  const middle = start + split(end - start);
  return index < middle
    ? [...inclusionRanges(index, start, middle), [middle, end]]
    : [...inclusionRanges(index, middle, end), [start, middle]];
}

function consistencyRanges(size: number, start: number, end: number, isWhole: boolean): Range[] {
  if (size === end) return isWhole ? [] : [[start, end]];
  const middle = start + split(end - start);
  return size <= middle
    ? [...consistencyRanges(size, start, middle, isWhole), [middle, end]]
    : [...consistencyRanges(size, middle, end, false), [start, middle]];
}

function checked(condition: boolean, sentence: string): void {
  if (!condition) throw new RangeError(sentence);
}

/** The nodes that an inclusion proof of leaf `index` in the tree of `size` leaves reads. */
export const inclusionNodes = (index: number, size: number): NodeId[] =>
  inclusionRanges(index, 0, size).flatMap(([start, end]) => rangeNodes(start, end));

/** The nodes that a consistency proof between two sizes reads. */
export const consistencyNodes = (oldSize: number, size: number): NodeId[] =>
  oldSize === 0 ? [] : consistencyRanges(oldSize, 0, size, true).flatMap(([start, end]) => rangeNodes(start, end));

/** RFC 9162 §2.1.3.1. Throws RangeError unless 0 ≤ index < size. */
export function inclusionProof(index: number, size: number, lookup: NodeLookup): Hash[] {
  checked(index >= 0 && index < size, `There is no leaf ${index} in a tree of ${size} leaves.`);
  return inclusionRanges(index, 0, size).map(([start, end]) => rangeHash(start, end, lookup));
}

/** RFC 9162 §2.1.4.1. Empty for oldSize 0 and for equal sizes. Throws RangeError unless 0 ≤ oldSize ≤ size. */
export function consistencyProof(oldSize: number, size: number, lookup: NodeLookup): Hash[] {
  checked(oldSize >= 0 && oldSize <= size, `A tree of ${size} leaves cannot extend one of ${oldSize}.`);
  return oldSize === 0 ? [] : consistencyRanges(oldSize, 0, size, true).map(([start, end]) => rangeHash(start, end, lookup));
}

const isOdd = (n: number): boolean => n % 2 === 1;
const half = (n: number): number => Math.floor(n / 2);

const hashBytes = 32;
/** A size or an index: a number that is counted exactly. */
const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
/** A hash of another length could move the border between the two halves of a node. */
const areHashes = (hashes: readonly Hash[]): boolean => hashes.every((hash) => hash.length === hashBytes);

/** RFC 9162 §2.1.3.2. False for anything that is no index, size or hash. */
export function verifyInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leaf, root, ...proof])) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && sameHash(hash, root);
}

/**
 * RFC 9162 §2.1.4.2. The tree of no leaves is extended by every tree, with an empty proof; its one root is the hash of
 * nothing (§2.1.1). False for anything that is no size or hash.
 */
export function verifyConsistency(oldSize: number, size: number, oldRoot: Hash, root: Hash, proof: readonly Hash[]): boolean {
  if (!isCount(oldSize) || !isCount(size) || oldSize > size || !areHashes([oldRoot, root, ...proof])) return false;
  if (oldSize === 0 && !sameHash(oldRoot, emptyRoot())) return false;
  if (oldSize === size) return proof.length === 0 && sameHash(oldRoot, root);
  if (oldSize === 0) return proof.length === 0;
  const path = Number.isInteger(Math.log2(oldSize)) ? [oldRoot, ...proof] : [...proof];
  let node = oldSize - 1;
  let last = size - 1;
  while (isOdd(node)) {
    node = half(node);
    last = half(last);
  }
  let oldHash = path.shift();
  if (!oldHash) return false;
  let hash = oldHash;
  for (const sibling of path) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && sameHash(oldHash, oldRoot) && sameHash(hash, root);
}
