/** Nodes of the Merkle tree, read from what is stored: subtrees of 256 leaves and more, and the leaves themselves. */
import { logLeafHash, nodeHash } from '@hoop/recording';
import type { Hash, LogLeafKind, NodeId, NodeLookup } from '@hoop/recording';

import type { Transaction } from '../database.ts';

/** Lowest level that is stored; below it, nodes are computed from at most 256 leaves. */
export const storedLevel = 8;
const tileLeaves = 2 ** storedLevel;

const key = (level: number, index: number): string => `${level}/${index}`;

export interface LeafRow {
  readonly index: bigint;
  readonly kind: string;
  readonly ref_id: string;
  readonly digest: Uint8Array;
}

/** Reads all of `wanted` in two queries and returns a lookup for them. */
export async function readNodes(tx: Transaction, wanted: readonly NodeId[]): Promise<NodeLookup> {
  const found = new Map<string, Hash>();
  const high = wanted.filter((node) => node.level >= storedLevel);
  if (high.length > 0) {
    const levels = high.map((node) => node.level);
    const indexes = high.map((node) => BigInt(node.index));
    const rows = await tx.$queryRaw<{ level: number; index: bigint; hash: Uint8Array }[]>`
      SELECT n.level, n.index, n.hash FROM log_nodes n
      JOIN unnest(${levels}::smallint[], ${indexes}::bigint[]) AS w(level, index) ON w.level = n.level AND w.index = n.index`;
    for (const row of rows) found.set(key(row.level, Number(row.index)), row.hash);
  }
  const low = wanted.filter((node) => node.level < storedLevel);
  const tiles = [...new Set(low.map((node) => Math.floor((node.index * 2 ** node.level) / tileLeaves)))];
  if (tiles.length > 0) {
    const leaves = await tx.$queryRaw<LeafRow[]>`
      SELECT index, kind, ref_id, digest FROM log_leaves WHERE index / ${tileLeaves} = ANY(${tiles}::bigint[])
      AND index >= ${Math.min(...tiles) * tileLeaves} AND index < ${(Math.max(...tiles) + 1) * tileLeaves}`;
    const hashes = new Map(leaves.map((row) => [Number(row.index), logLeafHash(row.kind as LogLeafKind, row.ref_id, row.digest)]));
    for (const { level, index } of low) found.set(key(level, index), subtreeHash(level, index, hashes));
  }
  return (level, index) => {
    const hash = found.get(key(level, index));
    if (!hash) throw new Error(`The log lacks its node ${level}/${index}: rows of log_nodes or log_leaves are missing.`);
    return hash;
  };
}

function subtreeHash(level: number, index: number, leaves: ReadonlyMap<number, Hash>): Hash {
  if (level > 0) return nodeHash(subtreeHash(level - 1, index * 2, leaves), subtreeHash(level - 1, index * 2 + 1, leaves));
  const leaf = leaves.get(index);
  if (!leaf) throw new Error(`The log lacks its leaf ${index}: rows of log_leaves are missing.`);
  return leaf;
}
