import { newId } from '@hoop/contract';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { sampleCall } from '../../test/sample-entries.ts';
import type { Database } from '../database.ts';
import { listCalls } from './read-calls.ts';
import { recordEntries } from './record-entries.ts';
import { openSignedDatabase } from '../../test/row-keys.ts';

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openSignedDatabase(database.url);
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

async function alerts(): Promise<unknown[]> {
  const rows = await db.prisma.outbox.findMany({ where: { topic: 'credential.reflected' }, orderBy: { id: 'asc' } });
  await db.prisma.outbox.deleteMany({});
  return rows.map((row) => row.payload);
}
const reflected = (head: Parameters<typeof sampleCall>[0] = {}): ReturnType<typeof sampleCall> =>
  sampleCall({ ...head, outcome: { credentialReflected: true } });

test('a reflected credential is told of once the call is known whole, and of none that was not reflected', async () => {
  const { intent, outcome } = reflected();
  await recordEntries(db.pool, [outcome]);
  expect(await alerts()).toEqual([]);
  await recordEntries(db.pool, [intent]);
  expect(await alerts()).toEqual([{ callId: outcome.callId }]);
  await recordEntries(db.pool, [intent, outcome]);
  const ordinary = sampleCall();
  await recordEntries(db.pool, [ordinary.intent, ordinary.outcome]);
  expect(await alerts()).toEqual([]);
});

test('many calls of one connection and lease in a batch are told of once', async () => {
  const connectionId = newId('connection');
  const many = [{}, {}, {}, { head: { connectionId } }]
    .map((options) => reflected(options))
    .flatMap(({ intent, outcome }) => [intent, outcome]);
  await recordEntries(db.pool, many);
  expect(await alerts()).toHaveLength(2);
});

test('calls are found by it', async () => {
  const connectionId = newId('connection');
  const bad = reflected({ head: { connectionId } });
  const good = sampleCall({ head: { connectionId } });
  await recordEntries(db.pool, [bad.intent, bad.outcome, good.intent, good.outcome]);
  const ids = async (credentialReflected: boolean): Promise<string[]> =>
    (await listCalls(db.prisma, { connectionId, credentialReflected }, { limit: 10 })).items.map((call) => call.id);
  expect(await ids(true)).toEqual([bad.outcome.callId]);
  expect(await ids(false)).toEqual([good.outcome.callId]);
});
