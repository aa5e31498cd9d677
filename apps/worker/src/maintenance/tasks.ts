import type { MaintenanceTask } from '@hoop/contract';
import { closeOrphans, ensurePartitions, purgeCalls, retentionRules } from '@hoop/database';

import type { WorkerContext } from '../context.ts';

/** What each task does. All can be run at any time, by any number of workers, and again after a failure. */
export const tasks: Readonly<Record<MaintenanceTask, (context: WorkerContext, signal: AbortSignal) => Promise<void>>> = {
  async orphans({ config, db, log }, signal) {
    for (let closed = batch; closed === batch && !signal.aborted; ) {
      closed = await closeOrphans(db.pool, config.orphanSeconds, batch);
      if (closed > 0) log.warn({ event: 'orphans_closed', calls: closed }, 'calls whose relay did not say how they ended are closed as unknown');
    }
  },

  async retention({ db, log, now }, signal) {
    for (const rule of await retentionRules(db.prisma)) {
      let purged = 0;
      for (let isDone = false; !isDone && !signal.aborted; ) {
        const result = await db.inTransaction((tx) => purgeCalls(tx, rule, now()));
        purged += result.purged;
        isDone = result.isDone;
      }
      if (purged > 0) log.info({ event: 'calls_purged', calls: purged, connection: rule.connectionId });
    }
  },

  partitions: ({ db }) => ensurePartitions(db.prisma),
};

const batch = 1000;

/** Milliseconds between two runs. */
export const intervals = (orphanSeconds: number): Readonly<Record<MaintenanceTask, number>> => ({
  orphans: Math.min(Math.max(orphanSeconds * 250, 1000), 30_000),
  retention: 60_000,
  partitions: 3_600_000,
});
