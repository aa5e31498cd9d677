/** Servers whose settings would lose acknowledged writes are recognised and not used. */
import { createTestDatabase, redisIsAvailable, startTestRedis } from '@hoop/testkit';
import type { TestRedis } from '@hoop/testkit';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';

import { judgePostgres, judgeRedis } from './durability.ts';
import type { RedisSettings } from './durability.ts';
import { findWeaknesses, openQueue, prepareQueueSchema, requireDurableQueue } from './index.ts';
import type { DurabilityFinding, QueueConnection } from './index.ts';
import { createQueuePool } from './postgres.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

describe('settings of Redis', () => {
  const good: RedisSettings = { appendonly: 'yes', appendfsync: 'always', noAppendfsyncOnRewrite: 'no', maxmemoryPolicy: 'noeviction' };

  test('that keep every promise are not spoken of', () => {
    expect(judgeRedis(good)).toEqual([]);
  });

  test.each<[Partial<RedisSettings>, string, boolean]>([
    [{ appendonly: 'no' }, 'appendonly', true],
    [{ appendonly: null }, 'appendonly', false],
    [{ appendfsync: 'everysec' }, 'appendfsync', false],
    [{ appendfsync: 'no' }, 'appendfsync', false],
    [{ appendfsync: null }, 'appendfsync', false],
    [{ noAppendfsyncOnRewrite: 'yes' }, 'no-appendfsync-on-rewrite', false],
    [{ maxmemoryPolicy: 'allkeys-lru' }, 'maxmemory-policy', true],
    [{ maxmemoryPolicy: null }, 'maxmemory-policy', false],
  ])('%j are spoken of', (change, setting, isLossy) => {
    expect(judgeRedis({ ...good, ...change })).toMatchObject([{ setting, isLossy }]);
  });
});

test('settings of Postgres that a power loss punishes are spoken of', () => {
  expect(judgePostgres({ fsync: 'on', fullPageWrites: 'on' })).toEqual([]);
  expect(judgePostgres({ fsync: 'off', fullPageWrites: 'off' }).map(({ setting, isLossy }) => [setting, isLossy])).toEqual([
    ['fsync', false],
    ['full_page_writes', false],
  ]);
});

describe.skipIf(!redisIsAvailable())('a real Redis', () => {
  async function start(settings: Record<string, string> = {}): Promise<TestRedis> {
    const redis = await startTestRedis({ settings });
    closers.push(() => redis.stop());
    return redis;
  }
  function client(url: string): Redis {
    const redis = new Redis(url);
    redis.on('error', () => undefined);
    closers.push(async () => redis.disconnect());
    return redis;
  }
  function queueOn(connection: QueueConnection): ReturnType<typeof openQueue<number>> {
    const queue = openQueue<number>('records', connection);
    closers.push(() => queue.close());
    return queue;
  }
  async function putRight(redis: Redis, setting: string): Promise<void> {
    await redis.config('SET', setting, setting === 'appendonly' ? 'yes' : 'noeviction');
    // Until its first append-only file is written, Redis does not even stop.
    await expect.poll(() => redis.info('persistence')).toMatch(/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/);
  }
  const jobs = 200;

  test.each([
    ['always', {}, jobs],
    ['everysec', { appendfsync: 'everysec' }, jobs],
    ['no append-only file', { appendonly: 'no' }, 0],
  ])('with %s keeps this much of what it acknowledged when it is killed with -9', async (_name, settings, kept) => {
    const redis = await start(settings);
    const connection = { kind: 'redis', url: redis.url, allowLossy: true } as const;
    const queue = queueOn(connection);
    for (let n = 0; n < jobs; n += 20)
      await queue.addBulk(Array.from({ length: 20 }, (_one, i) => ({ jobId: `job-${n + i}`, payload: n + i })));
    await redis.kill();
    await redis.restart();
    expect(await queueOn(connection).counts()).toMatchObject({ waiting: kept });
  });

  test.each([
    ['no append-only file', { appendonly: 'no' }, 'Set appendonly yes'],
    ['eviction', { 'maxmemory-policy': 'allkeys-lru' }, 'Set maxmemory-policy noeviction'],
  ])('with %s is not used until that is put right, unless it is allowed', async (_name, settings: Record<string, string>, advice) => {
    const redis = await start(settings);
    const connection: QueueConnection = { kind: 'redis', url: redis.url };
    const told: DurabilityFinding[] = [];
    await expect(requireDurableQueue(connection, (finding) => told.push(finding))).rejects.toThrow(advice);
    expect(told).toMatchObject([{ isLossy: true }]);
    const queue = queueOn(connection);
    const refused: unknown = await queue.add('job-1', 1).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'unavailable', cause: { message: expect.stringContaining(advice) as string } });
    const allowed = { ...connection, allowLossy: true } as const;
    await requireDurableQueue(allowed, () => undefined);
    await queueOn(allowed).add('job-2', 2);
    for (const name of Object.keys(settings)) await putRight(client(redis.url), name);
    await queue.add('job-3', 3);
    expect(await queue.counts()).toMatchObject({ waiting: 2 });
  });

  test('is asked again when the connection to it is another', async () => {
    const redis = await start();
    const queue = queueOn({ kind: 'redis', url: redis.url });
    await queue.add('job-1', 1);
    const admin = client(redis.url);
    await admin.config('SET', 'appendonly', 'no');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect
      .poll(async () => queue.add('job-2', 2).catch((error: Error) => (error.cause as Error).message))
      .toContain('Set appendonly yes');
    expect(await admin.exists('hoop:records:job-2')).toBe(0);
  });

  test('that may not be asked for its configuration tells by INFO what it tells', async () => {
    const redis = await start({ appendonly: 'no' });
    const admin = client(redis.url);
    await admin.acl('SETUSER', 'hoop', 'on', '>a-password', '~*', '&*', '+@all', '-config');
    const url = redis.url.replace('//', '//hoop:a-password@');
    await expect(requireDurableQueue({ kind: 'redis', url }, () => undefined)).rejects.toThrow('Set appendonly yes');
    await putRight(admin, 'appendonly');
    expect((await findWeaknesses({ kind: 'redis', url })).map(({ setting, value, isLossy }) => [setting, value, isLossy])).toEqual([
      ['appendfsync', null, false],
    ]);
  });

  test('whose memory is full takes nothing and loses nothing', async () => {
    const redis = await start();
    const queue = queueOn({ kind: 'redis', url: redis.url });
    await queue.add('job-1', 1);
    const admin = client(redis.url);
    await admin.config('SET', 'maxmemory', '1');
    await expect(queue.add('job-2', 2)).rejects.toMatchObject({ code: 'unavailable' });
    await admin.config('SET', 'maxmemory', '0');
    await queue.add('job-3', 3);
    expect(await queue.counts()).toMatchObject({ waiting: 2 });
  });

  test('that is away at the start stops nobody from starting', async () => {
    const redis = await start();
    await redis.kill();
    await requireDurableQueue({ kind: 'redis', url: redis.url }, () => undefined);
    await redis.restart();
  });
});

test('a queue on Postgres commits synchronously whatever the default of the database is', async () => {
  const database = await createTestDatabase({ empty: true });
  closers.push(() => database.drop());
  await prepareQueueSchema({ ownerUrl: database.url, role: 'hoop_queue_durability', password: 'a-password-for-tests' });
  const owner = new pg.Client(database.url);
  await owner.connect();
  await owner.query(`ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET synchronous_commit = off`);
  await owner.end();
  const pool = createQueuePool(`${database.url}?options=-c%20synchronous_commit%3Doff`, {
    max: 1,
    timeoutMs: 5000,
    applicationName: 'test',
  });
  closers.push(() => pool.end());
  expect((await pool.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: 'on' }]);
});
