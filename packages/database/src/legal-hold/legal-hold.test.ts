import { newId } from '@hoop/contract';
import type { RecordEntry } from '@hoop/contract';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { sampleCall } from '../../test/sample-entries.ts';
import type { Database } from '../database.ts';
import { purgeCalls, retentionRules } from '../records/purge-calls.ts';
import { recordEntries } from '../records/record-entries.ts';
import { writeRetention } from '../retention/store.ts';
import { liftHold, listHolds, placeHold } from './store.ts';
import type { HoldKind, LegalHoldRecord } from './store.ts';
import { openSignedDatabase, signAll } from '../../test/row-keys.ts';

const now = Date.now();
const day = 86_400_000;

let database: TestDatabase;
let db: Database;
let connectionId: string;
let identityId: string;
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
  identityId = newId('identity');
});

const place = (kind: HoldKind, subjectId: string): Promise<LegalHoldRecord> =>
  placeHold(db.prisma, { id: newId('legal_hold'), kind, subjectId, reason: 'case 7', placedBy: 'ops', placedAt: new Date(now) });
const purge = () => db.inTransaction((tx) => purgeCalls(tx, { connectionId, connectionName: 'payments', seconds: 86_400 }, now));
const isPurged = async (id: string): Promise<boolean> => (await db.prisma.call.findUniqueOrThrow({ where: { id } })).purgedAt !== null;

async function recordCalls(count: number, sessionId = newId('session'), of = identityId): Promise<string[]> {
  const calls = Array.from({ length: count }, (_, i) =>
    sampleCall({
      at: now - 2 * day - i,
      sessionId,
      head: { connectionId, subject: { identityId: of, identityName: 'x', issuer: null, subject: null, grantId: null } },
    }),
  );
  await recordEntries(
    db.pool,
    calls.flatMap((call): RecordEntry[] => [call.intent, call.outcome]),
  );
  await db.prisma.logPending.deleteMany();
  return calls.map((call) => call.outcome.callId);
}

describe('a legal hold', () => {
  test.each(['session', 'connection', 'identity'] as const)(
    'on a %s keeps its content until it is lifted, and the rest is purged',
    async (kind) => {
      const held = newId('session');
      const [one] = await recordCalls(1, held);
      const [other] = await recordCalls(1, newId('session'), newId('identity'));
      const hold = await place(kind, { session: held, connection: connectionId, identity: identityId }[kind]);
      await purge();
      expect(await isPurged(one!)).toBe(false);
      expect(await isPurged(other!)).toBe(kind !== 'connection');
      expect(await db.prisma.callBody.count({ where: { callId: one! } })).toBe(1);
      expect(await db.prisma.dataKey.count({ where: { sessionId: held } })).toBe(1);

      await db.inTransaction((tx) => liftHold(tx, hold, 'boss', new Date(now)));
      await purge();
      expect(await isPurged(one!)).toBe(true);
      expect(await isPurged(other!)).toBe(true);
    },
  );

  test('keeps what two holds name until both are lifted', async () => {
    const session = newId('session');
    const [one] = await recordCalls(1, session);
    const holds = [await place('session', session), await place('identity', identityId)];
    for (const hold of holds) {
      await purge();
      expect(await isPurged(one!)).toBe(false);
      await db.inTransaction((tx) => liftHold(tx, hold, 'boss', new Date(now)));
    }
    await purge();
    expect(await isPurged(one!)).toBe(true);
  });

  test('that is being placed is waited for, not crossed', async () => {
    const session = newId('session');
    const [one] = await recordCalls(1, session);
    const client = new pg.Client(database.url);
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query(
        `INSERT INTO legal_holds (id, kind, subject_id, reason, placed_by, placed_at) VALUES ($1, 'session', $2, 'x', 'ops', now())`,
        [newId('legal_hold'), session],
      );
      const purging = purge();
      await expect
        .poll(
          async () =>
            (
              await client.query<{ n: number }>(
                `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND relation = 'legal_holds'::regclass`,
              )
            ).rows[0]!.n,
        )
        .toBe(1);
      await client.query('COMMIT');
      await purging;
      expect(await isPurged(one!)).toBe(false);
    } finally {
      await client.end();
    }
  });

  test('can only be lifted: not changed, not removed, not lifted twice', async () => {
    const hold = await place('session', newId('session'));
    await expect(db.prisma.legalHold.delete({ where: { id: hold.id } })).rejects.toThrow('only be lifted');
    await expect(db.prisma.legalHold.update({ where: { id: hold.id }, data: { subjectId: 'x' } })).rejects.toThrow('only be lifted');
    await expect(place('session', hold.subjectId)).rejects.toThrow('Unique constraint');
    const lifted = await db.inTransaction((tx) => liftHold(tx, hold, 'boss', new Date(now)));
    await expect(db.inTransaction((tx) => liftHold(tx, lifted, 'boss', new Date(now)))).rejects.toThrow('legalHold.update');
    await place('session', hold.subjectId);
    const { items } = await listHolds(db.prisma, { subjectId: hold.subjectId, isActive: true }, { limit: 10 });
    expect(items).toHaveLength(1);
    expect((await listHolds(db.prisma, { subjectId: hold.subjectId }, { limit: 10 })).items).toHaveLength(2);
  });
});

describe('global retention', () => {
  test('bounds what connections say, and rules where there is no connection', async () => {
    await recordCalls(1);
    const secondsOf = async (id: string | null): Promise<number> =>
      (await retentionRules(db.prisma)).find((rule) => rule.connectionId === id)!.seconds;
    expect(await secondsOf(null)).toBe(90 * 86_400);
    await writeRetention(db.prisma, { unattributed: '30d', maximum: null }, new Date(now));
    expect([await secondsOf(null), await secondsOf(connectionId)]).toEqual([30 * 86_400, 30 * 86_400]);
    await writeRetention(db.prisma, { unattributed: '30d', maximum: '7d' }, new Date(now));
    expect([await secondsOf(null), await secondsOf(connectionId)]).toEqual([7 * 86_400, 7 * 86_400]);
    await db.prisma.connection.create({
      data: {
        id: connectionId,
        name: 'payments',
        settings: { target: 'https://api.payments.example', recording: { retention: '365d' } },
        revision: 1,
        createdAt: new Date(),
        updatedAt: new Date(),
      },
    });
    await signAll(db);
    expect(await secondsOf(connectionId)).toBe(7 * 86_400);
    await writeRetention(db.prisma, { unattributed: '30d', maximum: null }, new Date(now));
    expect(await secondsOf(connectionId)).toBe(365 * 86_400);
  });
});
