import { AppError } from '@hoop/contract';

import type { Context } from '../context.ts';

/** Scans of the record read and decrypt much: a few at a time, so that token exchange and administration stay quick. */
const maxScans = 3;
const running = new WeakMap<Context, number>();

/** @throws AppError `unavailable` where as many run already as may */
export async function asScan<T>(context: Context, scan: () => Promise<T>): Promise<T> {
  const count = running.get(context) ?? 0;
  if (count >= maxScans) {
    throw new AppError(
      'unavailable',
      `${maxScans} scans of the record are running, which is as many as run at a time. Try again when one has ended.`,
      {
        headers: { 'retry-after': '5' },
      },
    );
  }
  running.set(context, count + 1);
  try {
    return await scan();
  } finally {
    running.set(context, running.get(context)! - 1);
  }
}

/** Ends a scan at what comes first: its time is up, its client has gone, or we shut down. */
export function scanLimit(
  context: Context,
  response: { readonly destroyed: boolean },
  maxSeconds: number,
): { isUp(): boolean; isAbandoned(): boolean } {
  const until = performance.now() + maxSeconds * 1000;
  return {
    isUp: () => performance.now() >= until,
    isAbandoned: () => response.destroyed || context.isDraining(),
  };
}
