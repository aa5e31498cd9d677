import { readRevision, revisionChannel, type Database } from '@hoop/database';
import type { Logger } from 'pino';

export type OnRevision = (revision: number) => void;

/** Tells subscribers of the newest revision: on every change, and as a heartbeat. */
export interface Revisions {
  /** @returns what ends the subscription */
  subscribe(fn: OnRevision): () => void;
  close(): Promise<void>;
}

/** A relay that hears nothing for its staleness limit (30 s by default) stops, so this must be well below. */
export const heartbeatMs = 5000;

/**
 * Each beat reads the revision from the database: while that does not answer nothing is sent, because a relay must not
 * take a control plane that may have missed a revocation for one that knows of none.
 */
export async function createRevisions({ database, log }: { database: Database; log: Logger }): Promise<Revisions> {
  const subscribers = new Set<OnRevision>();
  const tell = (revision: number): void => {
    for (const fn of subscribers) fn(revision);
  };
  let isReading = false;

  async function beat(): Promise<void> {
    if (isReading || subscribers.size === 0) return;
    isReading = true;
    try {
      tell(await readRevision(database.prisma));
    } catch (error) {
      log.warn({ err: error }, 'no heartbeat to relays: the revision cannot be read');
    } finally {
      isReading = false;
    }
  }

  const unlisten = await database.listen(revisionChannel, (payload) => {
    // After a lost connection a notification may have been missed.
    if (payload === null) void beat();
    else tell(Number(payload));
  });
  const timer = setInterval(() => void beat(), heartbeatMs);
  // The listener keeps the process up; a start that fails must not be kept up by this.
  timer.unref();

  return {
    subscribe(fn) {
      subscribers.add(fn);
      return () => subscribers.delete(fn);
    },
    async close() {
      clearInterval(timer);
      subscribers.clear();
      await unlisten();
    },
  };
}
