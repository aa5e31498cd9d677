/** The root of a tree that is read leaf by leaf: memory for one hash a level, however many leaves. */
import { emptyRoot, nodeHash } from './tree.ts';
import type { Hash } from './tree.ts';

export interface CompactRange {
  readonly size: () => number;
  append(leaf: Hash): void;
  /**
   * The Merkle Tree Hash of all leaves so far (RFC 9162 §2.1.1).
   *
   * @param rest the root of what follows, where what was appended are complete subtrees of one height and `rest` is lower
   */
  root(rest?: Hash): Hash;
}

export function createCompactRange(): CompactRange {
  /** The complete subtrees so far, widest first: the ones in the binary form of `size`. */
  const subtrees: Hash[] = [];
  let size = 0;
  return {
    size: () => size,
    append(leaf) {
      let hash = leaf;
      for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) hash = nodeHash(subtrees.pop()!, hash);
      subtrees.push(hash);
      size++;
    },
    root(rest) {
      let hash = rest;
      for (let i = subtrees.length - 1; i >= 0; i--) hash = hash === undefined ? subtrees[i]! : nodeHash(subtrees[i]!, hash);
      return hash ?? emptyRoot();
    },
  };
}
