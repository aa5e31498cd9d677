import { createTestDatabase, startGate, type Gate, type TestDatabase } from '@hoop/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { createQueuePool } from './postgres.ts';

let database: TestDatabase;
let gate: Gate;
let url: string;
beforeAll(async () => {
  database = await createTestDatabase();
  const target = new URL(database.url);
  gate = await startGate({ host: target.hostname, port: Number(target.port) });
  target.port = String(gate.port);
  url = target.href;
});
afterAll(async () => {
  await gate?.close();
  await database?.drop();
});

/** An error event that nobody listens to ends the process, and fails the run of these tests. */
it('outlives a connection that drops while somebody has it, with a statement under way and without', async () => {
  const pool = createQueuePool(url, { max: 2, timeoutMs: 60_000, applicationName: 'test' });
  const [busy, waiting] = [await pool.connect(), await pool.connect()];
  const statement = busy.query('SELECT pg_sleep(600)').then(
    () => 'done',
    () => 'rejected',
  );
  await gate.cut();
  expect(await statement).toBe('rejected');
  await expect(waiting.query('SELECT 1')).rejects.toThrow();
  busy.release(true as never);
  waiting.release(true as never);
  await gate.restore();
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  await pool.end();
});
