import { newId } from '@hoop/contract';
import type { RecordEntry } from '@hoop/contract';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { sampleBody, sampleCall } from '../../test/sample-entries.ts';
import type { Database } from '../database.ts';
import { purgeCalls, retentionRules } from './purge-calls.ts';
import type { PurgeResult } from './purge-calls.ts';
import { recordEntries } from './record-entries.ts';
import { openSignedDatabase, signAll } from '../../test/row-keys.ts';

const now = Date.now();
const day = 86_400_000;
const secret = 'what only the content says';

let database: TestDatabase;
let db: Database;
let connectionId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openSignedDatabase(database.url);
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});
beforeEach(() => {
  connectionId = newId('connection');
});

const purge = (seconds: number, limit?: number): Promise<PurgeResult> =>
  db.inTransaction((tx) => purgeCalls(tx, { connectionId, connectionName: 'payments', seconds }, now, limit));
const sequence = (): Promise<unknown> => db.prisma.logPending.deleteMany();

async function recordCalls(ages: readonly number[], sessionId = newId('session')): Promise<string[]> {
  const calls = ages.map((age) =>
    sampleCall({
      at: now - age,
      sessionId,
      head: {
        connectionId,
        url: `https://x/${secret}`,
        path: `/${secret}`,
        claims: { secret },
        context: { secret },
        requestHeaders: [['x', secret]],
        remoteAddress: secret,
      },
      outcome: { requestBody: sampleBody(5), responseHeaders: [['x', secret]], errorDetail: secret, targetAddress: secret },
    }),
  );
  await recordEntries(
    db.pool,
    calls.flatMap((call): RecordEntry[] => [call.intent, call.outcome]),
  );
  return calls.map((call) => call.outcome.callId);
}
const rowOf = (id: string) => db.prisma.call.findUniqueOrThrow({ where: { id } });

describe('retention', () => {
  test('removes what a call said and keeps that it was made, and by whom, with which result', async () => {
    const [old, young] = await recordCalls([8 * day, 6 * day]);
    await sequence();
    expect(await purge(7 * 86_400)).toEqual({ purged: 1, isDone: true });
    const row = await rowOf(old!);
    expect(JSON.stringify(row)).not.toContain(secret);
    expect(row).toMatchObject({
      purgedAt: new Date(now),
      state: 'completed',
      status: 200,
      method: 'GET',
      identityName: 'nightly-billing',
      connectionId,
      decision: 'allow',
      rule: 'read customers',
    });
    expect(row.responseBody).toMatchObject({ bytes: 1024 });
    expect(await db.prisma.callBody.count({ where: { callId: old! } })).toBe(0);
    expect((await rowOf(young!)).purgedAt).toBeNull();
    expect(await db.prisma.callBody.count({ where: { callId: young! } })).toBe(2);
  });

  test('takes exactly those that are older than the limit, to the millisecond of the id', async () => {
    const [atLimit, beyond] = await recordCalls([day, day + 1]);
    await sequence();
    await purge(86_400);
    expect((await rowOf(atLimit!)).purgedAt).toBeNull();
    expect((await rowOf(beyond!)).purgedAt).not.toBeNull();
  });

  test('destroys a data key with the last body that it opens, not before', async () => {
    const sessionId = newId('session');
    await recordCalls([3 * day, 2 * day], sessionId);
    await sequence();
    await purge(2.5 * 86_400);
    expect(await db.prisma.dataKey.count({ where: { sessionId } })).toBe(1);
    await purge(86_400);
    expect(await db.prisma.dataKey.count({ where: { sessionId } })).toBe(0);
  });

  test('removes the claims of a session with the content of its last call, not before', async () => {
    const sessionId = newId('session');
    await recordCalls([3 * day, 2 * day], sessionId);
    await sequence();
    const claims = async () => (await db.prisma.session.findUniqueOrThrow({ where: { id: sessionId } })).claims;
    await purge(2.5 * 86_400);
    expect(await claims()).toEqual({ secret });
    await purge(86_400);
    expect(await claims()).toBeNull();
  });

  test('works in small transactions, each with the audit event that tells of it, and does nothing when all is done', async () => {
    await recordCalls(Array.from({ length: 25 }, (_, i) => 2 * day + i));
    await sequence();
    const results = [await purge(86_400, 10), await purge(86_400, 10), await purge(86_400, 10), await purge(86_400, 10)];
    expect(results).toEqual([
      { purged: 10, isDone: false },
      { purged: 10, isDone: false },
      { purged: 5, isDone: true },
      { purged: 0, isDone: true },
    ]);
    const events = await db.prisma.auditEvent.findMany({ where: { targetId: connectionId }, orderBy: { at: 'asc' } });
    expect(
      events.map((event) => [event.action, event.actorName, (event.change as { after: { purged: number } }).after.purged]).sort(),
    ).toEqual([
      ['call.purge', 'retention', 10],
      ['call.purge', 'retention', 10],
      ['call.purge', 'retention', 5],
    ]);
  });

  test('leaves a call that waits for its outcome or its leaf, and takes it once it has them', async () => {
    const { intent, outcome } = sampleCall({ at: now - 2 * day, head: { connectionId } });
    await recordEntries(db.pool, [intent]);
    const [later] = await recordCalls([2 * day - 1000]);
    expect(await purge(86_400)).toEqual({ purged: 0, isDone: true });
    await sequence();
    expect(await purge(86_400)).toEqual({ purged: 1, isDone: true });
    expect((await rowOf(later!)).purgedAt).not.toBeNull();
    await recordEntries(db.pool, [outcome]);
    expect(await purge(86_400)).toEqual({ purged: 0, isDone: true });
    await sequence();
    expect(await purge(86_400)).toEqual({ purged: 1, isDone: true });
  });

  test('finds a call that arrived after the point that it had reached', async () => {
    await recordCalls([2 * day]);
    await sequence();
    await purge(86_400);
    const [late] = await recordCalls([5 * day]);
    await sequence();
    expect(await purge(86_400)).toEqual({ purged: 1, isDone: true });
    expect((await rowOf(late!)).purgedAt).not.toBeNull();
  });

  test('is not undone by an outcome that turns up for a call closed as unknown', async () => {
    const { intent, outcome } = sampleCall({ at: now - 2 * day, head: { connectionId } });
    await recordEntries(db.pool, [intent, { ...outcome, state: 'unknown', responseBody: null, dataKey: null }]);
    await sequence();
    await purge(86_400);
    await recordEntries(db.pool, [outcome]);
    expect(await rowOf(outcome.callId)).toMatchObject({ state: 'unknown', responseHeaders: null });
    expect(await db.prisma.callBody.count({ where: { callId: outcome.callId } })).toBe(0);
  });

  test('is not undone by entries that come again', async () => {
    const calls = sampleCall({ at: now - 2 * day, head: { connectionId } });
    await recordEntries(db.pool, [calls.intent, calls.outcome]);
    await sequence();
    await purge(86_400);
    await recordEntries(db.pool, [calls.intent, calls.outcome]);
    expect(await rowOf(calls.outcome.callId)).toMatchObject({ url: null, requestHeaders: null });
    expect(await db.prisma.callBody.count({ where: { callId: calls.outcome.callId } })).toBe(0);
  });

  test('follows the setting of each connection, and the default where the connection is gone', async () => {
    await recordCalls([0]);
    const gone = connectionId;
    connectionId = newId('connection');
    await recordCalls([0]);
    await db.prisma.connection.create({
      data: {
        id: connectionId,
        name: `c-${connectionId.slice(-8)}`,
        settings: { target: 'https://api.payments.example', recording: { retention: '12h' } },
        revision: 1,
        createdAt: new Date(),
        updatedAt: new Date(),
      },
    });
    await signAll(db);
    const rules = await retentionRules(db.prisma);
    expect(rules.find((rule) => rule.connectionId === connectionId)).toMatchObject({
      seconds: 43_200,
      connectionName: `c-${connectionId.slice(-8)}`,
    });
    expect(rules.find((rule) => rule.connectionId === gone)).toEqual({ connectionId: gone, connectionName: null, seconds: 90 * 86_400 });
    expect(rules.filter((rule) => rule.connectionId === null)).toHaveLength(1);
    expect(new Set(rules.map((rule) => rule.connectionId)).size).toBe(rules.length);
  });
});
