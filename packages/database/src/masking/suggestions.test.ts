import { newId } from '@hoop/contract';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Database } from '../database.ts';
import { addMaskObservations, decideMaskSuggestion, listMaskSuggestions, maxSuggestions } from './suggestions.ts';
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

const now = new Date(10_000);
async function connection(): Promise<string> {
  const id = newId('connection');
  await db.prisma.connection.create({ data: { id, name: id, settings: {}, revision: 1, createdAt: now, updatedAt: now } });
  return id;
}
const seen = (path: string, changes: object = {}) => ({ path, detector: 'email', count: 1, firstSeen: 1000, lastSeen: 2000, ...changes });
const stored = async (connectionId: string) => (await listMaskSuggestions(db.prisma, { connectionId }, { limit: 1000 })).items;

test('what several relays saw adds up, also within one report', async () => {
  const connectionId = await connection();
  await addMaskObservations(db.prisma, [{ connectionId, suggestions: [seen('$.a', { count: 3 })] }], now);
  const suggestions = [seen('$.a', { count: 2, firstSeen: 500, lastSeen: 1500 }), seen('$.a', { detector: 'iban' })];
  await addMaskObservations(
    db.prisma,
    [
      { connectionId, suggestions },
      { connectionId, suggestions: [seen('$.a', { lastSeen: 9000 })] },
    ],
    now,
  );
  expect(await stored(connectionId)).toMatchObject([{ detector: expect.any(String), path: '$.a' }, { path: '$.a' }]);
  const email = (await stored(connectionId)).find((one) => one.detector === 'email');
  expect(email).toMatchObject({ count: 6, firstSeen: new Date(500), lastSeen: new Date(9000), state: 'open' });
});

test('counts stop at their limit', async () => {
  const connectionId = await connection();
  for (let i = 0; i < 3; i++)
    await addMaskObservations(db.prisma, [{ connectionId, suggestions: [seen('$.a', { count: 1_000_000_000 })] }], now);
  expect((await stored(connectionId))[0]!.count).toBe(2_000_000_000);
});

test('a target that makes up fields fills its connection and no other, and what is known goes on being counted', async () => {
  const [flooded, other] = [await connection(), await connection()];
  for (let batch = 0; batch < 7; batch++) {
    const suggestions = Array.from({ length: 100 }, (_, i) => seen(`$.x${batch}_${i}`));
    await addMaskObservations(db.prisma, [{ connectionId: flooded, suggestions }], now);
  }
  expect(await stored(flooded)).toHaveLength(maxSuggestions);
  const taken = await addMaskObservations(
    db.prisma,
    [
      { connectionId: flooded, suggestions: [seen('$.x0_0'), seen('$.new')] },
      { connectionId: other, suggestions: [seen('$.new')] },
    ],
    now,
  );
  expect(taken).toBe(2);
  expect((await stored(flooded)).find((one) => one.path === '$.x0_0')!.count).toBe(2);
  expect(await stored(other)).toHaveLength(1);
});

test('of a connection that is gone nothing is kept', async () => {
  expect(await addMaskObservations(db.prisma, [{ connectionId: newId('connection'), suggestions: [seen('$.a')] }], now)).toBe(0);
  const connectionId = await connection();
  await addMaskObservations(db.prisma, [{ connectionId, suggestions: [seen('$.a')] }], now);
  await db.prisma.connection.delete({ where: { id: connectionId } });
  expect(await stored(connectionId)).toEqual([]);
});

test('what was decided stays decided, whatever is seen', async () => {
  const connectionId = await connection();
  await addMaskObservations(db.prisma, [{ connectionId, suggestions: [seen('$.a')] }], now);
  const [one] = await stored(connectionId);
  await decideMaskSuggestion(db.prisma, one!.id, { state: 'dismissed', by: 'ops', at: now });
  await addMaskObservations(db.prisma, [{ connectionId, suggestions: [seen('$.a')] }], now);
  expect(await stored(connectionId)).toMatchObject([{ id: one!.id, state: 'dismissed', count: 2 }]);
  expect((await listMaskSuggestions(db.prisma, { connectionId, state: 'open' }, { limit: 10 })).items).toEqual([]);
});
