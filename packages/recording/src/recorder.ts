/**
 * The relay's side of recording: group commit into its journal or the `recordings` queue. While a batch is on its way the next one
 * collects, so that the number of jobs follows the queue's own speed and not the number of calls. A promise resolves
 * when the queue holds the entry, and rejects with `recorder_unavailable` when it did not within the time limit.
 *
 * Nothing that was accepted is dropped: a batch whose waiters gave up is still sent, under the same job id, until the
 * queue takes it. What is pending is bounded; above the bound new entries are rejected at once.
 */
import { AppError } from '@hoop/contract';
import type { CallHead, OutcomeEntry, PackedRecordBatch } from '@hoop/contract';

import { BatchPacker, packEntry } from './recorder-pack.ts';
import type { PackedEntry } from './recorder-pack.ts';

export type BatchHead = Omit<PackedRecordBatch, 'packed'>;

/** A batch as the queue takes it: what `PackedRecordBatch` says, and the bytes that its `packed` stands for. */
export interface SentBatch {
  readonly head: BatchHead;
  readonly bytes: Uint8Array;
}

export interface RecorderOptions<Payload = SentBatch> {
  readonly relayId: string;
  /** The batch as it is sent; valid until the promise of `send` is settled. */
  readonly pack: (head: BatchHead, packer: BatchPacker) => Payload;
  /** Makes one batch durable. Sent again under the same id after a failure, so that a queue can ignore what it has. */
  readonly send: (jobId: string, batch: Payload) => Promise<unknown>;
  /** How long a caller waits for an entry to be durable, milliseconds. */
  readonly timeoutMs: number;
  /** Entries that may be pending. @default 20000 */
  readonly maxPending?: number;
  /** Jobs under way at once. @default 3 */
  readonly maxInFlight?: number;
  /** Entries that make it worth sending another job while one is under way. @default 64 */
  readonly eagerEntries?: number;
  /** Told of every failed attempt to send. */
  readonly onFailure?: (error: unknown, attempt: number) => void;
}

/** For a queue. */
export const packBatch = (head: BatchHead, packer: BatchPacker): SentBatch => ({ head, bytes: packer.finish() });

export interface Recorder {
  /** A record of the call before anything is sent. */
  intent(head: CallHead): Promise<void>;
  conclude(outcome: OutcomeEntry): Promise<void>;
  /** A call that was refused before its intent. */
  refuse(head: CallHead, outcome: OutcomeEntry, repeats?: number): Promise<void>;
  /** An entry that its maker has packed already. */
  add(entry: PackedEntry): Promise<void>;
  /** Entries accepted and not yet in the queue. */
  pending(): number;
  /** Sends what is pending, for `timeoutMs` at most; the number of entries that could not be sent. */
  close(timeoutMs: number): Promise<number>;
}

interface Batch<Payload> {
  readonly id: string;
  readonly packer: BatchPacker;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
  readonly timer: NodeJS.Timeout;
  readonly openedAt: number;
  payload: Payload | null;
}

const maxBatchEntries = 512;
const maxBatchBytes = 1024 * 1024;
/** How long a small batch waits while another job is under way. */
const lingerMs = 4;
const retryFirstMs = 25;
const retryMostMs = 1000;

/** An entry with more than this in sealed bodies travels in batches of bodies, so that no other entry waits behind it. */
const bulkyBytes = 64 * 1024;

export function createRecorder<Payload>(options: RecorderOptions<Payload>): Recorder {
  const { maxPending = 20_000, maxInFlight = 3 } = options;
  let sequence = 0;
  const nextId = (): string => `${options.relayId}-${++sequence}`;
  const entries = createLane(options, nextId, maxInFlight);
  const bodies = createLane(options, nextId, 1);
  const pending = (): number => entries.pending() + bodies.pending();
  let isClosed = false;

  function add(entry: PackedEntry): Promise<void> {
    if (isClosed || pending() >= maxPending) return Promise.reject(unavailable());
    return isBulky(entry) ? bodies.add(entry) : entries.add(entry);
  }

  return {
    add,
    intent: (head) => add({ line: JSON.stringify({ type: 'intent', head }), sealed: none }),
    conclude: (outcome) => add(packEntry(outcome)),
    refuse: (head, outcome, repeats) => add(packEntry({ type: 'refusal', head, outcome, ...(repeats ? { repeats } : {}) })),
    pending,
    async close(closeTimeoutMs) {
      isClosed = true;
      await Promise.all([entries.close(closeTimeoutMs), bodies.close(closeTimeoutMs)]);
      return pending();
    },
  };
}

function isBulky({ sealed, plain }: PackedEntry): boolean {
  let bytes = 0;
  for (const one of sealed) bytes += one.length;
  if (plain !== undefined) for (const one of plain) bytes += one.bytes;
  return bytes > bulkyBytes;
}

/** Batches that are collected and sent one after the other. */
interface Lane {
  add(entry: PackedEntry): Promise<void>;
  pending(): number;
  close(timeoutMs: number): Promise<void>;
}

function createLane<Payload>(options: RecorderOptions<Payload>, nextId: () => string, maxInFlight: number): Lane {
  const { relayId, pack, send, timeoutMs, eagerEntries = 64, onFailure } = options;
  const full: Batch<Payload>[] = [];
  let collecting: Batch<Payload> | null = null;
  let inFlight = 0;
  let pending = 0;
  let isScheduled = false;
  let linger: NodeJS.Timeout | undefined;
  let isAbandoned = false;
  const idle: (() => void)[] = [];

  function openBatch(): Batch<Payload> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Entries nobody waits for (refusals under load, relaxed outcomes) must not become unhandled rejections.
    promise.catch(() => {});
    const timer = setTimeout(() => reject(unavailable()), timeoutMs);
    return {
      id: nextId(),
      packer: new BatchPacker(),
      done: promise,
      resolve,
      reject,
      timer,
      openedAt: performance.now(),
      payload: null,
    };
  }

  function add(entry: PackedEntry): Promise<void> {
    const batch = (collecting ??= openBatch());
    batch.packer.add(entry);
    pending++;
    if (batch.packer.count >= maxBatchEntries || batch.packer.bytes >= maxBatchBytes) {
      full.push(batch);
      collecting = null;
    }
    schedule();
    return batch.done;
  }

  const isWorthwhile = (): boolean => inFlight === 0 || full.length > 0 || collecting!.packer.count >= eagerEntries;

  // At the end of the turn, so that what arrived in one turn travels together. With a job under way, a small batch
  // lingers until that job is done or a few milliseconds have passed.
  function schedule(): void {
    if (isScheduled || inFlight >= maxInFlight) return;
    if (isWorthwhile()) {
      isScheduled = true;
      setImmediate(flush);
    } else {
      linger ??= setTimeout(flush, lingerMs);
    }
  }

  function flush(): void {
    isScheduled = false;
    const isOverdue = linger !== undefined && collecting !== null && performance.now() - collecting.openedAt >= lingerMs;
    clearTimeout(linger);
    linger = undefined;
    while (inFlight < maxInFlight) {
      let batch = full.shift();
      if (!batch && collecting && (isOverdue || isWorthwhile())) {
        batch = collecting;
        collecting = null;
      }
      if (!batch) break;
      inFlight++;
      void deliver(batch);
    }
    if (collecting && inFlight < maxInFlight) schedule();
  }

  async function deliver(batch: Batch<Payload>): Promise<void> {
    for (let attempt = 1; !isAbandoned; attempt++) {
      try {
        batch.payload ??= pack({ version: 3, relayId, count: batch.packer.count }, batch.packer);
        await withinTime(send(batch.id, batch.payload), timeoutMs);
        pending -= batch.packer.count;
        batch.resolve();
        // After a failure an earlier attempt may still hold the bytes: then they are left to the collector.
        if (attempt === 1) batch.packer.release();
        break;
      } catch (error) {
        onFailure?.(error, attempt);
        await pause(Math.min(retryFirstMs * 2 ** (attempt - 1), retryMostMs));
      }
    }
    clearTimeout(batch.timer);
    inFlight--;
    if (pending === 0) for (const wake of idle.splice(0)) wake();
    if (!isAbandoned) flush();
  }

  return {
    add,
    pending: () => pending,
    async close(closeTimeoutMs) {
      if (pending > 0) {
        await new Promise<void>((wake) => {
          const timer = setTimeout(wake, closeTimeoutMs);
          idle.push(() => {
            clearTimeout(timer);
            wake();
          });
        });
      }
      isAbandoned = true;
      clearTimeout(linger);
      if (collecting) full.push(collecting);
      for (const batch of full) clearTimeout(batch.timer);
    },
  };
}

const none: readonly Uint8Array[] = [];

/** Nothing was sent, and the same call may be made again. */
export function unavailable(): AppError {
  return new AppError(
    'recorder_unavailable',
    'The record of this call could not be made durable in time, so the call was not carried out.',
    {
      headers: { 'retry-after': '1' },
    },
  );
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function withinTime(attempt: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the queue did not answer within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([attempt, late]);
  } finally {
    clearTimeout(timer);
  }
}
