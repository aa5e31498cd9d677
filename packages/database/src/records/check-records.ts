/** Whether calls, bodies, data keys, sessions, retention and the log still fit together; and repair of what can be. */
import { newId } from '@hoop/contract';
import type pg from 'pg';

import { signedAuditEvent } from '../audit-event/store.ts';
import { readLoggedRecords } from '../log/logged-records.ts';
import type { RowGuard } from '../row-signatures/guard.ts';
import type { IngestClient } from './ingest-client.ts';
import { withTransaction } from './transaction.ts';

export type RecordFindingKind =
  | 'body_without_call'
  | 'body_of_purged_call'
  | 'key_without_call'
  | 'session_counters'
  | 'session_missing'
  | 'retention_passed'
  | 'not_logged'
  | 'body_missing'
  | 'key_missing'
  | 'digest_mismatch'
  | 'row_not_authentic'
  | 'row_set_back'
  | 'row_missing'
  | 'row_not_in_trail'
  | 'event_not_logged'
  | 'record_missing'
  | 'log_changed';

export interface RecordFinding {
  readonly kind: RecordFindingKind;
  /** Of the call, data key, session, row, audit event or part of the log. */
  readonly id: string;
  /** A full sentence. */
  readonly detail: string;
  readonly repaired: boolean;
}

export interface RecordCheck {
  /** Calls, rows, events or leaves that were looked at. */
  readonly checked: number;
  readonly findings: RecordFinding[];
  /** `after` for the next part; null: that was the last. */
  readonly next: string | null;
}

export interface CheckOptions {
  /** Look at calls after this id. */
  readonly after: string;
  readonly limit: number;
  readonly repair: boolean;
  /** Signs the audit event of what was repaired. */
  readonly guard: RowGuard;
}

interface Part {
  readonly client: IngestClient;
  readonly after: string;
  /** The last call of this part; of the last part, what sorts after every id. */
  readonly to: string;
  /** Those that begin in this part: the others were looked at before. */
  readonly sessions: readonly string[];
  readonly repair: boolean;
}

const afterEveryId = '~';

/**
 * Checks one part, in one transaction. Each question is one statement, so that what is being written at the moment is
 * seen whole or not at all; what is not there is asked for again before it is repaired.
 */
export function checkRecords(pool: pg.Pool, { after, limit, repair, guard }: CheckOptions): Promise<RecordCheck> {
  return withTransaction(pool, async (client) => {
    const { rows } = await client.query<{ id: string; session_id: string }>(
      'SELECT id, session_id FROM calls WHERE id > $1 ORDER BY id LIMIT $2',
      [after, limit],
    );
    const isLast = rows.length < limit;
    const begun = await client.query<{ id: string }>(
      'SELECT id FROM unnest($1::text[]) AS r(id) WHERE NOT EXISTS (SELECT 1 FROM calls c WHERE c.session_id = r.id AND c.id <= $2)',
      [[...new Set(rows.map((row) => row.session_id))], after],
    );
    const part: Part = { client, after, to: isLast ? afterEveryId : rows.at(-1)!.id, sessions: begun.rows.map((row) => row.id), repair };
    const findings: RecordFinding[] = [];
    for (const check of [bodies, missingContent, notLogged, digests, retention, sessions, keys]) findings.push(...(await check(part)));
    if (isLast) findings.push(...(await strayKeys(part)));
    await auditRepairs(client, findings, guard);
    return { checked: rows.length, findings, next: isLast ? null : rows.at(-1)!.id };
  });
}

const finding = (kind: RecordFindingKind, id: string, detail: string, repaired = false): RecordFinding => ({ kind, id, detail, repaired });

async function bodies({ client, after, to, repair }: Part): Promise<RecordFinding[]> {
  const stray = `FROM call_bodies b WHERE b.call_id > $1 AND b.call_id <= $2 AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.id = b.call_id AND c.purged_at IS NULL)`;
  const what = `b.call_id, b.side, EXISTS (SELECT 1 FROM calls c WHERE c.id = b.call_id) AS has_call`;
  const { rows } = await client.query<{ call_id: string; side: string; has_call: boolean }>(
    repair ? `DELETE ${stray} RETURNING ${what}` : `SELECT ${what} ${stray}`,
    [after, to],
  );
  return rows.map((row) =>
    row.has_call
      ? finding(
          'body_of_purged_call',
          row.call_id,
          `The ${row.side} body of ${row.call_id} was still there after retention had removed its content.`,
          repair,
        )
      : finding('body_without_call', row.call_id, `There is a ${row.side} body of ${row.call_id}, and no such call.`, repair),
  );
}

async function missingContent({ client, after, to }: Part): Promise<RecordFinding[]> {
  const { rows } = await client.query<{ id: string; side: string; has_body: boolean }>(
    `SELECT c.id, s.side, b.call_id IS NOT NULL AS has_body
       FROM calls c
       CROSS JOIN LATERAL (VALUES ('request', c.request_body), ('response', c.response_body)) AS s(side, facts)
       LEFT JOIN call_bodies b ON b.call_id = c.id AND b.side = s.side
       LEFT JOIN data_keys k ON k.id = c.data_key_id
      WHERE c.id > $1 AND c.id <= $2 AND c.purged_at IS NULL
        AND ((s.facts->>'keptBytes')::bigint > 0 AND b.call_id IS NULL OR b.call_id IS NOT NULL AND k.id IS NULL)`,
    [after, to],
  );
  return rows.map(({ id, side, has_body }) =>
    has_body
      ? finding('key_missing', id, `The data key of ${id} is gone: its ${side} body cannot be opened.`)
      : finding('body_missing', id, `The ${side} body of ${id} is gone, and retention did not remove it.`),
  );
}

/** Concluded a minute ago, and neither in the log nor on its way. */
async function notLogged({ client, after, to, repair }: Part): Promise<RecordFinding[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM calls c WHERE c.id > $1 AND c.id <= $2 AND c.has_head AND c.state <> 'pending' AND c.recorded_at < now() - interval '1 minute'
        AND NOT EXISTS (SELECT 1 FROM log_leaves l WHERE l.ref_id = c.id) AND NOT EXISTS (SELECT 1 FROM log_pending p WHERE p.ref_id = c.id)`,
    [after, to],
  );
  if (repair && rows.length > 0)
    await client.query(`INSERT INTO log_pending (kind, ref_id) SELECT 'call', id FROM unnest($1::text[]) AS r(id)`, [
      rows.map((row) => row.id),
    ]);
  return rows.map(({ id }) => finding('not_logged', id, `${id} is concluded and was never handed to the log.`, repair));
}

/** Calls that are not what the log says that they were. Those that wait for a further leaf are left for the next time. */
async function digests({ client, after, to }: Part): Promise<RecordFinding[]> {
  const { rows } = await client.query<{ id: string; kind: string; digest: Buffer }>(
    `SELECT DISTINCT ON (c.id) c.id, l.kind, l.digest FROM calls c JOIN log_leaves l ON l.ref_id = c.id
      WHERE c.id > $1 AND c.id <= $2 AND NOT EXISTS (SELECT 1 FROM log_pending p WHERE p.ref_id = c.id)
      ORDER BY c.id, l.index DESC`,
    [after, to],
  );
  const records = await readLoggedRecords(client, { calls: rows.map((row) => row.id), auditEvents: [] });
  const findings: RecordFinding[] = [];
  for (const { id, kind, digest } of rows) {
    const record = records.get(id);
    if (record !== undefined && record.kind === kind && digest.equals(record.digest)) continue;
    if (await isOnItsWay(client, id)) continue;
    findings.push(finding('digest_mismatch', id, `${id} is not what was signed: its row, a body or its data key was changed.`));
  }
  return findings;
}

/** It may have been written between two of our statements. */
async function isOnItsWay(client: IngestClient, id: string): Promise<boolean> {
  const { rows } = await client.query(
    "SELECT 1 FROM log_pending WHERE ref_id = $1 UNION ALL SELECT 1 FROM log_leaves WHERE ref_id = $1 AND at > now() - interval '5 seconds' LIMIT 1",
    [id],
  );
  return rows.length > 0;
}

/** Calls that retention believes to have purged. */
async function retention({ client, after, to, repair }: Part): Promise<RecordFinding[]> {
  const { rows } = await client.query<{ connection_id: string; first: string }>(
    `SELECT r.connection_id, min(c.id) AS first FROM calls c JOIN retention_state r ON r.connection_id = COALESCE(c.connection_id, '')
      WHERE c.id > $1 AND c.id <= $2 AND c.purged_at IS NULL AND c.id < r.purged_below
        AND NOT EXISTS (SELECT 1 FROM legal_holds h WHERE h.lifted_at IS NULL
              AND (h.kind, h.subject_id) IN (('session', c.session_id), ('connection', c.connection_id), ('identity', c.identity_id)))
      GROUP BY r.connection_id`,
    [after, to],
  );
  for (const row of repair ? rows : []) {
    await client.query('UPDATE retention_state SET purged_below = LEAST(purged_below, $2) WHERE connection_id = $1', [
      row.connection_id,
      row.first,
    ]);
  }
  return rows.map(({ first }) =>
    finding('retention_passed', first, `Retention passed over ${first} without removing its content.`, repair),
  );
}

interface Counted {
  readonly id: string;
  readonly call_count: number;
  readonly refused_count: number;
  readonly failed_count: number;
}

async function sessions({ client, sessions: ids, repair }: Part): Promise<RecordFinding[]> {
  const { rows: missing } = await client.query<{ id: string }>(
    'SELECT id FROM unnest($1::text[]) AS r(id) WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = r.id)',
    [ids],
  );
  const count = `
    SELECT s.id, n.call_count, n.refused_count, n.failed_count
      FROM sessions s
      CROSS JOIN LATERAL (SELECT count(*)::integer AS call_count, (count(*) FILTER (WHERE state = 'refused'))::integer AS refused_count,
             (count(*) FILTER (WHERE state IN ('failed', 'aborted', 'unknown')))::integer AS failed_count FROM calls c WHERE c.session_id = s.id) AS n
     WHERE s.id = ANY($1::text[]) AND (s.call_count, s.refused_count, s.failed_count) <> (n.call_count, n.refused_count, n.failed_count)`;
  let { rows: wrong } = await client.query<Counted>(count, [ids]);
  if (repair && wrong.length > 0) {
    // With the rows locked nobody adds to them; what was added meanwhile is counted.
    await client.query('SELECT id FROM sessions WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE', [wrong.map((row) => row.id)]);
    ({ rows: wrong } = await client.query<Counted>(count, [wrong.map((row) => row.id)]));
    for (const row of wrong) {
      await client.query('UPDATE sessions SET call_count = $2, refused_count = $3, failed_count = $4 WHERE id = $1', [
        row.id,
        row.call_count,
        row.refused_count,
        row.failed_count,
      ]);
    }
  }
  return [
    ...missing.map(({ id }) => finding('session_missing', id, `There are calls of ${id}, and no such session.`)),
    ...wrong.map(({ id, call_count }) =>
      finding('session_counters', id, `The counters of ${id} did not agree with its ${call_count} calls.`, repair),
    ),
  ];
}

const removeKeys = async ({ client, repair }: Part, condition: string, values: unknown[]): Promise<RecordFinding[]> => {
  // Keys come with the call that they are of, in one transaction; the hour is for clocks and for what a reader has in hand.
  const stray = `FROM data_keys k WHERE ${condition} AND k.created_at < now() - interval '1 hour'`;
  const { rows } = await client.query<{ id: string }>(repair ? `DELETE ${stray} RETURNING k.id` : `SELECT k.id ${stray}`, values);
  return rows.map(({ id }) => finding('key_without_call', id, `The data key ${id} opens nothing that is there.`, repair));
};

const keys = (part: Part): Promise<RecordFinding[]> =>
  removeKeys(
    part,
    'k.session_id = ANY($1::text[]) AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.session_id = k.session_id AND c.data_key_id = k.id)',
    [part.sessions],
  );

const strayKeys = (part: Part): Promise<RecordFinding[]> =>
  removeKeys(part, 'NOT EXISTS (SELECT 1 FROM calls c WHERE c.session_id = k.session_id)', []);

/** Repairs remove and rewrite: they have an audit event like a purge, in their own transaction. */
async function auditRepairs(client: IngestClient, findings: readonly RecordFinding[], guard: RowGuard): Promise<void> {
  const repaired = findings.filter((one) => one.repaired);
  if (repaired.length === 0) return;
  const counts: Record<string, number> = {};
  for (const { kind } of repaired) counts[kind] = (counts[kind] ?? 0) + 1;
  const after = { repaired: counts, ids: [...new Set(repaired.map((one) => one.id))].slice(0, 100) };
  const event = {
    id: newId('audit_event'),
    at: new Date(),
    actor: { id: 'system', name: 'record check', role: 'system' },
    action: 'records.repair',
    target: { type: 'records', id: 'records', name: null },
    change: { after },
    requestId: newId('request'),
    remote: '',
  };
  const row = signedAuditEvent(guard, event, []);
  await client.query(
    `INSERT INTO audit_events (id, at, actor_id, actor_name, actor_role, action, target_type, target_id, change, request_id, remote, signature)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      row.id,
      row.at,
      row.actorId,
      row.actorName,
      row.actorRole,
      row.action,
      row.targetType,
      row.targetId,
      JSON.stringify(row.change),
      row.requestId,
      row.remote,
      row.signature,
    ],
  );
}

/** Where the worker's check goes on. */
export async function readCheckState(client: IngestClient): Promise<string> {
  const { rows } = await client.query<{ after: string }>('SELECT after FROM record_check_state WHERE id = 1');
  return rows[0]?.after ?? '';
}

/** @param next as `RecordCheck.next` */
export async function writeCheckState(client: IngestClient, next: string | null): Promise<void> {
  await client.query('UPDATE record_check_state SET after = $1, ended = CASE WHEN $2 THEN now() ELSE ended END WHERE id = 1', [
    next ?? '',
    next === null,
  ]);
}
