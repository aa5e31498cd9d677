import { isDatabaseSlow } from './errors.ts';

/** Each attempt has the time limits of the pool, some seconds. */
const mostAttempts = 60;

/**
 * Repeats `work` while the database is there and only takes longer than a limit allows (Prisma's P2028 and P2024, a
 * connection that was not made in time), as on a loaded machine that starts. For work that changes nothing, or in one
 * transaction. Rejects with any other error at once, and with the last one after 60 attempts.
 */
export async function whileSlow<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === mostAttempts || !isDatabaseSlow(error)) throw error;
    }
  }
}
