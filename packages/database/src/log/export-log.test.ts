import { createHash } from 'node:crypto';

import { newId } from '@hoop/contract';
import type { RecordEntry } from '@hoop/contract';
import { generateLogKeys, logSigner, verifyLogExport } from '@hoop/recording';
import type { LogVerdict } from '@hoop/recording';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { sampleBody, sampleCall } from '../../test/sample-entries.ts';
import type { Database } from '../database.ts';
import { closeOrphans } from '../records/close-orphans.ts';
import { purgeCalls } from '../records/purge-calls.ts';
import { recordEntries } from '../records/record-entries.ts';
import { openLogExport } from './export-log.ts';
import { leavesOf } from './log.ts';
import { insertAuditEvent } from '../audit-event/store.ts';
import { guardOf } from '../row-signatures/index.ts';
import { sequenceLog } from './sequence-log.ts';
import type { SequenceResult } from './sequence-log.ts';
import { openSignedDatabase } from '../../test/row-keys.ts';

const signer = logSigner(generateLogKeys().privateJwks);

let database: TestDatabase;
let db: Database;
/** Somebody with the owner's rights. */
let owner: pg.Client;
let callIds: string[];
let auditId: string;

const sequence = (): Promise<SequenceResult> => sequenceLog(db.pool, { sign: signer.sign, guard: guardOf(db.prisma), now: Date.now() });
const record = (entries: RecordEntry[]): Promise<unknown> => recordEntries(db.pool, entries);

async function lines(): Promise<string[]> {
  const log = await openLogExport(db.pool, signer.verifierKey, null);
  const read: string[] = [];
  for await (const line of log!.lines) read.push(line);
  return read;
}
async function* bytesOf(text: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const line of text) yield Buffer.from(line);
}
const verify = async (): Promise<LogVerdict> => verifyLogExport(bytesOf(await lines()), { keys: [signer.verifierKey] });
const found = ({ findings }: LogVerdict): (readonly [string, string | null])[] => findings.map(({ kind, id }) => [kind, id]);

const auditEvent = (id: string) =>
  insertAuditEvent(db.prisma, {
    id,
    at: new Date(),
    actor: { id: 'tok_1', name: 'ops', role: 'admin' },
    action: 'connection.update',
    target: { type: 'connection', id: 'con_1', name: 'payments' },
    change: { after: { disabled: true } },
    requestId: 'req_1',
    remote: '127.0.0.1',
  });

beforeAll(async () => {
  database = await createTestDatabase();
  db = openSignedDatabase(database.url);
  owner = new pg.Client(database.url);
  await owner.connect();
  const calls = Array.from({ length: 30 }, () =>
    sampleCall({
      head: {
        claims: { sub: 'a', deep: { n: [1, 2.5] } },
        context: { ticket: 'OPS-1' },
        approvalId: newId('approval'),
        traceId: 'a'.repeat(32),
      },
      outcome: { requestBody: sampleBody(20), error: 'x', errorDetail: 'y' },
    }),
  );
  await record(calls.flatMap((call): RecordEntry[] => [call.intent, call.outcome]));
  callIds = calls.map((call) => call.outcome.callId);
  auditId = newId('audit_event');
  await auditEvent(auditId);
  await sequence();
});
afterAll(async () => {
  await owner?.end();
  await db?.close();
  await database?.drop();
});

describe('an export of the stored log', () => {
  it('verifies with the public key alone', async () => {
    const verdict = await verify();
    expect(verdict.findings).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, size: 31, intact: 31 });
  });

  it('is null before anything is sequenced, and gives its connection back', async () => {
    const empty = await createTestDatabase();
    const other = openSignedDatabase(empty.url, { maxConnections: 1 });
    try {
      for (let i = 0; i < 3; i++) expect(await openLogExport(other.pool, signer.verifierKey, null)).toBeNull();
      await other.prisma.auditEvent.count();
    } finally {
      await other.close();
      await empty.drop();
    }
  });

  it('gives its connection back when its reader goes away', async () => {
    const other = openSignedDatabase(database.url, { maxConnections: 1 });
    try {
      const log = await openLogExport(other.pool, signer.verifierKey, null);
      for await (const line of log!.lines) if (line.length > 0) break;
      expect(await other.prisma.call.count()).toBe(30);
    } finally {
      await other.close();
    }
  });
});

/** Runs `change` as the owner, without triggers, looks, and puts everything back. */
async function changed(table: string, key: Record<string, unknown>, column: string, expression: string): Promise<LogVerdict> {
  const where = Object.keys(key)
    .map((name, i) => `${name} = $${i + 1}`)
    .join(' AND ');
  const values = Object.values(key);
  await owner.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  const { rows } = await owner.query<Record<string, string>>(
    `UPDATE ${table} SET ${column} = ${expression} WHERE ${where} RETURNING ctid`,
    values,
  );
  expect(rows).toHaveLength(1);
  const verdict = await verify();
  return verdict;
}

describe('any change in Postgres behind the back of the log is found', () => {
  const columns = async (table: string): Promise<{ name: string; type: string }[]> =>
    (
      await owner.query<{ name: string; type: string }>(
        `SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_name = $1`,
        [table],
      )
    ).rows;
  const another: Record<string, (name: string) => string> = {
    text: (name) => `COALESCE(${name}, '') || 'x'`,
    jsonb: (name) => `COALESCE(${name}, 'null') || '[1]'`,
    integer: (name) => `COALESCE(${name}, 0) + 1`,
    boolean: (name) => `NOT COALESCE(${name}, false)`,
    'timestamp with time zone': (name) => `COALESCE(${name}, now()) + interval '1 millisecond'`,
  };

  it('in every column of a call', async () => {
    await owner.query('ALTER TABLE calls DROP CONSTRAINT calls_state');
    const id = callIds[3]!;
    for (const { name, type } of await columns('calls')) {
      await owner.query('BEGIN');
      await owner.query('CREATE TABLE saved AS SELECT * FROM calls WHERE id = $1', [id]);
      await owner.query('COMMIT');
      const verdict = await changed('calls', { id }, name, another[type]!(name));
      expect(verdict.ok, name).toBe(false);
      expect(
        found(verdict).map(([, of]) => of),
        name,
      ).toEqual([id]);
      await owner.query(`DELETE FROM calls WHERE id IN ($1, $1 || 'x')`, [id]);
      await owner.query('INSERT INTO calls SELECT * FROM saved');
      await owner.query('DROP TABLE saved');
      expect((await verify()).ok).toBe(true);
    }
  });

  it('in every column of an audit event', async () => {
    await owner.query('ALTER TABLE audit_events DISABLE TRIGGER USER');
    for (const { name, type } of await columns('audit_events')) {
      // The signature is over the others, and is checked with them wherever the event is read.
      if (name === 'signature') continue;
      await owner.query('CREATE TABLE saved AS SELECT * FROM audit_events WHERE id = $1', [auditId]);
      const verdict = await changed('audit_events', { id: auditId }, name, another[type]!(name));
      expect(found(verdict), name).toEqual([[name === 'id' ? 'removed' : 'changed', auditId]]);
      await owner.query(`DELETE FROM audit_events WHERE id IN ($1, $1 || 'x')`, [auditId]);
      await owner.query('INSERT INTO audit_events SELECT * FROM saved');
      await owner.query('DROP TABLE saved');
    }
    expect((await verify()).ok).toBe(true);
  });

  it('in any byte of a sealed body, in which body is which, and in a data key', async () => {
    const id = callIds[5]!;
    const { rows } = await owner.query<{ side: string; sealed: Buffer }>(
      'SELECT side, sealed FROM call_bodies WHERE call_id = $1 ORDER BY side',
      [id],
    );
    for (const { side, sealed } of rows) {
      for (const at of [0, 11, 12, sealed.length - 1]) {
        const other = Buffer.from(sealed);
        other[at]! ^= 0x80;
        await owner.query('UPDATE call_bodies SET sealed = $3 WHERE call_id = $1 AND side = $2', [id, side, other]);
        expect(found(await verify())).toEqual([['changed', id]]);
      }
      await owner.query('UPDATE call_bodies SET sealed = $3 WHERE call_id = $1 AND side = $2', [id, side, sealed]);
      await owner.query('DELETE FROM call_bodies WHERE call_id = $1 AND side = $2', [id, side]);
      expect(found(await verify())).toEqual([['changed', id]]);
      await owner.query('INSERT INTO call_bodies (call_id, side, sealed) VALUES ($1, $2, $3)', [id, side, sealed]);
    }
    await owner.query(
      `UPDATE call_bodies SET sealed = (SELECT b.sealed FROM call_bodies b WHERE b.call_id = $1 AND b.side <> call_bodies.side) WHERE call_id = $1`,
      [id],
    );
    expect(found(await verify())).toEqual([['changed', id]]);
    for (const { side, sealed } of rows)
      await owner.query('UPDATE call_bodies SET sealed = $3 WHERE call_id = $1 AND side = $2', [id, side, sealed]);

    const { rows: keys } = await owner.query<{ id: string; wrapped: string }>(
      'SELECT id, wrapped FROM data_keys WHERE id = (SELECT data_key_id FROM calls WHERE id = $1)',
      [id],
    );
    await owner.query(`UPDATE data_keys SET wrapped = wrapped || 'x' WHERE id = $1`, [keys[0]!.id]);
    expect(found(await verify())).toEqual([['changed', id]]);
    await owner.query('UPDATE data_keys SET wrapped = $2 WHERE id = $1', [keys[0]!.id, keys[0]!.wrapped]);
    expect((await verify()).ok).toBe(true);
  });

  it('in a body that lies in the blob store, in its row, and where it is gone', async () => {
    const id = callIds[6]!;
    const { rows } = await owner.query<{ sealed: Buffer }>(`SELECT sealed FROM call_bodies WHERE call_id = $1 AND side = 'response'`, [id]);
    const { sealed } = rows[0]!;
    const hash = createHash('sha256').update(sealed).digest();
    const key = `${id}.response.${hash.toString('hex')}`;
    const store = new Map<string, Buffer>([[key, sealed]]);
    const blobs = { get: async (name: string) => store.get(name) ?? null };
    const through = async (source: typeof blobs | null): Promise<unknown> => {
      const log = await openLogExport(db.pool, signer.verifierKey, source);
      const read: string[] = [];
      for await (const line of log!.lines) read.push(line);
      return found(await verifyLogExport(bytesOf(read), { keys: [signer.verifierKey] }));
    };
    await owner.query(`UPDATE call_bodies SET sealed = NULL, blob = $2, hash = $3 WHERE call_id = $1 AND side = 'response'`, [
      id,
      key,
      hash,
    ]);
    expect(await through(blobs)).toEqual([]);
    expect(await through(null)).toEqual([['changed', id]]);
    store.set(key, Buffer.concat([sealed.subarray(0, -1), Buffer.of(sealed.at(-1)! ^ 1)]));
    expect(await through(blobs)).toEqual([['changed', id]]);
    store.delete(key);
    expect(await through(blobs)).toEqual([['changed', id]]);
    store.set(key, sealed);
    await owner.query(`UPDATE call_bodies SET blob = blob || 'x' WHERE call_id = $1 AND side = 'response'`, [id]);
    expect(await through(blobs)).toEqual([['changed', id]]);
    await owner.query(`UPDATE call_bodies SET sealed = $2, blob = NULL, hash = NULL WHERE call_id = $1 AND side = 'response'`, [
      id,
      sealed,
    ]);
    expect(await through(null)).toEqual([]);
  });

  it('in what was removed: a call, an audit event', async () => {
    for (const [table, id] of [
      ['calls', callIds[7]!],
      ['audit_events', auditId],
    ] as const) {
      await owner.query(`CREATE TABLE saved AS SELECT * FROM ${table} WHERE id = $1`, [id]);
      await owner.query(`DELETE FROM ${table} WHERE id = $1`, [id]);
      expect(found(await verify())).toEqual([['removed', id]]);
      await owner.query(`INSERT INTO ${table} SELECT * FROM saved`);
      await owner.query('DROP TABLE saved');
    }
    expect((await verify()).ok).toBe(true);
  });

  it('where somebody sets the purge mark instead of retention', async () => {
    const id = callIds[8]!;
    await owner.query('UPDATE calls SET purged_at = now(), url = NULL WHERE id = $1', [id]);
    expect(found(await verify())).toEqual([['changed', id]]);
    await owner.query('UPDATE calls SET purged_at = NULL, url = $2 WHERE id = $1', [id, `https://api.payments.example/v1/customers/${id}`]);
    expect((await verify()).ok).toBe(true);
  });
});

describe('the log of calls that changed as they may', () => {
  it('has a leaf for `unknown`, one for what turned out, one for what a purge left, and verifies at each step', async () => {
    const connectionId = newId('connection');
    const call = sampleCall({ at: Date.now() - 10_000, head: { connectionId } });
    await record([call.intent]);
    await owner.query(`UPDATE calls SET recorded_at = now() - interval '1 hour' WHERE id = $1`, [call.outcome.callId]);
    expect(await closeOrphans(db.pool, 60)).toBe(1);
    await sequence();
    expect((await verify()).findings).toEqual([]);
    await record([call.outcome]);
    const outcome = await sequence();
    expect(outcome).toMatchObject({ altered: [], absent: [] });
    expect(await verify()).toMatchObject({ ok: true, superseded: 1 });
    await db.inTransaction((tx) => purgeCalls(tx, { connectionId, connectionName: null, seconds: 1 }, Date.now()));
    await sequence();
    expect(await verify()).toMatchObject({ ok: true, superseded: 1, purged: 1 });
    expect((await leavesOf(db.prisma, call.outcome.callId)).map((leaf) => leaf.kind)).toEqual(['call_unknown', 'call', 'call_purge']);
  });

  it('finds a change of what a purge left', async () => {
    const connectionId = newId('connection');
    const call = sampleCall({ at: Date.now() - 10_000, head: { connectionId } });
    await record([call.intent, call.outcome]);
    await sequence();
    await db.inTransaction((tx) => purgeCalls(tx, { connectionId, connectionName: null, seconds: 1 }, Date.now()));
    await sequence();
    const id = call.outcome.callId;
    await owner.query('UPDATE calls SET status = 403 WHERE id = $1', [id]);
    expect(found(await verify())).toEqual([['changed', id]]);
    await owner.query('UPDATE calls SET status = 200 WHERE id = $1', [id]);
    expect((await verify()).ok).toBe(true);
  });

  it('sequences a call once, however often it was enqueued', async () => {
    const id = callIds[1]!;
    for (let i = 0; i < 2; i++) {
      await owner.query(`INSERT INTO log_pending (kind, ref_id) VALUES ('call', $1), ('call', $1)`, [id]);
      expect(await sequence()).toMatchObject({ taken: 2, absent: [], altered: [] });
    }
    expect(await leavesOf(db.prisma, id)).toHaveLength(1);
    expect((await verify()).ok).toBe(true);
  });

  it('is not kept from the other records by a row that nobody can read', async () => {
    const calls = [sampleCall(), sampleCall(), sampleCall()];
    await record(calls.flatMap((call): RecordEntry[] => [call.intent, call.outcome]));
    const [first, second, third] = calls.map((call) => call.outcome.callId);
    await owner.query(`UPDATE calls SET at = 'infinity' WHERE id = $1`, [first]);
    const nested = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    await owner.query(`UPDATE calls SET claims = jsonb_build_object('x', $2::jsonb) WHERE id = $1`, [second, nested]);
    // As of calls that were not written whole: their rows are read.
    await owner.query('UPDATE log_pending SET leaf_kind = NULL, digest = NULL');
    const { taken, absent } = await sequence();
    expect(taken).toBe(3);
    expect(absent).toContain(first);
    expect(found(await verify())).toContainEqual(['removed', first]);
    expect(await leavesOf(db.prisma, third!)).toHaveLength(1);
    await owner.query(`UPDATE calls SET at = now() WHERE id = $1`, [first]);
  });

  it('holds a call as it was written, also where its row was changed or removed before it was sequenced', async () => {
    const calls = [sampleCall(), sampleCall()];
    await record(calls.flatMap((call): RecordEntry[] => [call.intent, call.outcome]));
    const [changed, removed] = calls.map((call) => call.outcome.callId);
    await owner.query(`UPDATE calls SET path = '/v1/other' WHERE id = $1`, [changed]);
    await owner.query('DELETE FROM calls WHERE id = $1', [removed]);
    expect(await sequence()).toMatchObject({ taken: 2, absent: [], altered: [] });
    expect(found(await verify())).toEqual(
      expect.arrayContaining([
        ['changed', changed],
        ['removed', removed],
      ]),
    );
    await owner.query('UPDATE calls SET path = $2 WHERE id = $1', [changed, calls[0]!.intent.head.path]);
    expect(found(await verify())).not.toContainEqual(['changed', changed]);
  });

  it('proves that a final call was changed and sequenced again, and says so at once', async () => {
    const id = callIds[2]!;
    await owner.query(`UPDATE calls SET method = 'POST' WHERE id = $1`, [id]);
    await owner.query(`INSERT INTO log_pending (kind, ref_id) VALUES ('call', $1), ('call', 'call_gone')`, [id]);
    expect(await sequence()).toMatchObject({ taken: 2, absent: ['call_gone'], altered: [id] });
    expect(found(await verify())).toEqual(
      expect.arrayContaining([
        ['rewritten', id],
        ['removed', 'call_gone'],
      ]),
    );
  });
});
