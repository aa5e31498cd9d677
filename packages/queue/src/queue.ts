import { AppError } from '@hoop/contract';
import { assertSchemaCompatibility, createPostgresBackend, Job, Queue as BullQueue, withBackend } from 'bullmq';
import type { JobsOptions } from 'bullmq';

import type { QueueConnection } from './connection.ts';
import { packPayload, unpackPayload } from './payload.ts';
import type { StoredPayload } from './payload.ts';
import { judgeRedis, readRedisSettings, refuseLossy } from './durability.ts';
import { createQueuePool } from './postgres.ts';
import { createProducerRedis, redisReady } from './redis.ts';
import { within } from './within.ts';

export interface QueueOptions {
  /** Milliseconds within which every operation ends, one way or the other. @default 2000 */
  readonly timeoutMs?: number;
  /** Postgres connections at most. @default 4 */
  readonly maxConnections?: number;
  /** How often a job is tried before it is kept as failed. @default 10 */
  readonly attempts?: number;
  /** Completed jobs that are kept, so that their ids are not accepted again. @default 0 */
  readonly keepCompleted?: number;
}

export interface AddOptions {
  /** Milliseconds until the job may be taken. @default 0 */
  readonly delayMs?: number;
}

export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly completed: number;
  readonly failed: number;
}

/** A job that was given up: dead-lettered, kept until someone retries or removes it. */
export interface FailedJob<T> {
  readonly id: string;
  readonly payload: T;
  readonly reason: string;
  readonly attempts: number;
  readonly failedAt: Date;
}

/**
 * The producing side of one queue. Every method rejects with `AppError('unavailable')` when the server does not answer
 * in time; nothing is buffered to be sent later. After a timeout the job may nevertheless have been added: add it again
 * with the same id, which is idempotent while the job is in the queue.
 */
export interface JobQueue<T> {
  /** Resolves once the server has the job durably (as durably as it is configured to write). */
  add(jobId: string, payload: T, options?: AddOptions): Promise<void>;
  /**
   * As `add`, of a payload that is mostly bytes: they become its member `member`, in base64 (in which line feeds mean
   * nothing). On Postgres the server does that, which spares the caller most of the work.
   * @param head without NULs or lone surrogates in its strings, which Postgres' jsonb refuses
   * @param bytes not changed until the promise is settled
   */
  addBytes<M extends string>(jobId: string, head: Omit<T, M>, member: M, bytes: Uint8Array): Promise<void>;
  /** In order. Where it fails in the middle, the first ones stay added: add all again. */
  addBulk(jobs: readonly { readonly jobId: string; readonly payload: T; readonly options?: AddOptions }[]): Promise<void>;
  /** One job each `everyMs`, from now on, under this schedule's id, tried once; again with the same id changes it. */
  repeat(scheduleId: string, everyMs: number, payload: T): Promise<void>;
  counts(): Promise<QueueCounts>;
  /** Newest first. */
  failed(limit: number): Promise<FailedJob<T>[]>;
  /** Gives every failed job its attempts again; resolves to their number. */
  retryFailed(): Promise<number>;
  close(): Promise<void>;
}

type Stored = BullQueue<StoredPayload, unknown, string>;

/** The differences between the two servers. */
interface Backend {
  /** Resolves once the server can be expected to answer. */
  ready(): Promise<void>;
  /** Rejects while the server is one that would lose what it acknowledges. */
  trusted(): Promise<void>;
  open(): Stored;
  /** Where the server can make the payload itself; otherwise it is made here. */
  addBytes?(queue: Stored, job: BytesJob): Promise<void>;
  close(): Promise<void>;
}

interface BytesJob {
  readonly id: string;
  readonly options: JobsOptions;
  readonly head: Readonly<Record<string, unknown>>;
  readonly member: string;
  readonly bytes: Uint8Array;
}

export function openQueue<T>(name: string, connection: QueueConnection, options: QueueOptions = {}): JobQueue<T> {
  const timeoutMs = options.timeoutMs ?? 2000;
  const backend =
    connection.kind === 'redis'
      ? redisBackend(name, connection, timeoutMs)
      : postgresBackend(name, connection.url, timeoutMs, options.maxConnections ?? 4);
  let opening: Promise<Stored> | undefined;
  let isClosed = false;

  async function open(): Promise<Stored> {
    await backend.ready();
    const queue = backend.open();
    try {
      await queue.waitUntilReady();
    } catch (error) {
      void queue.close().catch(() => undefined);
      throw error;
    }
    return queue;
  }

  /** BullMQ remembers a failed first connection forever, so only an instance that became ready is kept. */
  function opened(): Promise<Stored> {
    if (isClosed) return Promise.reject(new Error('The queue was closed.'));
    if (!opening) {
      const attempt = open();
      attempt.catch(() => {
        if (opening === attempt) opening = undefined;
      });
      opening = attempt;
    }
    return opening;
  }

  async function run<R>(what: (queue: Stored) => Promise<R>): Promise<R> {
    let isLate = false;
    try {
      // A write that did not start in time must not happen later, after the caller was told that it failed.
      return await within(
        timeoutMs,
        opened()
          .then(async (queue) => (await backend.trusted(), queue))
          .then((queue) => (isLate ? Promise.reject(new Error('Too late.')) : what(queue))),
      );
    } catch (cause) {
      isLate = true;
      throw new AppError('unavailable', `The queue "${name}" did not accept the request within ${timeoutMs} ms.`, { cause });
    }
  }

  const jobOptions = (jobId: string, add: AddOptions = {}): JobsOptions => ({
    ...defaults,
    jobId: checkedId(jobId),
    ...(add.delayMs ? { delay: add.delayMs } : {}),
  });
  const defaults: JobsOptions = {
    attempts: options.attempts ?? 10,
    backoff: { type: 'custom' },
    removeOnComplete: options.keepCompleted ? { count: options.keepCompleted } : true,
    removeOnFail: false,
    stackTraceLimit: 1,
  };

  return {
    async add(jobId, payload, add) {
      const entry = { data: packPayload(payload), opts: jobOptions(jobId, add) };
      await run((opened) => opened.add(name, entry.data, entry.opts));
    },
    async addBytes(jobId, head, member, bytes) {
      const job = { id: jobId, options: jobOptions(jobId), head, member, bytes };
      await run(async (opened) => {
        if (backend.addBytes) return backend.addBytes(opened, job);
        await opened.add(
          name,
          { json: { ...head, [member]: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64') } },
          job.options,
        );
      });
    },
    async addBulk(jobs) {
      const entries = jobs.map((job) => ({ data: packPayload(job.payload), opts: jobOptions(job.jobId, job.options) }));
      // BullMQ's own bulk statement creates a sequence, which the relay's role may not.
      await run(async (opened) => {
        for (const { data, opts } of entries) await opened.add(name, data, opts);
      });
    },
    async repeat(scheduleId, everyMs, payload) {
      const { jobId: _, ...opts } = jobOptions(scheduleId);
      // Failed work is repeated by the next run, so only a few old failures are kept.
      const template = { name, data: packPayload(payload), opts: { ...opts, attempts: 1, removeOnFail: { count: 20 } } };
      await run((opened) => opened.upsertJobScheduler(scheduleId, { every: everyMs }, template));
    },
    async counts() {
      const counts = await run((opened) => opened.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'completed', 'failed'));
      const of = (state: string): number => counts[state] ?? 0;
      return {
        waiting: of('waiting') + of('prioritized'),
        active: of('active'),
        delayed: of('delayed'),
        completed: of('completed'),
        failed: of('failed'),
      };
    },
    async failed(limit) {
      const jobs = await run((opened) => opened.getFailed(0, Math.max(0, limit - 1)));
      return jobs.map((job: Job<StoredPayload>) => ({
        id: job.id ?? '',
        payload: unpackPayload(job.data) as T,
        reason: job.failedReason ?? '',
        attempts: job.attemptsMade,
        failedAt: new Date(job.finishedOn ?? 0),
      }));
    },
    async retryFailed() {
      const { failed } = await this.counts();
      await run((opened) => opened.retryJobs({ state: 'failed' }));
      return failed;
    },
    async close() {
      isClosed = true;
      if (opening)
        await within(
          timeoutMs,
          opening.then((queue) => queue.close()),
        ).catch(() => undefined);
      await backend.close();
    },
  };
}

function postgresBackend(name: string, url: string, timeoutMs: number, max: number): Backend {
  const pool = createQueuePool(url, { max, timeoutMs, applicationName: `hoop-queue:${name}` });
  let storedOptions: JobsOptions | undefined;
  return {
    async ready() {
      const client = await pool.connect();
      try {
        await assertSchemaCompatibility(client);
      } finally {
        client.release();
      }
    },
    trusted: () => trusted,
    open() {
      const queue = new (withBackend(createPostgresBackend).Queue)(name, { connection: pool, streams: events });
      queue.on('error', () => undefined);
      // The classes differ in the type of their backend only, which is not used here.
      return queue as unknown as Stored;
    },
    async addBytes(queue, { id, options, head, member, bytes }) {
      // As BullMQ stores them; but for the id they are the same for all jobs.
      storedOptions ??= new Job(queue, '', { json: null }, options).asJSON().opts;
      await pool.query({
        name: 'hoop-add-bytes',
        text: addBytesStatement,
        values: [
          name,
          id,
          bytes,
          JSON.stringify(head),
          member,
          JSON.stringify({ ...storedOptions, jobId: id }),
          Date.now(),
          options.attempts,
        ],
      } as unknown as string);
    },
    async close() {
      await within(timeoutMs, pool.end()).catch(() => undefined);
    },
  };
}

/** BullMQ's own statement (add_job.sql), with a payload that the server makes of bytes. */
const addBytesStatement = `SELECT add_job(
  $1::text, $2, $1::text, jsonb_build_object('json', $4::jsonb || jsonb_build_object($5::text, encode($3::bytea, 'base64'))), $6::jsonb,
  0, 0, $7, $8, NULL, NULL, NULL, NULL, NULL, false) AS id`;

/** The session verifies durability itself: see `createQueuePool`. */
const trusted = Promise.resolve();

function redisBackend(name: string, connection: QueueConnection, timeoutMs: number): Backend {
  const redis = createProducerRedis(connection.url, timeoutMs);
  let judgement: Promise<void> | undefined;
  // After a reconnect the server may be another one, or have other settings.
  redis.on('close', () => (judgement = undefined));
  return {
    ready: () => redisReady(redis, timeoutMs),
    trusted() {
      if (!judgement) {
        const attempt = readRedisSettings(redis).then((settings) => refuseLossy(connection, judgeRedis(settings)));
        // Asked again the next time: the settings can be put right while the server runs.
        attempt.catch(() => {
          if (judgement === attempt) judgement = undefined;
        });
        judgement = attempt;
      }
      return judgement;
    },
    open() {
      const queue: Stored = new BullQueue(name, { connection: redis, prefix: 'hoop', streams: events });
      queue.on('error', () => undefined);
      return queue;
    },
    close() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}

/** Nobody reads BullMQ's event stream here; keep it short. */
const events = { events: { maxLen: 1000 } };

/** BullMQ takes a number for one of its own ids, and `:` for its separator. */
function checkedId(jobId: string): string {
  if (!/^[A-Za-z0-9_.-]{1,200}$/.test(jobId) || /^[0-9]+$/.test(jobId))
    throw new TypeError('A job id must be 1-200 of A-Z a-z 0-9 _ . - and not a number.');
  return jobId;
}
