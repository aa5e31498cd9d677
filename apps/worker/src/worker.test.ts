import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { newId, queueNames } from '@hoop/contract';
import type { OutcomeEntry, PackedRecordBatch, RecordEntry } from '@hoop/contract';
import type { Database } from '@hoop/database';
import { openQueue, prepareQueueSchema } from '@hoop/queue';
import type { JobQueue, QueueConnection } from '@hoop/queue';
import { packEntry, packRecords } from '@hoop/recording';
import { bareEnvironment, createTestDatabase, redisIsAvailable, testedQueues, startGate, startTestRedis } from '@hoop/testkit';
import type { Gate, TestDatabase, TestRedis } from '@hoop/testkit';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { sampleCall } from '../../../packages/database/test/sample-entries.ts';
import { startWorker } from './index.ts';
import type { RunningWorker, WorkerConfig } from './index.ts';
import { watchDeadLetters } from './recordings/watch-dead-letters.ts';
import { openSignedDatabase, rowKeys } from '../../../packages/database/test/row-keys.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const killable = fileURLToPath(new URL('../test/worker-process.ts', import.meta.url));

/** Far more than a worker takes to close, and far less than the outage, which lasts until the test ends it. */
const outageMs = 60_000;

describe.each(testedQueues)('the worker with its queue on %s', (kind) => {
  describe.skipIf(kind === 'redis' && !redisIsAvailable())('with a real server', () => {
    let database: TestDatabase;
    let redis: TestRedis | undefined;
    let db: Database;
    /** Between the worker and its database. */
    let gate: Gate;
    let gatedUrl: string;
    let connection: QueueConnection;
    let queue: JobQueue<unknown>;
    const workers: RunningWorker[] = [];
    const children: ChildProcess[] = [];

    beforeAll(async () => {
      database = await createTestDatabase();
      if (kind === 'redis') {
        redis = await startTestRedis();
        connection = { kind, url: redis.url };
      } else {
        await prepareQueueSchema({ ownerUrl: database.url, role: 'hoop_worker_test', password: 'a-password-for-tests' });
        connection = { kind, url: database.url };
      }
      const url = new URL(database.url);
      gate = await startGate({ host: url.hostname, port: Number(url.port) });
      url.port = String(gate.port);
      gatedUrl = url.href;
      db = openSignedDatabase(database.url);
      queue = openQueue(queueNames.recordings, connection, { timeoutMs: 120_000 });
    });
    afterEach(async () => {
      for (const child of children.splice(0)) child.kill('SIGKILL');
      for (const worker of workers.splice(0)) await worker.close();
    });
    afterAll(async () => {
      await queue?.close();
      await db?.close();
      await gate?.close();
      await redis?.stop();
      await database?.drop();
    });

    const configWith = (changes: Partial<WorkerConfig> = {}): WorkerConfig => ({
      databaseUrl: database.url,
      queue: connection,
      orphanSeconds: 3600,
      logLevel: 'silent',
      lockMs: 2000,
      rowKeys: rowKeys.publicJwks,
      ...changes,
    });
    async function work(changes: Partial<WorkerConfig> = {}): Promise<RunningWorker> {
      const worker = await startWorker(configWith(changes));
      workers.push(worker);
      return worker;
    }
    async function started(file: string, args: string[], env: Record<string, string> = {}): Promise<ChildProcess> {
      const child = fork(file, args, {
        execArgv: ['--conditions=@hoop/source'],
        env: { ...bareEnvironment(), ...env },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      children.push(child);
      // Before that it says what it is doing.
      let event: unknown;
      do [event] = (await once(child, 'message')) as [unknown];
      while ((event as { event: string }).event === 'starting');
      expect(event).toEqual({ event: 'listening' });
      return child;
    }
    const batchOf = (entries: RecordEntry[]): PackedRecordBatch => packRecords(newId('relay'), entries.map(packEntry));
    let sent = 0;
    const send = (entries: RecordEntry[]): Promise<void> => queue.add(`batch-${++sent}`, batchOf(entries));
    const settled = (): Promise<unknown> => expect.poll(() => queue.counts()).toMatchObject({ waiting: 0, active: 0, delayed: 0 });
    const stateOf = async (callId: string): Promise<string | undefined> =>
      (await db.prisma.call.findUnique({ where: { id: callId } }))?.state;
    const calls = (count: number, sessionId = newId('session')): { entries: RecordEntry[]; ids: string[]; sessionId: string } => {
      const made = Array.from({ length: count }, () => sampleCall({ sessionId, bodyBytes: 64 }));
      return { entries: made.flatMap((call) => [call.intent, call.outcome]), ids: made.map((call) => call.outcome.callId), sessionId };
    };
    async function expectAllOnce({ ids, sessionId }: { ids: string[]; sessionId: string }): Promise<void> {
      const rows = await db.prisma.call.findMany({ where: { sessionId }, select: { id: true, state: true } });
      expect(rows.map((row) => row.id).sort()).toEqual([...ids].sort());
      expect(new Set(rows.map((row) => row.state))).toEqual(new Set(['completed']));
      expect(await db.prisma.session.findUnique({ where: { id: sessionId } })).toMatchObject({ callCount: ids.length, failedCount: 0 });
      expect(await db.prisma.callBody.count({ where: { callId: { in: ids } } })).toBe(ids.length);
    }

    test('writes what a relay sent, intents and outcomes in jobs of their own', async () => {
      const some = calls(50);
      await work();
      await send(some.entries.filter((entry) => entry.type === 'outcome'));
      await send(some.entries.filter((entry) => entry.type === 'intent'));
      await settled();
      await expectAllOnce(some);
    });

    test('loses nothing and doubles nothing when it is killed with -9 again and again while it writes', async () => {
      const sets = Array.from({ length: 60 }, () => calls(100));
      const sending = (async () => {
        for (const set of sets) await send(set.entries);
      })();
      for (let round = 0; round < 3; round++) {
        const child = await started(killable, [JSON.stringify(configWith())]);
        const before = await db.prisma.call.count();
        await expect.poll(() => db.prisma.call.count(), { interval: 5 }).toBeGreaterThan(before);
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
        // One of the killed worker's jobs is added again, as a relay does that was not told in time.
        await queue.add('again-' + round, batchOf(sets[round]!.entries));
      }
      await sending;
      await work();
      await expect.poll(() => queue.counts()).toMatchObject({ waiting: 0, active: 0, delayed: 0, failed: 0 });
      for (const set of sets) await expectAllOnce(set);
    });

    test('ends what it has in hand on SIGTERM, and exits with 0', async () => {
      const some = calls(300);
      const folder = await mkdtemp(path.join(tmpdir(), 'hoop-worker-'));
      const HOOP_ROW_PUBLIC_KEY_FILE = path.join(folder, 'rows.json');
      await writeFile(HOOP_ROW_PUBLIC_KEY_FILE, JSON.stringify(rowKeys.publicJwks));
      const redisUrl: Record<string, string> = kind === 'redis' ? { REDIS_URL: connection.url } : {};
      const child = await started(main, [], { DATABASE_URL: database.url, HOOP_ROW_PUBLIC_KEY_FILE, ...redisUrl });
      await send(some.entries);
      await expect.poll(() => queue.counts(), { interval: 1 }).toMatchObject({ waiting: 0 });
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await gone).toEqual([0, null]);
      await expectAllOnce(some);
      await rm(folder, { recursive: true });
    });

    test('waits for a database that is away and goes on when it is back', async () => {
      const some = calls(20);
      await work({ databaseUrl: gatedUrl });
      await gate.cut();
      await send(some.entries);
      await expect.poll(() => queue.counts()).toMatchObject({ waiting: 0, active: 1 });
      await gate.restore();
      await settled();
      await expectAllOnce(some);
      expect(await queue.counts()).toMatchObject({ failed: 0 });
    });

    test.skipIf(kind === 'redis')('goes on after database and queue were away at once', async () => {
      await work({ databaseUrl: gatedUrl, queue: { kind: 'postgres', url: gatedUrl } });
      const some = calls(40);
      for (let round = 0; round < 4; round++) {
        await send(some.entries.slice(round * 20, round * 20 + 20));
        await gate.cut();
        await gate.restore();
      }
      await settled();
      await expectAllOnce(some);
    });

    test('closes in time during an outage of the database, and leaves the job for the next worker', async () => {
      const some = calls(5);
      await gate.cut();
      const worker = await work({ databaseUrl: gatedUrl });
      await send(some.entries);
      await expect.poll(() => queue.counts()).toMatchObject({ active: 1 });
      const from = performance.now();
      await worker.close();
      expect(performance.now() - from).toBeLessThan(outageMs);
      await gate.restore();
      await work();
      await settled();
      await expectAllOnce(some);
    });

    test('keeps as failed a batch with a call that cannot be written, and writes the others', async () => {
      const some = calls(3);
      const bad = sampleCall({ head: { snapshotRevision: 2 ** 40 } });
      await work();
      await send([...some.entries, bad.intent]);
      await queue.add('nonsense', { version: 3 });
      await expect.poll(() => queue.counts()).toMatchObject({ failed: 2, waiting: 0, active: 0 });
      const reasons = (await queue.failed(10)).map((job) => job.reason).sort();
      expect(reasons[0]).toContain(`1 of the calls in this batch could not be written, the others were: ${bad.outcome.callId}: `);
      expect(reasons[1]).toBe('The job is not a batch of records.');
      const said = Promise.withResolvers<Record<string, unknown>>();
      const log = pino({}, { write: (line) => said.resolve(JSON.parse(line) as Record<string, unknown>) });
      const watch = watchDeadLetters({ config: configWith(), log }, 20);
      expect(await said.promise).toMatchObject({ event: 'dead_letters', jobs: 2, level: 50 });
      await watch.close();
      await expectAllOnce(some);
    });

    test('closes as unknown what no outcome came for, and believes an outcome that comes after all', async () => {
      const { intent, outcome } = sampleCall({
        outcome: { state: 'failed', status: 502, error: 'target_reset' } satisfies Partial<OutcomeEntry>,
      });
      await work({ orphanSeconds: 1 });
      await send([intent]);
      await expect.poll(() => stateOf(outcome.callId)).toBe('unknown');
      expect(await db.prisma.session.findUnique({ where: { id: outcome.sessionId } })).toMatchObject({ callCount: 1, failedCount: 1 });
      await send([outcome]);
      await expect.poll(() => stateOf(outcome.callId)).toBe('failed');
      expect(await db.prisma.session.findUnique({ where: { id: outcome.sessionId } })).toMatchObject({ callCount: 1, failedCount: 1 });
      expect(await db.prisma.logPending.count({ where: { refId: outcome.callId } })).toBe(2);
    });
  });
});

test('says which variable is missing', async () => {
  const child = fork(main, [], {
    execArgv: ['--conditions=@hoop/source'],
    env: bareEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let output = '';
  child.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(output).toContain('DATABASE_URL is not set');
});
