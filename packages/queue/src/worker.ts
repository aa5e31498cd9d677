import { setTimeout as delay } from 'node:timers/promises';

import { assertSchemaCompatibility, createPostgresBackend, UnrecoverableError, withBackend, Worker as BullWorker } from 'bullmq';
import type { Job, WorkerOptions } from 'bullmq';

import type { QueueConnection } from './connection.ts';
import { unpackPayload } from './payload.ts';
import type { StoredPayload } from './payload.ts';
import { createQueuePool } from './postgres.ts';
import { createWorkerRedis, redisReady } from './redis.ts';
import { within } from './within.ts';

export interface QueueJob<T> {
  readonly id: string;
  readonly payload: T;
  /** 1 on the first try. */
  readonly attempt: number;
}

/**
 * Does the work of a job. May run more than once for one job (the process may die, the lock may be lost), so it must be
 * idempotent. Throwing has the job tried again, later and later; throwing what `deadLetter` makes has it kept as failed
 * at once. `signal` is aborted when the worker closes: wait for nothing then.
 */
export type JobHandler<T> = (job: QueueJob<T>, signal: AbortSignal) => Promise<void>;

export interface QueueWorkerOptions {
  /** Jobs that are worked on at a time. @default 1 */
  readonly concurrency?: number;
  /** Milliseconds after which the job of a process that died may be taken by another. @default 15000 */
  readonly lockMs?: number;
  /** Told of connection troubles and failed attempts; never of payloads. */
  readonly onError?: (error: Error) => void;
  /** Told once connected, and so able to take jobs. */
  readonly onReady?: () => void;
}

export interface QueueWorker {
  /** Takes no more jobs, waits for those that run (at most `timeoutMs`, @default 10000), and disconnects. */
  close(timeoutMs?: number): Promise<void>;
}

/** An error after which a job is not tried again, but kept as failed with this message. */
export function deadLetter(message: string): Error {
  return new UnrecoverableError(message);
}

interface BullLike {
  on(event: 'error' | 'failed', listener: (...args: never[]) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(force?: boolean): Promise<void>;
}

type Processor = (job: Job<StoredPayload>) => Promise<void>;

interface Backend {
  ready(): Promise<void>;
  open(processor: Processor, options: Omit<WorkerOptions, 'connection'>): BullLike;
  close(): Promise<void>;
}

/** Starts at once and keeps retrying while the server is away, so that an outage ends without help. */
export function openQueueWorker<T>(
  name: string,
  connection: QueueConnection,
  handler: JobHandler<T>,
  options: QueueWorkerOptions = {},
): QueueWorker {
  const concurrency = options.concurrency ?? 1;
  const lockMs = options.lockMs ?? 15_000;
  const report = options.onError ?? ((): void => undefined);
  const closing = new AbortController();
  const backend = connection.kind === 'redis' ? redisBackend(name, connection.url) : postgresBackend(name, connection.url, concurrency);

  const processor: Processor = (job) => {
    let payload: T;
    try {
      payload = unpackPayload(job.data) as T;
    } catch (error) {
      throw deadLetter(`The payload cannot be read: ${(error as Error).message}`);
    }
    return handler({ id: job.id ?? '', payload, attempt: job.attemptsMade + 1 }, closing.signal);
  };

  async function open(): Promise<BullLike> {
    await backend.ready();
    const worker = backend.open(processor, {
      concurrency,
      lockDuration: lockMs,
      stalledInterval: Math.max(500, Math.floor(lockMs / 3)),
      // A job must survive many deaths of its worker; one that kills its worker each time still ends as failed.
      maxStalledCount: 25,
      runRetryDelay: 1000,
      drainDelay: 5,
      settings: { backoffStrategy: retryDelay },
    });
    worker.on('error', report);
    worker.on('failed', (_job: unknown, error: Error) => report(error));
    try {
      await worker.waitUntilReady();
    } catch (error) {
      // BullMQ remembers a failed first connection forever: this one would never take a job.
      void worker.close(true).catch(() => undefined);
      throw error;
    }
    return worker;
  }

  async function start(): Promise<BullLike | undefined> {
    for (let attempt = 0; !closing.signal.aborted; attempt++) {
      try {
        const worker = await open();
        options.onReady?.();
        return worker;
      } catch (error) {
        report(error as Error);
        await delay(Math.min(250 * 2 ** Math.min(attempt, 5), 5000), undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
    return undefined;
  }
  const started = start();

  return {
    async close(timeoutMs = 10_000) {
      closing.abort();
      // A job that does not end in time stays locked, and is taken again when the lock expires.
      await within(
        timeoutMs,
        started.then((worker) => worker?.close()),
      ).catch(report);
      await backend.close();
    },
  };
}

/** Milliseconds before attempt `n + 1`: 0.5 s doubling to a minute, with a fifth of jitter so that retries spread. */
function retryDelay(attemptsMade: number): number {
  const base = Math.min(500 * 2 ** Math.min(attemptsMade - 1, 10), 60_000);
  return Math.round(base * (0.9 + Math.random() * 0.2));
}

function postgresBackend(name: string, url: string, concurrency: number): Backend {
  // One connection for LISTEN, one for renewing locks while the others are busy.
  const pool = createQueuePool(url, { max: concurrency + 2, timeoutMs: 10_000, applicationName: `hoop-worker:${name}` });
  return {
    async ready() {
      const client = await pool.connect();
      try {
        await assertSchemaCompatibility(client);
      } finally {
        client.release();
      }
    },
    open: (processor, options) =>
      new (withBackend(createPostgresBackend).Worker)<StoredPayload>(name, processor, { ...options, connection: pool }),
    async close() {
      await within(2000, pool.end()).catch(() => undefined);
    },
  };
}

function redisBackend(name: string, url: string): Backend {
  const redis = createWorkerRedis(url);
  return {
    ready: () => redisReady(redis, 5000),
    open: (processor, options) => new BullWorker<StoredPayload>(name, processor, { ...options, connection: redis, prefix: 'hoop' }),
    close() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}
