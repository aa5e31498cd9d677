import type { RecordEntry } from '@hoop/contract';

import { storedBlob } from './blob-reference.ts';
import { notifyCallChanges } from './call-changes.ts';
import { headColumns, instant, outcomeColumns, toCallRow } from './call-row.ts';
import { mergeEntries } from './merge-entries.ts';
import type { CallRecord } from './merge-entries.ts';
import { enqueueAlerts } from './enqueue-alerts.ts';
import type { AlertFacts } from './enqueue-alerts.ts';
import type { IngestClient } from './ingest-client.ts';
import { jsonForPostgres } from './json-for-postgres.ts';

export interface IngestResult {
  /** Calls that the entries speak of. */
  readonly calls: number;
  /** Calls whose row was inserted or changed; the others were known already. */
  readonly written: number;
}

/**
 * Writes entries of the record: calls, bodies, data keys and the counters of sessions, and hands concluded calls to the
 * log. Entries may come in any order, any number of times and in any batches: an outcome before its intent, both at
 * once, or again. `unknown` never replaces a real outcome; a real one replaces `unknown`; a second real one changes
 * nothing. A handful of statements, however many entries.
 */
export async function ingestEntries(client: IngestClient, entries: readonly RecordEntry[]): Promise<IngestResult> {
  const calls = mergeEntries(entries);
  if (calls.length === 0) return { calls: 0, written: 0 };
  await insertDataKeys(client, calls);
  const changes = await upsertCalls(client, calls);
  const changed = new Map(changes.map((change) => [change.id, change]));
  await insertBodies(
    client,
    calls.filter((call) => isConcludedNow(changed.get(call.callId))),
  );
  await countInSessions(client, calls, changed);
  await enqueueForLog(client, changes);
  await enqueueAlerts(client, changes);
  await lookAgainAt(client, calls);
  await notifyCallChanges(
    client,
    changes.map((change) => change.id),
  );
  return { calls: calls.length, written: changes.length };
}

/** The effect of a write on a call. */
interface Change extends AlertFacts {
  /** See `Call.previous` in the schema. */
  readonly previous: string | null;
}

const stateBefore = (change: Change): string | null => change.previous?.replace('?', '') ?? null;
const isConcludedNow = (change: Change | undefined): boolean =>
  change !== undefined && change.state !== 'pending' && stateBefore(change) !== change.state;

async function insertDataKeys(client: IngestClient, calls: readonly CallRecord[]): Promise<void> {
  const keys = new Map<string, { id: string; session_id: string; wrapped: string }>();
  for (const { outcome, sessionId } of calls)
    if (outcome?.dataKey) keys.set(outcome.dataKey.id, { session_id: sessionId, ...outcome.dataKey });
  if (keys.size === 0) return;
  const rows = [...keys.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  await client.query({
    name: 'records-data-keys',
    text: `INSERT INTO data_keys (id, session_id, wrapped)
           SELECT id, session_id, wrapped FROM json_to_recordset($1::json) AS r(id text, session_id text, wrapped text)
           ON CONFLICT (id) DO NOTHING`,
    values: [jsonForPostgres(rows)],
  });
}

const columns = {
  id: 'text',
  session_id: 'text',
  at: 'timestamptz',
  state: 'text',
  has_head: 'boolean',
  ...headColumns,
  ...outcomeColumns,
};
const names = Object.keys(columns);
/** True where the stored row has no real outcome yet, and the new one brings an outcome that says more. */
const concludes = `(calls.state = 'pending' AND excluded.state <> 'pending' OR calls.state = 'unknown' AND excluded.state NOT IN ('pending', 'unknown'))`;
const completes = `(NOT calls.has_head AND excluded.has_head)`;

/** The relay tells the claims that a grant carries; the exchange recorded all that the token had. */
const allClaims = `CASE WHEN claims IS NOT NULL THEN COALESCE((SELECT g.claims FROM grants g WHERE g.id = grant_id), claims) END`;

const upsert = `
  INSERT INTO calls (${names.join(', ')})
  SELECT ${names.map((name) => (name === 'claims' ? allClaims : name)).join(', ')} FROM json_to_recordset($1::json) AS r(${Object.entries(
    columns,
  )
    .map(([name, type]) => `${name} ${type}`)
    .join(', ')})
  ON CONFLICT (id) DO UPDATE SET
    previous = calls.state || CASE WHEN calls.has_head THEN '' ELSE '?' END,
    has_head = calls.has_head OR excluded.has_head,
    at = CASE WHEN ${completes} THEN excluded.at ELSE calls.at END,
    state = CASE WHEN ${concludes} THEN excluded.state ELSE calls.state END,
    ${Object.keys(headColumns)
      .map((name) => `${name} = CASE WHEN ${completes} THEN excluded.${name} ELSE calls.${name} END`)
      .join(', ')},
    ${Object.keys(outcomeColumns)
      .map((name) => `${name} = CASE WHEN ${concludes} THEN excluded.${name} ELSE calls.${name} END`)
      .join(', ')}
  WHERE calls.purged_at IS NULL AND (${concludes} OR ${completes})
  RETURNING id, state, has_head, previous, connection_id, lease_fingerprint, credential_reflected`;

async function upsertCalls(client: IngestClient, calls: readonly CallRecord[]): Promise<Change[]> {
  const { rows } = await client.query<Change>({ name: 'records-calls', text: upsert, values: [jsonForPostgres(calls.map(toCallRow))] });
  return rows;
}

async function insertBodies(client: IngestClient, calls: readonly CallRecord[]): Promise<void> {
  const rows: { call_id: string; side: string; at?: number; length?: number; blob?: string; hash?: string }[] = [];
  const contents: Buffer[] = [];
  let at = 1;
  for (const { callId, outcome } of calls) {
    for (const [side, body] of [
      ['request', outcome?.requestBody],
      ['response', outcome?.responseBody],
    ] as const) {
      if (body?.sealed == null) continue;
      const stored = storedBlob(body.sealed, callId, side);
      if (stored !== null) {
        rows.push({ call_id: callId, side, ...stored });
        continue;
      }
      const sealed = Buffer.from(body.sealed, 'base64');
      rows.push({ call_id: callId, side, at, length: sealed.length });
      contents.push(sealed);
      at += sealed.length;
    }
  }
  if (rows.length === 0) return;
  // All contents as one parameter, which travels as bytes; each row takes its part.
  await client.query({
    name: 'records-bodies',
    text: `INSERT INTO call_bodies (call_id, side, sealed, blob, hash)
           SELECT call_id, side, substring($2::bytea FROM at FOR length), blob, decode(hash, 'hex')
             FROM json_to_recordset($1::json) AS r(call_id text, side text, at integer, length integer, blob text, hash text)
           ON CONFLICT (call_id, side) DO NOTHING`,
    values: [JSON.stringify(rows), Buffer.concat(contents)],
  });
}

interface SessionRow {
  id: string;
  first: number;
  last: number;
  call: CallRecord;
  claims: unknown;
  /** Of the call that told the claims. */
  grant_id: string | null;
  calls: number;
  refused: number;
  failed: number;
}

const kinds = { refused: ['refused'], failed: ['failed', 'aborted', 'unknown'] } as const;
const isKind = (kind: keyof typeof kinds, state: string | null): number =>
  (kinds[kind] as readonly (string | null)[]).includes(state) ? 1 : 0;

/** Adds exactly what changed: a call that is written again adds nothing. */
async function countInSessions(client: IngestClient, calls: readonly CallRecord[], changed: ReadonlyMap<string, Change>): Promise<void> {
  const sessions = new Map<string, SessionRow>();
  for (const call of calls) {
    const change = changed.get(call.callId);
    if (!change) continue;
    const at = (call.head ?? call.outcome!).at;
    let row = sessions.get(call.sessionId);
    if (!row)
      sessions.set(
        call.sessionId,
        (row = { id: call.sessionId, first: at, last: at, call, claims: null, grant_id: null, calls: 0, refused: 0, failed: 0 }),
      );
    row.first = Math.min(row.first, at);
    row.last = Math.max(row.last, at);
    if (!row.call.head?.subject.identityId && call.head?.subject.identityId) row.call = call;
    if (row.claims === null && call.head?.claims != null) {
      row.claims = call.head.claims;
      row.grant_id = call.head.subject.grantId;
    }
    const before = stateBefore(change);
    row.calls += before === null ? 1 : 0;
    row.refused += isKind('refused', change.state) - isKind('refused', before);
    row.failed += isKind('failed', change.state) - isKind('failed', before);
  }
  if (sessions.size === 0) return;
  const rows = [...sessions.values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ call, first, last, ...row }) => {
      const subject = call.head?.subject;
      return {
        ...row,
        started_at: instant(first),
        last_call_at: instant(last),
        identity_id: subject?.identityId,
        identity_name: subject?.identityName,
        issuer: subject?.issuer,
        subject: subject?.subject,
      };
    });
  await client.query({
    name: 'records-sessions',
    text: `INSERT INTO sessions AS s (id, started_at, last_call_at, identity_id, identity_name, issuer, subject, claims, call_count, refused_count, failed_count)
           SELECT id, started_at, last_call_at, identity_id, identity_name, issuer, subject, ${allClaims}, calls, refused, failed
             FROM json_to_recordset($1::json) AS r(id text, started_at timestamptz, last_call_at timestamptz, identity_id text, identity_name text,
                  issuer text, subject text, claims jsonb, grant_id text, calls integer, refused integer, failed integer)
           ON CONFLICT (id) DO UPDATE SET
             started_at = LEAST(s.started_at, excluded.started_at),
             last_call_at = GREATEST(s.last_call_at, excluded.last_call_at),
             identity_id = COALESCE(s.identity_id, excluded.identity_id),
             identity_name = COALESCE(s.identity_name, excluded.identity_name),
             issuer = COALESCE(s.issuer, excluded.issuer),
             subject = COALESCE(s.subject, excluded.subject),
             claims = COALESCE(s.claims, excluded.claims),
             call_count = s.call_count + excluded.call_count,
             refused_count = s.refused_count + excluded.refused_count,
             failed_count = s.failed_count + excluded.failed_count`,
    values: [jsonForPostgres(rows)],
  });
}

/** A call is a leaf of the log once both halves are there, and once more where `unknown` turned out otherwise. */
async function enqueueForLog(client: IngestClient, changes: readonly Change[]): Promise<void> {
  const ids = changes.filter((change) => change.has_head && change.state !== 'pending').map((change) => change.id);
  if (ids.length === 0) return;
  await client.query({
    name: 'records-log',
    text: `INSERT INTO log_pending (kind, ref_id) SELECT 'call', id FROM unnest($1::text[]) AS r(id)`,
    values: [ids],
  });
}

/** Milliseconds. What arrives later than this may lie before the point that retention has reached. */
const lateMs = 3_600_000;

async function lookAgainAt(client: IngestClient, calls: readonly CallRecord[]): Promise<void> {
  const oldest = calls[0]!;
  if (Date.now() - (oldest.head ?? oldest.outcome!).at < lateMs) return;
  await client.query({
    name: 'records-retention',
    text: `UPDATE retention_state SET purged_below = LEAST(purged_below, $1 COLLATE "C")`,
    values: [oldest.callId],
  });
}
