/** The sequencer: turns what is pending into leaves. */
import { absentDigest, mayFollow } from '@hoop/recording';
import type { LogLeaf, LogLeafKind } from '@hoop/recording';
import type pg from 'pg';

import type { IngestClient } from '../records/ingest-client.ts';
import { withTransaction } from '../records/transaction.ts';
import type { RowFault, RowGuard } from '../row-signatures/guard.ts';
import { appendLeaves, lockLog, pendingLeaves, removePending } from './append.ts';
import type { PendingLeaf } from './append.ts';
import type { LogHead } from './log.ts';
import { readLoggedRecords } from './logged-records.ts';
import type { DigestedRecord } from './logged-records.ts';

export interface SequenceOptions {
  /** Leaves of one batch at most. @default 4096 */
  readonly limit?: number;
  /** Makes the signed note of a head. */
  readonly sign: (head: LogHead) => string;
  /** Tells whether an audit event is one that Hoop wrote. */
  readonly guard: RowGuard;
  /** Unix milliseconds. */
  readonly now: number;
}

export interface SequenceResult {
  /** Pending rows that were taken. */
  readonly taken: number;
  readonly head: LogHead;
  /** Records that were gone, or could not be read, before they were sequenced: a leaf says so. */
  readonly absent: string[];
  /** Records that were final and are sequenced with something else: a leaf proves it. */
  readonly altered: string[];
  /** Audit events that Hoop did not write: they get no leaf. */
  readonly refused: RowFault[];
}

/**
 * One batch, in one transaction: a process killed in it leaves no change. Any number of workers may run it.
 *
 * @throws LogTampered where the stored log was changed
 */
export function sequenceLog(pool: pg.Pool, { limit = 4096, sign, guard, now }: SequenceOptions): Promise<SequenceResult> {
  return withTransaction(pool, async (client) => {
    const head = await lockLog(client);
    const pending = await pendingLeaves(client, limit);
    const { leaves, ...strange } = await newLeaves(client, pending, guard);
    const next = await appendLeaves(client, head, leaves, sign, now);
    if (pending.length > 0) await removePending(client, pending);
    return { taken: pending.length, head: next, ...strange };
  });
}

interface KnownLeaf {
  readonly kind: LogLeafKind;
  readonly digest: Uint8Array;
}

async function newLeaves(
  client: IngestClient,
  pending: readonly PendingLeaf[],
  guard: RowGuard,
): Promise<{ leaves: LogLeaf[] } & Pick<SequenceResult, 'absent' | 'altered' | 'refused'>> {
  const [absent, altered]: [string[], string[]] = [[], []];
  const refused: RowFault[] = [];
  const leaves = new Map<string, LogLeaf>();
  if (pending.length === 0) return { leaves: [], absent, altered, refused };
  const known = await newestLeaves(client, [...new Set(pending.map((leaf) => leaf.refId))]);
  const prepared = preparedLeaves(pending, known);
  const idsOf = (kind: PendingLeaf['kind']): string[] => [
    ...new Set(pending.filter((leaf) => leaf.kind === kind && !prepared.has(leaf.refId)).map((leaf) => leaf.refId)),
  ];
  const records = await readLoggedRecords(client, { calls: idsOf('call'), auditEvents: idsOf('audit_event') }, undefined, guard);
  for (const { kind, refId } of pending) {
    // An entry that was enqueued twice is read once.
    if (leaves.has(refId)) continue;
    const ready = prepared.get(refId);
    if (ready !== undefined) {
      leaves.set(refId, ready);
      continue;
    }
    const fault = records.get(refId)?.fault ?? null;
    if (fault !== null) {
      refused.push(fault);
      continue;
    }
    const leaf = leafOf(kind, refId, records.get(refId));
    const before = known.get(refId);
    if (before !== undefined && before.kind === leaf.kind && Buffer.compare(before.digest, leaf.digest) === 0) continue;
    if (!records.has(refId)) absent.push(refId);
    else if (before !== undefined && !mayFollow(before.kind, leaf.kind)) altered.push(refId);
    leaves.set(refId, leaf);
  }
  return { leaves: [...leaves.values()], absent, altered, refused };
}

/**
 * Leaves of calls that were written whole: digested as they were written, so that what happens to the row after that does
 * not change what the log holds. Whatever waits twice, or has a leaf, is read.
 */
function preparedLeaves(pending: readonly PendingLeaf[], known: ReadonlyMap<string, KnownLeaf>): Map<string, LogLeaf> {
  const prepared = new Map<string, LogLeaf>();
  const seen = new Set<string>();
  for (const { kind, refId, leafKind, digest } of pending) {
    if (seen.has(refId)) prepared.delete(refId);
    else if (kind === 'call' && leafKind !== null && digest !== null && !known.has(refId))
      prepared.set(refId, { kind: leafKind, refId, digest });
    seen.add(refId);
  }
  return prepared;
}

function leafOf(kind: PendingLeaf['kind'], refId: string, record: DigestedRecord | undefined): LogLeaf {
  if (record === undefined) return { kind, refId, digest: absentDigest(kind, refId) };
  return { kind: record.kind, refId, digest: record.digest };
}

async function newestLeaves(client: IngestClient, refIds: readonly string[]): Promise<Map<string, KnownLeaf>> {
  const { rows } = await client.query<KnownLeaf & { ref_id: string }>({
    name: 'log-newest',
    text: `SELECT DISTINCT ON (ref_id) ref_id, kind, digest FROM log_leaves WHERE ref_id = ANY($1::text[]) ORDER BY ref_id, index DESC`,
    values: [refIds],
  });
  return new Map(rows.map((row) => [row.ref_id, row]));
}
