import { newId } from '@hoop/contract';
import type { RecordEntry } from '@hoop/contract';
import { generateLogKeys, logSigner } from '@hoop/recording';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

import { sampleCall } from '../../test/sample-entries.ts';
import type { Database } from '../database.ts';
import { placeHold } from '../legal-hold/store.ts';
import { sequenceLog } from '../log/sequence-log.ts';
import { guardOf } from '../row-signatures/index.ts';
import { checkRecords } from './check-records.ts';
import { purgeCalls } from './purge-calls.ts';
import { recordEntries } from './record-entries.ts';
import { openSignedDatabase } from '../../test/row-keys.ts';

const signer = logSigner(generateLogKeys().privateJwks);

let database: TestDatabase | undefined;
let db: Database | undefined;
let ids: string[];
let sessionId: string;
let connectionId: string;
const run = (sql: string, ...values: unknown[]) => db!.pool.query(sql, values);

async function close(): Promise<void> {
  await db?.close();
  await database?.drop();
}
afterAll(close);
beforeEach(async () => {
  await close();
  database = await createTestDatabase();
  db = openSignedDatabase(database.url);
  sessionId = newId('session');
  connectionId = newId('connection');
  const calls = Array.from({ length: 12 }, (_, i) => sampleCall({ at: Date.now() - 60_000 + i, sessionId, head: { connectionId } }));
  await recordEntries(
    db.pool,
    calls.flatMap((call): RecordEntry[] => [call.intent, call.outcome]),
  );
  ids = calls.map((call) => call.outcome.callId).sort();
  await sequenceLog(db.pool, { sign: signer.sign, guard: guardOf(db!.prisma), now: Date.now() });
  await run(`ALTER TABLE log_leaves DISABLE TRIGGER USER`);
  await run(`UPDATE log_leaves SET at = now() - interval '1 hour'`);
  await run(`UPDATE data_keys SET created_at = now() - interval '2 hours'`);
});

/** All parts, of `limit` calls each. */
async function check(repair = false, limit = 5): Promise<[kind: string, id: string, repaired: boolean][]> {
  const found: [string, string, boolean][] = [];
  let checked = 0;
  for (let after: string | null = ''; after !== null;) {
    const part = await checkRecords(db!.pool, { after, limit, repair, guard: guardOf(db!.prisma) });
    found.push(...part.findings.map((one): [string, string, boolean] => [one.kind, one.id, one.repaired]));
    checked += part.checked;
    after = part.next;
  }
  expect(checked).toBe(await db!.prisma.call.count());
  return found;
}

async function expectRepaired(kind: string, id: string): Promise<void> {
  expect(await check()).toEqual([[kind, id, false]]);
  expect(await check(true)).toEqual([[kind, id, true]]);
  expect(await check()).toEqual([]);
  const [event] = await db!.prisma.auditEvent.findMany({ where: { action: 'records.repair' }, orderBy: { id: 'desc' }, take: 1 });
  expect(event!.change).toEqual({ after: { repaired: { [kind]: 1 }, ids: [id] } });
}

describe('the check of the records', () => {
  test('finds nothing where nothing is wrong, in parts of any size', async () => {
    for (const limit of [1, 5, 12, 13, 100]) expect(await check(true, limit)).toEqual([]);
  });

  test('removes bodies of no call, and keys that open nothing', async () => {
    await run(`INSERT INTO call_bodies (call_id, side, sealed) VALUES ($1, 'request', 'x')`, `${ids[3]}0`);
    await expectRepaired('body_without_call', `${ids[3]}0`);
    await run(
      `INSERT INTO data_keys (id, session_id, wrapped, created_at) VALUES ('key_a', $1, 'x', now() - interval '2 hours')`,
      sessionId,
    );
    await expectRepaired('key_without_call', 'key_a');
    await run(`INSERT INTO data_keys (id, session_id, wrapped, created_at) VALUES ('key_b', 'ses_gone', 'x', now() - interval '2 hours')`);
    await expectRepaired('key_without_call', 'key_b');
    await run(`INSERT INTO data_keys (id, session_id, wrapped) VALUES ('key_c', 'ses_coming', 'x')`);
    expect(await check(true)).toEqual([]);
  });

  test('removes what a purge left behind', async () => {
    await db!.inTransaction((tx) => purgeCalls(tx, { connectionId, connectionName: null, seconds: 1 }, Date.now(), 3));
    await sequenceLog(db!.pool, { sign: signer.sign, guard: guardOf(db!.prisma), now: Date.now() });
    await run(`UPDATE log_leaves SET at = now() - interval '1 hour'`);
    expect(await check()).toEqual([]);
    await run(`INSERT INTO call_bodies (call_id, side, sealed) VALUES ($1, 'response', 'x')`, ids[0]);
    expect(await check()).toEqual([
      ['body_of_purged_call', ids[0], false],
      ['digest_mismatch', ids[0], false],
    ]);
    await check(true);
    expect(await check()).toEqual([]);
  });

  test('counts the calls of a session anew', async () => {
    await run(`UPDATE sessions SET call_count = 99, refused_count = 1 WHERE id = $1`, sessionId);
    await expectRepaired('session_counters', sessionId);
    expect(await db!.prisma.session.findUnique({ where: { id: sessionId } })).toMatchObject({
      callCount: 12,
      refusedCount: 0,
      failedCount: 0,
    });
  });

  test('hands to the log what was forgotten', async () => {
    const call = sampleCall({ sessionId, head: { connectionId } });
    await recordEntries(db!.pool, [call.intent, call.outcome]);
    await run(`UPDATE calls SET recorded_at = now() - interval '1 hour' WHERE id = $1`, call.outcome.callId);
    await run(`DELETE FROM log_pending`);
    await expectRepaired('not_logged', call.outcome.callId);
  });

  test('sends retention back to what it passed over, unless it is held', async () => {
    await run(`INSERT INTO retention_state (connection_id, purged_below) VALUES ($1, $2)`, connectionId, ids[1]);
    const hold = {
      id: newId('legal_hold'),
      kind: 'session' as const,
      subjectId: sessionId,
      reason: 'x',
      placedBy: 'x',
      placedAt: new Date(),
    };
    expect(await check()).toEqual([['retention_passed', ids[0], false]]);
    await expectRepaired('retention_passed', ids[0]!);
    await run(`UPDATE retention_state SET purged_below = $1`, ids[5]);
    await placeHold(db!.prisma, hold);
    expect(await check()).toEqual([]);
  });

  test('says what is lost or was changed, and repairs nothing of it', async () => {
    await run(`DELETE FROM call_bodies WHERE call_id = $1`, ids[2]);
    await run(`UPDATE calls SET status = 500 WHERE id = $1`, ids[4]);
    const expected = [
      ['body_missing', ids[2], false],
      ['digest_mismatch', ids[2], false],
      ['digest_mismatch', ids[4], false],
    ];
    expect(await check(true)).toEqual(expected);
    expect(await check()).toEqual(expected);
    await run(`DELETE FROM data_keys WHERE session_id = $1`, sessionId);
    expect((await check(true)).filter(([kind]) => kind === 'key_missing')).toHaveLength(11);
    await run(`DELETE FROM sessions`);
    expect(await check(true)).toContainEqual(['session_missing', sessionId, false]);
  });
});
