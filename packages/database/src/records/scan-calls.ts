/** Walks through a selection of calls, newest first, with everything that is on record of each but its bodies. */
import type { CallResource } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { Prisma } from '../generated/client.ts';
import { callConditions, where } from './call-filter.ts';
import type { CallFilter } from './call-filter.ts';
import { summaryColumns, toCall, toCallSummary } from './call-resource.ts';
import { selectCallIds } from './read-calls.ts';

/** The next calls of a walk; fewer than `limit` where it has reached the end. `before` is the id of the last one so far. */
export async function scanCalls(
  tx: Transaction,
  filter: CallFilter,
  page: { before?: string | undefined; limit: number },
): Promise<CallResource[]> {
  const found = await tx.$queryRaw<{ id: string }[]>(selectCallIds(filter, { ...page, limit: page.limit - 1 }));
  const rows = await tx.call.findMany({ where: { id: { in: found.map((row) => row.id) } }, orderBy: { id: 'desc' } });
  return rows.map(toCall);
}

export interface ScannedPath {
  readonly id: string;
  readonly at: Date;
  readonly method: string | null;
  readonly path: string | null;
  readonly decision: string | null;
  readonly approvalId: string | null;
  readonly targetStatus: number | null;
  readonly isPurged: boolean;
}

/** The same walk over no more than what was called and how it ended. */
export async function scanPaths(
  tx: Transaction,
  filter: CallFilter,
  page: { before?: string | undefined; limit: number },
): Promise<ScannedPath[]> {
  const conditions = callConditions(filter);
  if (page.before !== undefined) conditions.push(Prisma.sql`c.id < ${page.before}`);
  return tx.$queryRaw<ScannedPath[]>`
    SELECT c.id, c.at, c.method, c.path, c.decision, c.approval_id AS "approvalId", c.target_status AS "targetStatus", c.purged_at IS NOT NULL AS "isPurged"
      FROM calls c ${where(conditions)} ORDER BY c.id DESC LIMIT ${page.limit}`;
}

/** Claims of these sessions, by session id; none for those without. */
export async function readSessionClaims(tx: Transaction, sessionIds: readonly string[]): Promise<Map<string, Record<string, unknown>>> {
  const rows = await tx.session.findMany({ where: { id: { in: [...sessionIds] } }, select: { id: true, claims: true } });
  return new Map(rows.flatMap((row) => (row.claims === null ? [] : [[row.id, row.claims as Record<string, unknown>] as const])));
}

/** Those of `ids` that match, as they stand, oldest first. */
export async function listCallsById(
  tx: Transaction,
  filter: CallFilter,
  ids: readonly string[],
): Promise<ReturnType<typeof toCallSummary>[]> {
  const conditions = [Prisma.sql`c.id = ANY(${[...ids]}::text[])`, ...callConditions(filter)];
  const found = await tx.$queryRaw<{ id: string }[]>`SELECT c.id FROM calls c ${where(conditions)}`;
  const rows = await tx.call.findMany({
    where: { id: { in: found.map((row) => row.id) } },
    select: summaryColumns,
    orderBy: { id: 'asc' },
  });
  return rows.map(toCallSummary);
}

/** How far back calls are looked at that may have been concluded since, milliseconds. */
const lookBackMs = 3_600_000;
/** Calls that are looked at for it, newest first. */
const lookAtMost = 20_000;

/**
 * Calls that match and were recorded or concluded since `since`, oldest first, at most `limit`. `isWhole` is false where there
 * are, or may be, more: those that began more than an hour before `since` are not looked at, and of a large record only the
 * newest.
 */
export async function listCallsChangedSince(
  tx: Transaction,
  filter: CallFilter,
  since: Date,
  limit: number,
): Promise<{ calls: ReturnType<typeof toCallSummary>[]; isWhole: boolean }> {
  const from = new Date(since.getTime() - lookBackMs);
  const conditions = callConditions({ ...filter, since: filter.since !== undefined && filter.since > from ? filter.since : from });
  const rows = await tx.$queryRaw<{ id: string; has_changed: boolean }[]>`
    SELECT c.id, c.recorded_at >= ${since} OR coalesce(c.concluded_at >= ${since}, false) AS has_changed
      FROM calls c ${where(conditions)} ORDER BY c.id DESC LIMIT ${lookAtMost + 1}`;
  const changed = rows.filter((row) => row.has_changed).map((row) => row.id);
  const calls = await listCallsById(tx, filter, changed.slice(0, limit));
  return { calls, isWhole: rows.length <= lookAtMost && changed.length <= limit };
}
