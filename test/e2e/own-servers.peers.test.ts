/** `hoop start` on a Postgres and a Redis that are there already. */
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { createTestDatabase, redisIsAvailable, startTestRedis } from '@hoop/testkit';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { endAll, hoopStart } from './hoop.ts';

let scratch: string;
const closers: (() => Promise<void>)[] = [];
beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-own-'));
  await chmod(scratch, 0o755);
});
afterEach(async () => {
  await endAll();
  for (const close of closers.splice(0).toReversed()) await close();
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function rowsOf(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows as unknown[];
  } finally {
    await client.end();
  }
}

test('the demonstration holds on a Postgres of your own, whose relay role reaches the queue alone', async () => {
  const database = await createTestDatabase({ empty: true });
  const role = `hoop_relay_${new URL(database.url).pathname.slice(1)}`;
  closers.push(database.drop, async () => {
    await rowsOf(database.url, `drop owned by ${role}; drop role ${role}`);
  });
  const folder = path.join(scratch, 'own-postgres');
  const first = hoopStart(folder, ['--once', '--json'], { DATABASE_URL: database.url });
  expect(await first.ended, first.stderr()).toBe(0);
  expect(JSON.parse(first.stdout())).toMatchObject({ ok: true });
  expect(await readdir(folder)).not.toContain('postgres');
  expect(
    await rowsOf(
      database.url,
      `select has_table_privilege('${role}', 'calls', 'select') as calls, has_schema_privilege('${role}', 'bullmq', 'usage') as queue`,
    ),
  ).toEqual([{ calls: false, queue: true }]);

  // Another data folder, the same database: it has an admin token and keeps it.
  const second = hoopStart(path.join(scratch, 'another'), ['--once', '--no-demo'], { DATABASE_URL: database.url });
  expect(await second.ended, second.stderr()).toBe(0);
  expect(second.stdout()).not.toContain('hoop_admin_');
});

test.skipIf(!redisIsAvailable())('the demonstration holds with the queues in Redis', async () => {
  const redis = await startTestRedis();
  closers.push(redis.stop);
  const start = hoopStart(path.join(scratch, 'redis'), ['--once', '--json'], { REDIS_URL: redis.url });
  expect(await start.ended, start.stderr()).toBe(0);
  expect(JSON.parse(start.stdout())).toMatchObject({ ok: true });
});
