/** Each server that the record needs fails in each way it can: bounded time, a clear error, recovery without help, nothing lost. */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { progressUntil, redisIsAvailable, testedQueues, signalIfPresent, stuckAfterMs, eventually } from '@hoop/testkit';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { descendants, isScheduled } from '../e2e/hoop.ts';
import { findBreaches, readRecords } from './check.ts';
import { startLoad, type Kind, type Load, type Sent } from './load.ts';
import { startProduct, type Product } from './product.ts';
import { seeded } from './random.ts';
import { comeToRest } from './rest.ts';
import { searchAll } from './secrets.ts';
import { openSmallDisk } from './small-disk.ts';

const recorderTimeoutMs = 500;
/** Twice the recorder's limit takes 1 s (for the intent, and for the refusal's own record); the fault lasts until the test ends it. */
const answerWithinMs = 30_000;
const disk = openSmallDisk(260);
afterAll(() => disk?.close());

describe.each(testedQueues)('with the queue on %s', (queue) => {
  describe.skipIf(queue === 'redis' && !redisIsAvailable())('and real servers', () => {
    let product: Product;
    let grant: string;
    const sent = new Map<string, Sent>();
    let loads = 0;

    beforeAll(async () => {
      product = await startProduct({
        queue,
        relays: 1,
        recorderTimeoutMs,
        ...(disk === undefined
          ? {}
          : { postgresFolder: path.join(disk.folder, queue), postgresSettings: { min_wal_size: '32MB', max_wal_size: '64MB' } }),
      });
      grant = await product.grant();
      // Until the relay has the last of the configuration, what it has no policy for is denied.
      await untilOneGetsThrough();
    });
    afterAll(() => product?.close());
    // A new one each time: a grant lives for five minutes, and all tests together take longer on a slow machine.
    beforeEach(async () => {
      grant = await product.grant();
    });

    async function call(count: number, kinds: readonly Kind[] = ['plain']): Promise<Sent[]> {
      const prefix = `${String.fromCharCode(97 + (++loads % 26))}${'x'.repeat(Math.floor(loads / 26))}`;
      const load: Load = startLoad({
        relayUrls: product.relayUrls,
        random: seeded(loads),
        grant: () => grant,
        canary: product.secrets.canary,
        concurrency: Math.min(count, 16),
        most: count,
        prefix,
        kinds,
      });
      await load.ended;
      for (const [id, one] of load.sent) sent.set(id, one);
      return [...load.sent.values()];
    }
    const isGood = (one: Sent): boolean => one.ending === 'complete' && one.error === null;

    /** A machine under load may be slower than the recorder's limit: the function is told so, and makes another call. */
    async function expectCarriedOut(count = 4, kinds?: readonly Kind[]): Promise<void> {
      let left = count;
      for (let lastGoodAt = performance.now(); left > 0;) {
        const outcomes = await call(left, kinds);
        for (const { kind, ending, error } of outcomes.filter((each) => !isGood(each))) {
          // A stream whose outcome is not durable in time has no end.
          if (kind === 'stream' && ending === 'broken') continue;
          expect(ending).toBe('complete');
          expect(error).toMatch(/^(?:recorder_unavailable|outcome_not_recorded)$/);
        }
        const good = outcomes.filter(isGood).length;
        left -= good;
        if (good > 0) lastGoodAt = performance.now();
        expect(performance.now() - lastGoodAt, 'milliseconds in which no call got through').toBeLessThan(stuckAfterMs);
      }
    }
    async function untilOneGetsThrough(): Promise<void> {
      const since = performance.now();
      while (!isGood((await call(1))[0]!))
        expect(performance.now() - since, 'milliseconds in which no call got through').toBeLessThan(stuckAfterMs);
    }
    async function expectRefused(): Promise<void> {
      const from = performance.now();
      const refused = await call(4);
      expect(performance.now() - from).toBeLessThan(answerWithinMs);
      for (const one of refused) {
        expect(one).toMatchObject({ ending: 'complete', status: 503, error: 'recorder_unavailable' });
        expect(one.body).toContain('could not be made durable in time, so the call was not carried out');
        expect(product.target.received.has(one.id)).toBe(false);
      }
    }
    async function expectRecovery(): Promise<void> {
      await untilOneGetsThrough();
      expect(await comeToRest(product)).toEqual([]);
      const { recorded, breaches } = await readRecords(product.databaseUrl);
      breaches.push(
        ...findBreaches({ received: product.target.received, sent, recorded, relayKills: [], secrets: Object.values(product.secrets) }),
      );
      expect(breaches).toEqual([]);
      // Also what was refused in the meantime: a relay goes on until the queue has taken the record of it.
      await eventually(async () => {
        const { recorded: now } = await readRecords(product.databaseUrl);
        for (const [id, one] of sent)
          if (one.error === 'recorder_unavailable') expect(now.has(id), `the refusal of ${id} is recorded`).toBe(true);
      });
    }
    /** A fault of Postgres stops calls where the queue is in it; with the queue on Redis their records wait there. */
    const expectDuringFaultOfPostgres = queue === 'postgres' ? expectRefused : expectCarriedOut;

    async function onPostgres<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
      const client = new pg.Client(product.databaseUrl);
      await client.connect();
      try {
        return await work(client);
      } finally {
        await client.end();
      }
    }
    async function setReadOnly(isReadOnly: boolean): Promise<void> {
      await onPostgres(async (client) => {
        await client.query('SET default_transaction_read_only = off');
        await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${isReadOnly ? 'on' : 'off'}`);
        await client.query('SELECT pg_reload_conf()');
      });
      for (let shown = ''; shown !== (isReadOnly ? 'on' : 'off');) {
        shown = await onPostgres(
          async (client) =>
            (await client.query<{ shown: string }>("SELECT current_setting('default_transaction_read_only') AS shown")).rows[0]!.shown,
        );
      }
    }

    test('a database that is read-only', async () => {
      await expectCarriedOut();
      await setReadOnly(true);
      try {
        await expectDuringFaultOfPostgres();
      } finally {
        await setReadOnly(false);
      }
      await expectRecovery();
    });

    test.skipIf(process.platform !== 'linux')('a Postgres that hangs', async () => {
      const postmaster = product.postgres.pid();
      // The postmaster first: it forks no more, and what it forked before stays listed until it reaps again.
      process.kill(postmaster, 'SIGSTOP');
      const backends = await descendants(postmaster, '');
      try {
        for (const pid of backends) signalIfPresent(pid, 'SIGSTOP');
        expect(backends.length).toBeGreaterThan(0);
        await progressUntil(
          'stopping Postgres',
          () => [postmaster, ...backends].filter(isScheduled),
          (running) => running.length === 0,
        );
        await expectDuringFaultOfPostgres();
      } finally {
        process.kill(postmaster, 'SIGCONT');
        // One that had ended before the signal is reaped by now.
        for (const pid of backends) signalIfPresent(pid, 'SIGCONT');
      }
      await expectRecovery();
    });

    test.skipIf(queue !== 'redis')('a Redis that hangs', async () => {
      process.kill(product.redis!.pid(), 'SIGSTOP');
      try {
        await expectRefused();
      } finally {
        process.kill(product.redis!.pid(), 'SIGCONT');
      }
      await expectRecovery();
    });

    test.skipIf(queue !== 'redis')('a Redis whose memory is full', async () => {
      const redis = new Redis(product.queue.url);
      await redis.config('SET', 'maxmemory', '1');
      try {
        await expectRefused();
      } finally {
        await redis.config('SET', 'maxmemory', '0');
        redis.disconnect();
      }
      await expectRecovery();
    });

    test('a worker that is away for long: its backlog drains, and nothing in it counts as an orphan', async () => {
      await product.worker.kill();
      try {
        await expectCarriedOut(150, ['plain', 'upload', 'stream']);
        // Longer than calls have to conclude once their intents are written.
        await delay(5000);
      } finally {
        product.worker.start();
      }
      await expectRecovery();
    });

    test('a blob store that is gone: calls go on, and what was to be put there is kept beside its row', async () => {
      const blobs = async (): Promise<number> =>
        (await readdir(product.blobFolder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
      await expectCarriedOut(20, ['upload']);
      await expectRecovery();
      expect(await blobs()).toBeGreaterThan(0);
      const aside = `${product.blobFolder}-aside`;
      await rename(product.blobFolder, aside);
      // Nothing can be made in its place either.
      await writeFile(product.blobFolder, '');
      try {
        await expectCarriedOut(20, ['upload']);
        await expectRecovery();
      } finally {
        await rm(product.blobFolder);
        await rename(aside, product.blobFolder);
      }
      // Every body can be opened, wherever it lies.
      expect((await searchAll(product, Object.values(product.secrets))).bodies).toBeGreaterThan(40);
    });

    test.skipIf(disk === undefined)('a disk that is full', async () => {
      disk!.fill();
      try {
        // Space that is already allocated takes a few more records.
        // Each look writes more, so this ends when the disk is full.
        for (let isFelt = false; !isFelt;) {
          const some = await call(30, ['upload']);
          // Postgres may have given back a piece of its log.
          disk!.fill();
          // Of a slow machine some would get through.
          if (queue === 'postgres') isFelt = some.every((one) => one.error === 'recorder_unavailable');
          else isFelt = (await readFile(path.join(product.folder, 'logs', 'worker.log'), 'utf8')).includes('No space left on device');
        }
        await expectDuringFaultOfPostgres();
      } finally {
        disk!.free();
      }
      await expectRecovery();
    });
  });
});
