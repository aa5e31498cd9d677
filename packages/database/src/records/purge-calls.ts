import { durationSeconds, newId } from '@hoop/contract';

import { insertAuditEvent } from '../audit-event/store.ts';
import type { Transaction } from '../database.ts';
import { Prisma } from '../generated/client.ts';
import { freezeHolds } from '../legal-hold/store.ts';
import { readRetention, retentionOfConnections } from '../retention/store.ts';

export interface RetentionRule {
  /** Null: calls for which no connection was found. */
  readonly connectionId: string | null;
  readonly connectionName: string | null;
  readonly seconds: number;
}

/**
 * How long each connection's calls are kept, for every connection that has some: also those that are deleted by now.
 * A connection's own retention, but never longer than the global maximum.
 */
export async function retentionRules(tx: Transaction): Promise<RetentionRule[]> {
  const { unattributed, maximum } = await readRetention(tx);
  const limit = maximum === null ? Number.POSITIVE_INFINITY : durationSeconds(maximum);
  const secondsOf = (retention: string): number => Math.min(durationSeconds(retention), limit);
  // A step from one connection's first call to the next one's, along the index; not a scan of all calls.
  const rows = await tx.$queryRaw<{ id: string; name: string | null }[]>`
    WITH RECURSIVE recorded AS (
      SELECT min(connection_id) AS id FROM calls
      UNION ALL
      SELECT (SELECT min(c.connection_id) FROM calls c WHERE c.connection_id > recorded.id) FROM recorded WHERE recorded.id IS NOT NULL
    )
    SELECT recorded.id, name FROM recorded LEFT JOIN connections USING (id) WHERE recorded.id IS NOT NULL`;
  const retentions = await retentionOfConnections(
    tx,
    rows.map((row) => row.id),
  );
  // A connection that cannot be trusted says nothing of how long its calls are kept: they are.
  const rules: RetentionRule[] = rows
    .filter((row) => retentions.get(row.id) !== 'untrusted')
    .map((row) => ({ connectionId: row.id, connectionName: row.name, seconds: secondsOf(retentions.get(row.id) ?? unattributed) }));
  return [...rules, { connectionId: null, connectionName: null, seconds: secondsOf(unattributed) }];
}

export interface PurgeResult {
  readonly purged: number;
  /** False: there may be more that is due. */
  readonly isDone: boolean;
}

/**
 * Removes the content of calls of one connection that began more than `rule.seconds` before `now`: bodies with their
 * data keys, headers, URL, context, claims, addresses. What stays is that the call took place: who, when, which
 * connection and rule, with which result, sizes and keyed digests; and its leaf in the log, followed by one of what
 * stays. At most `limit` calls, in the transaction of its audit event. A call that is pending, or waits
 * for its leaf, is left until it is not; what is under a legal hold is left until the hold is lifted.
 */
export async function purgeCalls(tx: Transaction, rule: RetentionRule, now: number, limit = 500): Promise<PurgeResult> {
  const before = new Date(now - rule.seconds * 1000);
  const key = rule.connectionId ?? '';
  const held = await freezeHolds(tx);
  if (held.connections.includes(key)) return { purged: 0, isDone: true };
  await tx.$executeRaw`INSERT INTO retention_state (connection_id, purged_below) VALUES (${key}, '') ON CONFLICT DO NOTHING`;
  const [state] = await tx.$queryRaw<{ from: string; to: string }[]>`
    SELECT purged_below AS "from", id_floor('call', ${before}) AS "to" FROM retention_state WHERE connection_id = ${key} FOR UPDATE`;
  const ofConnection = rule.connectionId === null ? Prisma.sql`connection_id IS NULL` : Prisma.sql`connection_id = ${rule.connectionId}`;
  const due = await tx.$queryRaw<{ id: string; is_blocked: boolean }[]>`
    SELECT id, state = 'pending' OR EXISTS (SELECT 1 FROM log_pending WHERE kind = 'call' AND ref_id = calls.id) AS is_blocked
      FROM calls
     WHERE ${ofConnection} AND id >= ${state!.from} AND id < ${state!.to} AND purged_at IS NULL
       AND session_id <> ALL(${held.sessions}::text[]) AND (identity_id IS NULL OR identity_id <> ALL(${held.identities}::text[]))
     ORDER BY id LIMIT ${limit} FOR UPDATE`;
  const ids = due.filter((call) => !call.is_blocked).map((call) => call.id);
  const firstBlocked = due.find((call) => call.is_blocked)?.id;
  const isDone = due.length < limit;
  const reached = firstBlocked ?? (isDone ? state!.to : due.at(-1)!.id);
  if (reached > state!.from) await tx.$executeRaw`UPDATE retention_state SET purged_below = ${reached} WHERE connection_id = ${key}`;
  if (ids.length === 0) return { purged: 0, isDone: true };
  await removeContent(tx, ids, now);
  await tx.$executeRaw`INSERT INTO log_pending (kind, ref_id) SELECT 'call', id FROM unnest(${ids}::text[]) AS r(id)`;
  await insertAuditEvent(tx, {
    id: newId('audit_event', now),
    at: new Date(now),
    actor: { id: 'system', name: 'retention', role: 'system' },
    action: 'call.purge',
    target: { type: 'connection', id: key === '' ? 'none' : key, name: rule.connectionName },
    change: { after: { purged: ids.length, first: ids[0], last: ids.at(-1), olderThan: before.toISOString() } },
    requestId: newId('request', now),
    remote: '',
  });
  return { purged: ids.length, isDone };
}

async function removeContent(tx: Transaction, ids: readonly string[], now: number): Promise<void> {
  await tx.$executeRaw`DELETE FROM call_bodies WHERE call_id = ANY(${ids}::text[])`;
  const keys = await tx.$queryRaw<{ data_key_id: string; session_id: string }[]>`
    UPDATE calls SET purged_at = ${new Date(now)}, data_key_id = NULL, claims = NULL, context = NULL, url = NULL, path = NULL,
           request_headers = NULL, response_headers = NULL, error_detail = NULL, remote_address = NULL, target_address = NULL
      FROM (SELECT id, data_key_id FROM calls WHERE id = ANY(${ids}::text[])) AS before
     WHERE calls.id = before.id
    RETURNING before.data_key_id, calls.session_id`;
  // A session has the claims of its first call: they go with the last content.
  await tx.$executeRaw`
    UPDATE sessions SET claims = NULL
     WHERE id = ANY(${[...new Set(keys.map((row) => row.session_id))]}::text[]) AND claims IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM calls WHERE session_id = sessions.id AND purged_at IS NULL)`;
  const held = keys.filter((row) => row.data_key_id !== null);
  if (held.length === 0) return;
  // A key whose last body is gone opens nothing that should still exist, copies in backups included.
  await tx.$executeRaw`
    DELETE FROM data_keys
     WHERE id = ANY(${[...new Set(held.map((row) => row.data_key_id))]}::text[])
       AND NOT EXISTS (SELECT 1 FROM calls WHERE session_id = ANY(${[...new Set(held.map((row) => row.session_id))]}::text[]) AND data_key_id = data_keys.id)`;
}

/** Makes the partitions of this and the coming months, where they are not there yet. */
export async function ensurePartitions(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT ensure_record_partitions()`;
}
