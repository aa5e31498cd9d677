/**
 * The append-only Merkle tree of RFC 9162 §2.1, kept as the hashes of its complete subtrees: node (level, index)
 * covers the leaves [index·2^level, (index+1)·2^level). A node never changes once it exists, so a log stores each
 * exactly once and needs O(log n) of them for a root or a proof.
 */
import { hash as sha } from 'node:crypto';

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array;

export interface NodeId {
  readonly level: number;
  readonly index: number;
}

export interface StoredNode extends NodeId {
  readonly hash: Hash;
}

/** Looks up a node that is known to exist; throws when it is not there. */
export type NodeLookup = (level: number, index: number) => Hash;

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

/** `SHA-256(0x00 ‖ entry)`. */
export const leafHash = (entry: Uint8Array): Hash => sha('sha256', Buffer.concat([leafPrefix, entry]), 'buffer');

/** `SHA-256(0x01 ‖ left ‖ right)`. */
export const nodeHash = (left: Hash, right: Hash): Hash => sha('sha256', Buffer.concat([nodePrefix, left, right]), 'buffer');

/** The root of the empty tree: `SHA-256("")`. */
export const emptyRoot = (): Hash => sha('sha256', '', 'buffer');

export const sameHash = (a: Hash, b: Hash): boolean => Buffer.compare(a, b) === 0;

/** The complete subtrees that make up the leaves [start, end), widest first; `start` is aligned as RFC 9162 cuts ranges. */
export function rangeNodes(start: number, end: number): NodeId[] {
  const nodes: NodeId[] = [];
  for (let at = start; at < end;) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level++;
    nodes.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return nodes;
}

/** Merkle Tree Hash of the leaves [start, end). */
export function rangeHash(start: number, end: number, lookup: NodeLookup): Hash {
  const hashes = rangeNodes(start, end).map((node) => lookup(node.level, node.index));
  let hash = hashes.pop();
  if (!hash) return emptyRoot();
  while (hashes.length > 0) hash = nodeHash(hashes.pop()!, hash);
  return hash;
}

/** The root of the first `size` leaves. */
export const rootHash = (size: number, lookup: NodeLookup): Hash => rangeHash(0, size, lookup);

/**
 * The nodes that come to exist when `leaves` (leaf hashes) are appended to a tree of `size` leaves. `lookup` is asked
 * only for nodes of the old tree's right edge: those of `rangeNodes(0, size)`.
 */
export function appendedNodes(size: number, leaves: readonly Hash[], lookup: NodeLookup): StoredNode[] {
  const added = new Map<string, Hash>();
  const nodes: StoredNode[] = [];
  const find = (level: number, index: number): Hash => added.get(`${level}/${index}`) ?? lookup(level, index);
  leaves.forEach((leaf, i) => {
    let index = size + i;
    let hash = leaf;
    for (let level = 0; ; level++) {
      added.set(`${level}/${index}`, hash);
      nodes.push({ level, index, hash });
      if (index % 2 === 0) break;
      hash = nodeHash(find(level, index - 1), hash);
      index = (index - 1) / 2;
    }
  });
  return nodes;
}
