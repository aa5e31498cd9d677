/** The tamper-evident log: leaves are appended in batches, under one lock, each batch with a signed checkpoint. */
import { appendedNodes, consistencyNodes, consistencyProof, inclusionNodes, inclusionProof, logLeafHash, rangeNodes, rootHash } from '@hoop/recording';
import type { Hash, LogLeafKind } from '@hoop/recording';

import type { Transaction } from '../database.ts';
import { readNodes, storedLevel } from './nodes.ts';

export interface PendingLeaf {
  /** Position in the queue of pending leaves. */
  readonly id: bigint;
  readonly kind: LogLeafKind;
  readonly refId: string;
}

export interface LogHead {
  readonly size: number;
  readonly root: Hash;
}

/** Anything that is to become a leaf, in the transaction of its change. Audit events do so by a trigger. */
export async function enqueueLeaves(tx: Transaction, leaves: readonly { kind: LogLeafKind; refId: string }[]): Promise<void> {
  if (leaves.length > 0) await tx.logPending.createMany({ data: leaves.map(({ kind, refId }) => ({ kind, refId })) });
}

/**
 * Takes the log's lock until the transaction ends. `size` and `root` are of the log as it stands.
 * Only a holder of the lock may append.
 */
export async function lockLog(tx: Transaction): Promise<LogHead> {
  const [row] = await tx.$queryRaw<{ size: bigint; root: Uint8Array }[]>`SELECT size, root FROM log_state WHERE id = 1 FOR UPDATE`;
  if (!row) throw new Error('The log has no state row; the database was not migrated whole.');
  return { size: Number(row.size), root: row.root };
}

/** The oldest pending leaves. Rows of transactions that are not committed yet come later, and lose nothing by it. */
export async function pendingLeaves(tx: Transaction, limit: number): Promise<PendingLeaf[]> {
  const rows = await tx.logPending.findMany({ orderBy: { id: 'asc' }, take: limit });
  return rows.map((row) => ({ id: row.id, kind: row.kind as LogLeafKind, refId: row.refId }));
}

export interface NewLeaf extends PendingLeaf {
  readonly digest: Uint8Array;
}

/**
 * Appends leaves under the lock, stores the nodes that come to exist and takes the leaves out of the queue.
 *
 * @param sign makes the signed note of the new head
 * @throws where the stored nodes do not give the stored root: then somebody changed the log, and nothing is appended
 */
export async function appendLeaves(tx: Transaction, head: LogHead, leaves: readonly NewLeaf[], sign: (head: LogHead) => string, now: number): Promise<LogHead> {
  const lookup = await readNodes(tx, rangeNodes(0, head.size));
  if (Buffer.compare(rootHash(head.size, lookup), head.root) !== 0) {
    throw new Error(`The stored log of ${head.size} leaves does not have its recorded root: its rows were changed. Nothing was appended.`);
  }
  const hashes = leaves.map((leaf) => logLeafHash(leaf.kind, leaf.refId, leaf.digest));
  const nodes = appendedNodes(head.size, hashes, lookup);
  const added = new Map(nodes.map((node) => [`${node.level}/${node.index}`, node.hash]));
  const size = head.size + leaves.length;
  const next: LogHead = { size, root: rootHash(size, (level, index) => added.get(`${level}/${index}`) ?? lookup(level, index)) };
  const at = new Date(now);
  await tx.logLeaf.createMany({
    data: leaves.map((leaf, i) => ({ index: BigInt(head.size + i), kind: leaf.kind, refId: leaf.refId, digest: Buffer.from(leaf.digest), at })),
  });
  await tx.logNode.createMany({
    data: nodes.filter((node) => node.level >= storedLevel).map((node) => ({ level: node.level, index: BigInt(node.index), hash: Buffer.from(node.hash) })),
  });
  await tx.logState.update({ where: { id: 1 }, data: { size: BigInt(size), root: Buffer.from(next.root) } });
  await tx.logCheckpoint.create({ data: { size: BigInt(size), note: sign(next), at } });
  await tx.logPending.deleteMany({ where: { id: { in: leaves.map((leaf) => leaf.id) } } });
  return next;
}

/** The newest signed checkpoint, or that of a size; null where there is none. */
export async function readCheckpoint(tx: Transaction, size?: number): Promise<{ size: number; note: string; at: number } | null> {
  const row = await tx.logCheckpoint.findFirst({ ...(size === undefined ? {} : { where: { size: BigInt(size) } }), orderBy: { size: 'desc' } });
  return row === null ? null : { size: Number(row.size), note: row.note, at: row.at.getTime() };
}

export interface LeafRecord {
  readonly index: number;
  readonly kind: LogLeafKind;
  readonly refId: string;
  readonly digest: Uint8Array;
  readonly at: number;
}

const toLeaf = (row: { index: bigint; kind: string; refId: string; digest: Uint8Array; at: Date }): LeafRecord => ({
  index: Number(row.index),
  kind: row.kind as LogLeafKind,
  refId: row.refId,
  digest: row.digest,
  at: row.at.getTime(),
});

/** All leaves of a record, oldest first: empty while it waits for the sequencer. */
export async function leavesOf(tx: Transaction, refId: string): Promise<LeafRecord[]> {
  return (await tx.logLeaf.findMany({ where: { refId }, orderBy: { index: 'asc' } })).map(toLeaf);
}

/** Leaves [start, end) in order. */
export async function readLeaves(tx: Transaction, start: number, end: number): Promise<LeafRecord[]> {
  return (await tx.logLeaf.findMany({ where: { index: { gte: BigInt(start), lt: BigInt(end) } }, orderBy: { index: 'asc' } })).map(toLeaf);
}

/** Throws RangeError unless 0 ≤ index < size and the log has `size` leaves. */
export async function proveInclusion(tx: Transaction, index: number, size: number): Promise<Hash[]> {
  await checkSize(tx, size);
  if (index < 0 || index >= size) throw new RangeError(`There is no leaf ${index} in a log of ${size} leaves.`);
  return inclusionProof(index, size, await readNodes(tx, inclusionNodes(index, size)));
}

/** Throws RangeError unless 0 ≤ oldSize ≤ size and the log has `size` leaves. */
export async function proveConsistency(tx: Transaction, oldSize: number, size: number): Promise<Hash[]> {
  await checkSize(tx, size);
  if (oldSize < 0 || oldSize > size) throw new RangeError(`A log of ${size} leaves cannot extend one of ${oldSize}.`);
  return consistencyProof(oldSize, size, await readNodes(tx, consistencyNodes(oldSize, size)));
}

async function checkSize(tx: Transaction, size: number): Promise<void> {
  const state = await tx.logState.findUniqueOrThrow({ where: { id: 1 } });
  if (size < 0 || BigInt(size) > state.size) throw new RangeError(`The log has ${state.size} leaves, not ${size}.`);
}
