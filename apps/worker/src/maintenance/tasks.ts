import type { MaintenanceTask } from '@hoop/contract';
import {
  closeLostDeferredCalls,
  closeOrphans,
  dueDeliveries,
  enqueueOutbox,
  ensurePartitions,
  expireApproval,
  overdueApprovals,
  purgeCalls,
  purgeDeferredCalls,
  retentionRules,
  stuckReadyCalls,
} from '@hoop/database';

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

  // What follows does what a lost job would have done.

  async approvals({ db, now }, signal) {
    for (const id of await overdueApprovals(db.prisma, now(), batch)) {
      if (signal.aborted) return;
      await db.inTransaction((tx) => expireApproval(tx, id, now()));
    }
  },

  async deliveries({ db, now }) {
    const due = await dueDeliveries(db.prisma, new Date(now() - graceMs), batch);
    await enqueueOutbox(db.prisma, due.map((deliveryId) => ({ topic: 'delivery.due', payload: { deliveryId } })));
  },

  async deferred({ db, log, now }) {
    const stuck = await stuckReadyCalls(db.prisma, now() - graceMs, batch);
    await enqueueOutbox(db.prisma, stuck.map((callId) => ({ topic: 'deferred.ready', payload: { callId } })));
    const { unknown } = await db.inTransaction((tx) => closeLostDeferredCalls(tx, now() - lostAfterMs, batch, now()));
    if (unknown.length > 0) log.warn({ event: 'deferred_lost', calls: unknown.length }, 'deferred calls whose relay did not come back are closed as unknown');
    await purgeDeferredCalls(db.prisma, now(), batch);
  },
};

/** A job has so long to be taken before it counts as lost. */
const graceMs = 60_000;
/** Longer than a relay runs a deferred call. */
const lostAfterMs = 660_000;

const batch = 1000;

/** Milliseconds between two runs. */
export const intervals = (orphanSeconds: number): Readonly<Record<MaintenanceTask, number>> => ({
  orphans: Math.min(Math.max(orphanSeconds * 250, 1000), 30_000),
  retention: 60_000,
  partitions: 3_600_000,
  approvals: 15_000,
  deliveries: 30_000,
  deferred: 30_000,
});
