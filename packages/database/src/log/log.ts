/** The tamper-evident log as readers see it: checkpoints, leaves, proofs. */
import { consistencyNodes, consistencyProof, inclusionNodes, inclusionProof } from '@hoop/recording';
import type { Hash, LogLeafKind } from '@hoop/recording';

import type { Transaction } from '../database.ts';
import { readNodes } from './nodes.ts';
import { queryOf } from './query.ts';

export interface LogHead {
  readonly size: number;
  readonly root: Hash;
}

/** Anything that is to become a leaf, in the transaction of its change. Audit events do so by a trigger. */
export async function enqueueLeaves(tx: Transaction, leaves: readonly { kind: 'audit_event' | 'call'; refId: string }[]): Promise<void> {
  if (leaves.length > 0) await tx.logPending.createMany({ data: leaves.map(({ kind, refId }) => ({ kind, refId })) });
}

/** The newest signed checkpoint, or that of a size; null where there is none. */
export async function readCheckpoint(tx: Transaction, size?: number): Promise<{ size: number; note: string; at: number } | null> {
  const row = await tx.logCheckpoint.findFirst({
    ...(size === undefined ? {} : { where: { size: BigInt(size) } }),
    orderBy: { size: 'desc' },
  });
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
  return inclusionProof(index, size, await readNodes(queryOf(tx), inclusionNodes(index, size)));
}

/** Throws RangeError unless 0 ≤ oldSize ≤ size and the log has `size` leaves. */
export async function proveConsistency(tx: Transaction, oldSize: number, size: number): Promise<Hash[]> {
  await checkSize(tx, size);
  if (oldSize < 0 || oldSize > size) throw new RangeError(`A log of ${size} leaves cannot extend one of ${oldSize}.`);
  return consistencyProof(oldSize, size, await readNodes(queryOf(tx), consistencyNodes(oldSize, size)));
}

async function checkSize(tx: Transaction, size: number): Promise<void> {
  const state = await tx.logState.findUniqueOrThrow({ where: { id: 1 } });
  if (size < 0 || BigInt(size) > state.size) throw new RangeError(`The log has ${state.size} leaves, not ${size}.`);
}

/** The log as it stands, and how many records wait for it. */
export async function readLogStatus(tx: Transaction): Promise<LogHead & { readonly pending: number }> {
  const { size, root } = await tx.logState.findUniqueOrThrow({ where: { id: 1 } });
  return { size: Number(size), root, pending: await tx.logPending.count() };
}
