/** Nodes of the Merkle tree, read from what is stored: subtrees of 256 leaves and more, and the leaves themselves. */
import { logLeafHash, nodeHash } from '@hoop/recording';
import type { Hash, LogLeafKind, NodeId, NodeLookup } from '@hoop/recording';

import type { Query } from './query.ts';
import { LogTampered } from './tampered.ts';

/** Lowest level that is stored; below it, nodes are computed from at most 256 leaves. */
export const storedLevel = 8;
/** Leaves that one node of the lowest stored level covers. */
export const tileLeaves = 2 ** storedLevel;

const key = (level: number, index: number): string => `${level}/${index}`;

interface LeafRow {
  readonly index: bigint | string;
  readonly kind: string;
  readonly ref_id: string;
  readonly digest: Uint8Array;
}

/** Reads all of `wanted` in two queries and returns a lookup for them, which throws LogTampered where a row is missing. */
export async function readNodes(query: Query, wanted: readonly NodeId[]): Promise<NodeLookup> {
  const found = new Map<string, Hash>();
  const high = wanted.filter((node) => node.level >= storedLevel);
  if (high.length > 0) {
    const rows = await query<{ level: number; index: bigint | string; hash: Uint8Array }>(
      `SELECT n.level, n.index, n.hash FROM log_nodes n
         JOIN unnest($1::smallint[], $2::bigint[]) AS w(level, index) ON w.level = n.level AND w.index = n.index`,
      [high.map((node) => node.level), high.map((node) => node.index)],
    );
    for (const row of rows) found.set(key(row.level, Number(row.index)), row.hash);
  }
  const low = wanted.filter((node) => node.level < storedLevel);
  const tiles = [...new Set(low.map((node) => Math.floor((node.index * 2 ** node.level) / tileLeaves)))];
  if (tiles.length > 0) {
    const leaves = await query<LeafRow>(
      `SELECT l.index, l.kind, l.ref_id, l.digest FROM unnest($1::bigint[]) AS t(tile)
         JOIN log_leaves l ON l.index >= t.tile * ${tileLeaves} AND l.index < (t.tile + 1) * ${tileLeaves}`,
      [tiles],
    );
    const hashes = new Map(leaves.map((row) => [Number(row.index), logLeafHash(row.kind as LogLeafKind, row.ref_id, row.digest)]));
    for (const { level, index } of low) found.set(key(level, index), subtreeHash(level, index, hashes));
  }
  return (level, index) => {
    const hash = found.get(key(level, index));
    if (!hash) throw new LogTampered(`The log lacks its node ${level}/${index}: rows of log_nodes or log_leaves are missing.`);
    return hash;
  };
}

function subtreeHash(level: number, index: number, leaves: ReadonlyMap<number, Hash>): Hash {
  if (level > 0) return nodeHash(subtreeHash(level - 1, index * 2, leaves), subtreeHash(level - 1, index * 2 + 1, leaves));
  const leaf = leaves.get(index);
  if (!leaf) throw new LogTampered(`The log lacks its leaf ${index}: rows of log_leaves are missing.`);
  return leaf;
}
