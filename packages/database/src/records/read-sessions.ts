import type { SessionResource } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { Prisma } from '../generated/client.ts';
import type { SessionModel } from '../generated/models.ts';
import type { Page, PageRequest } from '../page.ts';
import { callConditions, where } from './call-filter.ts';
import type { CallFilter } from './call-filter.ts';

/** Sessions by their own beginning and identity, and with at least one call that matches all the other members. */
export type SessionFilter = Omit<CallFilter, 'sessionId'>;

/** So many calls that match are few: their sessions are looked up. Where there are more, sessions that have one are found soon. */
const fewCalls = 5000;

/** Ids of a page, and one more. */
export function selectSessionIds(filter: SessionFilter, page: PageRequest): Prisma.Sql {
  const { since, until, identityId, ...ofCalls } = filter;
  const conditions: Prisma.Sql[] = [];
  if (since) conditions.push(Prisma.sql`s.started_at >= ${since}`);
  if (until) conditions.push(Prisma.sql`s.started_at < ${until}`);
  if (identityId !== undefined) conditions.push(Prisma.sql`s.identity_id = ${identityId}`);
  if (page.before !== undefined) {
    const [at, id] = cursorOf(page.before);
    conditions.push(Prisma.sql`(s.started_at, s.id) < (${at}, ${id})`);
  }
  const ids = (further: readonly Prisma.Sql[]): Prisma.Sql => Prisma.sql`
    SELECT s.id FROM sessions s ${where([...conditions, ...further])} ORDER BY s.started_at DESC, s.id DESC LIMIT ${page.limit + 1}`;
  const onCalls = callConditions(ofCalls);
  if (onCalls.length === 0) return ids([]);
  // Calls of a session are never older than its start, which keeps partitions out of the search.
  if (since) onCalls.push(...callConditions({ since }));
  // The planner takes rare calls for evenly spread and frequent ones for rare; so they are counted. One of the two is never run.
  return Prisma.sql`
    WITH few AS MATERIALIZED (SELECT c.session_id FROM calls c ${where(onCalls)} LIMIT ${fewCalls + 1}),
         counted AS MATERIALIZED (SELECT count(*) <= ${fewCalls} AS is_few FROM few)
    (${ids([Prisma.sql`(SELECT is_few FROM counted)`, Prisma.sql`s.id IN (SELECT session_id FROM few)`])})
    UNION ALL
    (${ids([
      Prisma.sql`NOT (SELECT is_few FROM counted)`,
      Prisma.sql`EXISTS (SELECT 1 FROM calls c ${where([Prisma.sql`c.session_id = s.id`, ...onCalls])})`,
    ])})`;
}

/**
 * A page of the sessions that match, newest first. Ids of sessions tell no time, so `last` (and `before`) is
 * `<Unix milliseconds of the start>_<id>`.
 */
export async function listSessions(tx: Transaction, filter: SessionFilter, page: PageRequest): Promise<Page<SessionResource>> {
  const found = await tx.$queryRaw<{ id: string }[]>(selectSessionIds(filter, page));
  const ids = found.slice(0, page.limit).map((row) => row.id);
  const rows = await tx.session.findMany({ where: { id: { in: ids } }, orderBy: [{ startedAt: 'desc' }, { id: 'desc' }] });
  const oldest = rows.at(-1);
  return { items: rows.map(toSession), last: found.length > page.limit && oldest ? `${oldest.startedAt.getTime()}_${oldest.id}` : null };
}

function cursorOf(before: string): [Date, string] {
  const [, ms, id] = /^(\d{1,15})_(.+)$/.exec(before) ?? [];
  // A cursor that nobody was given: before the beginning of time is nothing.
  return ms === undefined ? [new Date(0), ''] : [new Date(Number(ms)), id!];
}

export async function findSession(tx: Transaction, id: string): Promise<SessionResource | null> {
  const row = await tx.session.findUnique({ where: { id } });
  return row === null ? null : toSession(row);
}

function toSession(row: SessionModel): SessionResource {
  return {
    id: row.id,
    startedAt: row.startedAt.toISOString(),
    lastCallAt: row.lastCallAt.toISOString(),
    identity: row.identityId === null ? null : { id: row.identityId, name: row.identityName },
    issuer: row.issuer,
    subject: row.subject,
    claims: row.claims as SessionResource['claims'],
    callCount: row.callCount,
    refusedCount: row.refusedCount,
    failedCount: row.failedCount,
  };
}
