/** Waits of tests. Each fails on a lack of progress and never on a total, so that a slow machine passes too, only later. */
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { vi } from 'vitest';

/** Milliseconds without any change after which something counts as stuck: far longer than one step takes on a slow machine. */
export const stuckAfterMs = 240_000;

export interface ProgressOptions {
  /** Milliseconds between two looks. @default 50 */
  readonly everyMs?: number;
  /** @default `stuckAfterMs` */
  readonly stuckAfterMs?: number;
}

/**
 * Looks again and again until `isDone`, and resolves to what was seen last. Rejects, naming `what`, once two looks that
 * are `stuckAfterMs` apart and all between them saw the same.
 */
export async function progressUntil<T>(
  what: string,
  look: () => T | Promise<T>,
  isDone: (seen: T) => boolean,
  options: ProgressOptions = {},
): Promise<T> {
  const patienceMs = options.stuckAfterMs ?? stuckAfterMs;
  let seen = await look();
  for (let changedAt = performance.now(); !isDone(seen);) {
    if (performance.now() - changedAt >= patienceMs)
      throw new Error(`${what}: no progress for ${patienceMs / 1000} seconds, stuck at ${JSON.stringify(seen)}`);
    await delay(options.everyMs ?? 50);
    const now = await look();
    if (!isDeepStrictEqual(now, seen)) changedAt = performance.now();
    seen = now;
  }
  return seen;
}

/** Repeats `check` until it no longer throws; then resolves to its value. Rejects with its last error after `stuckAfterMs`. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: stuckAfterMs, interval: 20 });

/** Sends the signal to a process that may have ended in the meantime; says whether it was still there. */
export function signalIfPresent(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
