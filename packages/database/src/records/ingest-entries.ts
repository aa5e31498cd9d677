import { hash } from 'node:crypto';

import type { RecordEntry } from '@hoop/contract';

import { binaryArray } from '../binary-array.ts';
import type { ArrayElement } from '../binary-array.ts';
import { storedBlob } from './blob-reference.ts';
import { notifyCallChanges } from './call-changes.ts';
import { enqueueForLog, leavesOf } from './call-leaves.ts';
import type { InsertedBodies } from './call-leaves.ts';
import { instant, toNewCall } from './call-row.ts';
import { dataKeyHashes } from './data-key-hashes.ts';
import { enqueueAlerts } from './enqueue-alerts.ts';
import type { IngestClient } from './ingest-client.ts';
import { jsonForPostgres, textForPostgres } from './json-for-postgres.ts';
import { mergeEntries } from './merge-entries.ts';
import type { CallRecord } from './merge-entries.ts';
import { upsertCalls } from './upsert-calls.ts';
import type { Change } from './upsert-calls.ts';

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
  const keys = await lookUpDataKeys(client, calls);
  const claims = await claimsOfGrants(client, calls);
  const rows = calls.map((call) => toNewCall(call, claimsOf(call, claims)));
  const changes = await upsertCalls(client, rows);
  const changed = new Map(changes.map((change) => [change.id, change]));
  const bodies = await insertBodies(
    client,
    calls.filter((call) => isConcludedNow(changed.get(call.callId))),
  );
  const recordedAt = await recordingInstant(client);
  const leaves = leavesOf(rows, changed, { ...bodies, keyHashes: keys.hashes, recordedAt });
  await enqueueAlerts(client, changes);
  await lookAgainAt(client, calls);
  // Last what transactions of other calls wait for: a session and its key are those of many.
  const areKeysKnown = await insertDataKeys(client, keys);
  await enqueueForLog(client, areKeysKnown ? leaves : leaves.map((leaf) => ({ ...leaf, digest: null })));
  await countInSessions(client, calls, changed, claims);
  await notifyCallChanges(
    client,
    changes.map((change) => change.id),
  );
  return { calls: calls.length, written: changes.length };
}

/** What rows that this transaction inserts have in `recorded_at`. */
async function recordingInstant(client: IngestClient): Promise<Date> {
  const { rows } = await client.query<{ at: Date }>({ name: 'records-instant', text: 'SELECT CURRENT_TIMESTAMP::timestamptz(3) AS at' });
  return rows[0]!.at;
}

const stateBefore = (change: Change): string | null => change.previous?.replace('?', '') ?? null;
const isConcludedNow = (change: Change | undefined): boolean =>
  change !== undefined && change.state !== 'pending' && stateBefore(change) !== change.state;

interface DataKeys {
  /** SHA-256 (hex) of each as it is stored, or will be, by id. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Those that are not there yet. */
  readonly missing: readonly { readonly id: string; readonly sessionId: string; readonly wrapped: string }[];
}

async function lookUpDataKeys(client: IngestClient, calls: readonly CallRecord[]): Promise<DataKeys> {
  const keys = new Map<string, DataKeys['missing'][number]>();
  for (const { outcome, sessionId } of calls) {
    if (!outcome?.dataKey) continue;
    const id = textForPostgres(outcome.dataKey.id);
    keys.set(id, { id, sessionId: textForPostgres(sessionId), wrapped: textForPostgres(outcome.dataKey.wrapped.toWellFormed()) });
  }
  if (keys.size === 0) return { hashes: new Map(), missing: [] };
  const hashes = new Map(await dataKeyHashes(client, [...keys.keys()]));
  const missing = [...keys.values()].filter(({ id }) => !hashes.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const { id, wrapped } of missing) hashes.set(id, hash('sha256', wrapped, 'hex'));
  return { hashes, missing };
}

/** A key that another transaction has inserted meanwhile stays as it is. Returns whether all are as `lookUpDataKeys` said. */
async function insertDataKeys(client: IngestClient, { hashes, missing }: DataKeys): Promise<boolean> {
  if (missing.length === 0) return true;
  const columnOf = (member: keyof DataKeys['missing'][number]): Buffer =>
    binaryArray(
      'text',
      missing.map((key) => key[member]),
    );
  const { rowCount } = await client.query({
    name: 'records-data-keys',
    text: `INSERT INTO data_keys (id, session_id, wrapped) SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT (id) DO NOTHING`,
    values: [columnOf('id'), columnOf('sessionId'), columnOf('wrapped')],
  });
  if (rowCount === missing.length) return true;
  const stored = await dataKeyHashes(
    client,
    missing.map(({ id }) => id),
  );
  return missing.every(({ id }) => stored.get(id) === hashes.get(id));
}

/** Claims by grant: the relay tells those that a grant carries; the exchange recorded all that the token had. */
async function claimsOfGrants(client: IngestClient, calls: readonly CallRecord[]): Promise<ReadonlyMap<string, unknown>> {
  const ids = new Set<string>();
  for (const { head } of calls) if (head?.claims != null && head.subject.grantId !== null) ids.add(head.subject.grantId);
  if (ids.size === 0) return new Map();
  const { rows } = await client.query<{ id: string; claims: unknown }>({
    name: 'records-claims',
    text: 'SELECT id, claims FROM grants WHERE id = ANY($1::text[])',
    values: [[...ids].map(textForPostgres)],
  });
  return new Map(rows.map((row) => [row.id, row.claims]));
}

const claimsOf = ({ head }: CallRecord, known: ReadonlyMap<string, unknown>): unknown =>
  head?.claims == null ? null : (known.get(head.subject.grantId ?? '') ?? head.claims);

async function insertBodies(client: IngestClient, calls: readonly CallRecord[]): Promise<InsertedBodies> {
  const hashes = new Map<string, string>();
  const rows: { callId: string; side: string; sealed: Buffer | null; blob: string | null; hash: Buffer | null }[] = [];
  for (const { callId, outcome } of calls) {
    for (const [side, body] of [
      ['request', outcome?.requestBody],
      ['response', outcome?.responseBody],
    ] as const) {
      if (body?.sealed == null) continue;
      const stored = storedBlob(body.sealed, callId, side);
      const sealed = stored === null ? Buffer.from(body.sealed, 'base64') : null;
      rows.push({ callId, side, sealed, blob: stored?.blob ?? null, hash: stored === null ? null : Buffer.from(stored.hash, 'hex') });
      hashes.set(`${callId}:${side}`, stored?.hash ?? hash('sha256', sealed!, 'hex'));
    }
  }
  if (rows.length === 0) return { hashes, areNew: true };
  const columnOf = (member: keyof (typeof rows)[number], type: ArrayElement): Buffer =>
    binaryArray(
      type,
      rows.map((row) => row[member]),
    );
  const { rowCount } = await client.query({
    name: 'records-bodies',
    text: `INSERT INTO call_bodies (call_id, side, sealed, blob, hash)
           SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bytea[])
           ON CONFLICT (call_id, side) DO NOTHING`,
    values: [
      columnOf('callId', 'text'),
      columnOf('side', 'text'),
      columnOf('sealed', 'bytea'),
      columnOf('blob', 'text'),
      columnOf('hash', 'bytea'),
    ],
  });
  return { hashes, areNew: rowCount === rows.length };
}

interface SessionRow {
  id: string;
  first: number;
  last: number;
  call: CallRecord;
  claims: unknown;
  calls: number;
  refused: number;
  failed: number;
}

const kinds = { refused: ['refused'], failed: ['failed', 'aborted', 'unknown'] } as const;
const isKind = (kind: keyof typeof kinds, state: string | null): number =>
  (kinds[kind] as readonly (string | null)[]).includes(state) ? 1 : 0;

/** Adds exactly what changed: a call that is written again adds nothing. */
async function countInSessions(
  client: IngestClient,
  calls: readonly CallRecord[],
  changed: ReadonlyMap<string, Change>,
  claims: ReadonlyMap<string, unknown>,
): Promise<void> {
  const sessions = new Map<string, SessionRow>();
  for (const call of calls) {
    const change = changed.get(call.callId);
    if (!change) continue;
    const at = (call.head ?? call.outcome!).at;
    let row = sessions.get(call.sessionId);
    if (!row)
      sessions.set(
        call.sessionId,
        (row = { id: call.sessionId, first: at, last: at, call, claims: null, calls: 0, refused: 0, failed: 0 }),
      );
    row.first = Math.min(row.first, at);
    row.last = Math.max(row.last, at);
    if (!row.call.head?.subject.identityId && call.head?.subject.identityId) row.call = call;
    row.claims ??= claimsOf(call, claims);
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
           SELECT id, started_at, last_call_at, identity_id, identity_name, issuer, subject, claims, calls, refused, failed
             FROM json_to_recordset($1::json) AS r(id text, started_at timestamptz, last_call_at timestamptz, identity_id text, identity_name text,
                  issuer text, subject text, claims jsonb, calls integer, refused integer, failed integer)
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
