import { createTestDatabase, startGate, type Gate, type TestDatabase } from '@hoop/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { openDatabase } from './database.ts';
import { whileSlow } from './while-slow.ts';

let server: TestDatabase;
let gate: Gate;
beforeAll(async () => {
  server = await createTestDatabase();
  gate = await startGate({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
});
afterAll(async () => {
  await gate.close();
  await server.drop();
});

test('a database that is too slow for its limits at first is asked again, and answers', async () => {
  const url = new URL(server.url);
  url.port = String(gate.port);
  const database = openDatabase(url.href);
  const errors: unknown[] = [];
  gate.freeze();
  const count = await whileSlow(async () => {
    try {
      return await database.inTransaction((tx) => tx.tombstone.count());
    } catch (error) {
      errors.push(error);
      if (errors.length === 1) await gate.restore();
      throw error;
    }
  });
  expect(count).toBe(await database.prisma.tombstone.count());
  // The first error is the one that the freeze made.
  expect(errors.length).toBeGreaterThan(0);
  await database.close();
});

test('any other error is final', async () => {
  let asked = 0;
  const wrong = whileSlow(() => {
    asked++;
    return Promise.reject(new Error('of the work'));
  });
  await expect(wrong).rejects.toThrow('of the work');
  const nowhere = openDatabase(server.url.replace(/:\d+\//, ':1/'));
  await expect(whileSlow(() => nowhere.inTransaction((tx) => tx.tombstone.count()))).rejects.toThrow(/reach|ECONNREFUSED/);
  await nowhere.close();
  expect(asked).toBe(1);
});
