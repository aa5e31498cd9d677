import { setTimeout as delay } from 'node:timers/promises';

import type { RecordEntry } from '@hoop/contract';
import type { RejectedEntry } from '@hoop/database';

export interface GroupWriterOptions {
  /** Writes all entries in one transaction; names those that cannot be written. */
  readonly write: (entries: readonly RecordEntry[]) => Promise<readonly RejectedEntry[]>;
  /** True where waiting and writing again may help. */
  readonly isOutage: (error: unknown) => boolean;
  /** Told of every failed attempt during an outage. */
  readonly onOutage: (error: Error) => void;
  /** Entries in one transaction at most, unless one job alone has more. @default 4096 */
  readonly maxEntries?: number;
  /** Characters of sealed bodies in one transaction at most, likewise. @default 32 Mi */
  readonly maxSealed?: number;
  /** Transactions under way at once: one has Postgres work while the next is made. @default 1 */
  readonly parallel?: number;
  /** Milliseconds between attempts during an outage: the first, doubling up to the last. @default [100, 5000] */
  readonly retryMs?: readonly [number, number];
}

export interface GroupWriter {
  /**
   * Resolves once the entries are committed, with those that the database cannot hold. Rejects where the write fails
   * for another reason than an outage, or `signal` is aborted during one: then hand the entries in again.
   */
  write(entries: readonly RecordEntry[], signal: AbortSignal): Promise<RejectedEntry[]>;
}

interface Waiting {
  readonly entries: readonly RecordEntry[];
  /** Characters of its sealed bodies. */
  readonly sealed: number;
  readonly signal: AbortSignal;
  readonly resolve: (rejected: RejectedEntry[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: while as many transactions are under way as may be, the jobs that arrive wait, and all go into the next. An outage of
 * the database is waited out here, with the jobs in hand: it is not their fault and must not use up their attempts.
 */
export function createGroupWriter(options: GroupWriterOptions): GroupWriter {
  const { maxEntries = 4096, maxSealed = 33_554_432, parallel = 1, retryMs = [100, 5000] } = options;
  const waiting: Waiting[] = [];
  let running = 0;

  async function run(): Promise<void> {
    running++;
    // Entries that arrive in this turn of the event loop join the group.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await writeGroup(nextGroup());
    running--;
  }

  function nextGroup(): Waiting[] {
    let entries = 0;
    let sealed = 0;
    let count = 0;
    for (const one of waiting) {
      entries += one.entries.length;
      sealed += one.sealed;
      if (count > 0 && (entries > maxEntries || sealed > maxSealed)) break;
      count += 1;
    }
    return waiting.splice(0, count);
  }

  async function writeGroup(group: readonly Waiting[]): Promise<void> {
    const entries = group.flatMap((one) => one.entries);
    for (let attempt = 0; ; attempt++) {
      try {
        const rejected = await options.write(entries);
        for (const one of group) one.resolve(rejected.length === 0 ? [] : ownOf(one.entries, rejected));
        return;
      } catch (error) {
        const isClosing = group.some((one) => one.signal.aborted);
        if (isClosing || !options.isOutage(error)) {
          for (const one of group) one.reject(error);
          return;
        }
        options.onOutage(error as Error);
        const { signal } = group[0]!;
        await delay(Math.min(retryMs[0] * 2 ** attempt, retryMs[1]), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  return {
    write: (entries, signal) =>
      new Promise((resolve, reject) => {
        waiting.push({ entries, sealed: entries.reduce((sum, entry) => sum + sealedOf(entry), 0), signal, resolve, reject });
        if (running < parallel) void run();
      }),
  };
}

function sealedOf(entry: RecordEntry): number {
  if (entry.type === 'intent') return 0;
  const { requestBody, responseBody } = entry.type === 'outcome' ? entry : entry.outcome;
  return (requestBody?.sealed?.length ?? 0) + (responseBody?.sealed?.length ?? 0);
}

function ownOf(entries: readonly RecordEntry[], rejected: readonly RejectedEntry[]): RejectedEntry[] {
  const own = new Set(entries.map((entry) => (entry.type === 'outcome' ? entry.callId : entry.head.callId)));
  return rejected.filter((one) => own.has(one.callId));
}
