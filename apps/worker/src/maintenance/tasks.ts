import type { MaintenanceTask } from '@hoop/contract';
import {
  checkIntegrity,
  checkRecords,
  closeLostDeferredCalls,
  closeOrphans,
  dueDeliveries,
  enqueueOutbox,
  ensurePartitions,
  guardOf,
  expireApproval,
  overdueApprovals,
  overdueEscalations,
  purgeCalls,
  purgeDeferredCalls,
  readCheckState,
  readIntegrityState,
  recordLostConsumptions,
  retentionRules,
  stuckReadyCalls,
  writeCheckState,
  writeIntegrityState,
  type RecordCheck,
  type RecordFindingKind,
} from '@hoop/database';

import type { WorkerContext } from '../context.ts';
import { raiseIntegrityAlarm, type IntegrityCode } from '../log/integrity-alarm.ts';
import { keepBlobs } from './keep-blobs.ts';
import { purgeHistory } from './purge-history.ts';

/** The maintenance tasks. Each can run at any time, on any number of workers, and again after a failure. */
export const tasks: Readonly<Record<MaintenanceTask, (context: WorkerContext, signal: AbortSignal) => Promise<void>>> = {
  async orphans({ config, db, log, now }, signal) {
    for (let closed = batch; closed === batch && !signal.aborted;) {
      closed = await closeOrphans(db.pool, config.orphanSeconds, batch);
      if (closed > 0)
        log.warn({ event: 'orphans_closed', calls: closed }, 'calls whose relay did not say how they ended are closed as unknown');
    }
    for (let looked = batch; looked === batch && !signal.aborted;) {
      const result = await recordLostConsumptions(db.pool, now() - config.orphanSeconds * 1000, batch);
      looked = result.looked;
      if (result.lost.length > 0)
        log.warn(
          { event: 'approvals_lost', approvals: result.lost.slice(0, 20), count: result.lost.length },
          'approvals were used by calls of which there was no record',
        );
    }
  },

  async retention(context, signal) {
    const { db, log, now } = context;
    for (const rule of await retentionRules(db.prisma)) {
      let purged = 0;
      for (let isDone = false; !isDone && !signal.aborted;) {
        const result = await db.inTransaction((tx) => purgeCalls(tx, rule, now()));
        purged += result.purged;
        isDone = result.isDone;
      }
      if (purged > 0) log.info({ event: 'calls_purged', calls: purged, connection: rule.connectionId });
    }
    await purgeHistory(context, signal);
  },

  partitions: ({ db }) => ensurePartitions(db.prisma),

  async blobs(context, signal) {
    await keepBlobs(context, signal);
  },

  // The rest does the work of jobs that were lost.

  async approvals({ db, now }, signal) {
    for (const id of await overdueApprovals(db.prisma, now(), batch)) {
      if (signal.aborted) return;
      await db.inTransaction((tx) => expireApproval(tx, id, now()));
    }
    const unasked = await overdueEscalations(db.prisma, now() - graceMs, batch);
    await enqueueOutbox(
      db.prisma,
      unasked.map((approvalId) => ({ topic: 'approval.escalation_due', payload: { approvalId } })),
    );
  },

  async deliveries({ db, now }) {
    const due = await dueDeliveries(db.prisma, new Date(now() - graceMs), batch);
    await enqueueOutbox(
      db.prisma,
      due.map((deliveryId) => ({ topic: 'delivery.due', payload: { deliveryId } })),
    );
  },

  async deferred({ config, db, log, now }) {
    const stuck = await stuckReadyCalls(db.prisma, now() - graceMs, batch);
    await enqueueOutbox(
      db.prisma,
      stuck.map((callId) => ({ topic: 'deferred.ready', payload: { callId } })),
    );
    const bounds = {
      claimedBefore: now() - (config.deferredLostSeconds ?? lostAfterSeconds) * 1000,
      concludedBefore: now() - graceMs,
      limit: batch,
    };
    const { unknown } = await db.inTransaction((tx) => closeLostDeferredCalls(tx, bounds, now()));
    if (unknown.length > 0)
      log.warn({ event: 'deferred_lost', calls: unknown.length }, 'deferred calls whose relay did not come back are closed as unknown');
    await purgeDeferredCalls(db.prisma, now(), batch);
  },

  async record_check(context, signal) {
    const { db, log, now } = context;
    const end = now() + checkMs;
    let after: string | null = await readCheckState(db.pool);
    while (after !== null && now() < end && !signal.aborted) {
      const part = await checkRecords(db.pool, { after, limit: batch, repair: true, guard: guardOf(db.prisma) });
      for (const { kind, id, detail, repaired } of part.findings) {
        log[repaired ? 'warn' : 'error']({ event: 'records_drifted', kind, id, repaired }, detail);
        if (kind === 'digest_mismatch') await raiseIntegrityAlarm(context, 'record_altered', detail);
      }
      after = part.next;
      await writeCheckState(db.pool, after);
    }
  },

  async integrity_check(context, signal) {
    const { db, log, now } = context;
    const end = now() + checkMs;
    let after: string | null = await readIntegrityState(db.prisma);
    let told = 0;
    while (after !== null && now() < end && !signal.aborted) {
      const part: RecordCheck = await checkIntegrity(db, after, batch);
      for (const { kind, id, detail } of part.findings) {
        log.error({ event: 'integrity_broken', kind, id }, detail);
        if (told++ < maxAlarms) await raiseIntegrityAlarm(context, alarms[kind] ?? 'row_not_authentic', detail);
      }
      after = part.next;
      await writeIntegrityState(db.prisma, after);
    }
  },
};

/** Findings that raise an alarm each; the others are only logged. */
const alarms: Readonly<Partial<Record<RecordFindingKind, IntegrityCode>>> = {
  digest_mismatch: 'record_altered',
  record_missing: 'record_missing',
  log_changed: 'log_tampered',
};

/** Security events of one run; the process log has all. */
const maxAlarms = 100;

/** One run of the check goes on for so long; the next goes on where it stopped. */
const checkMs = 10_000;
/** Longer than a relay runs a deferred call. */
const lostAfterSeconds = 660;
/** A job has so long to be taken before it counts as lost. */
const graceMs = 60_000;

const batch = 1000;

/** Milliseconds between two runs. */
export const intervals = (orphanSeconds: number): Readonly<Record<MaintenanceTask, number>> => ({
  orphans: Math.min(Math.max(orphanSeconds * 250, 1000), 30_000),
  retention: 60_000,
  partitions: 3_600_000,
  approvals: 15_000,
  deliveries: 30_000,
  deferred: Math.min(Math.max(orphanSeconds * 250, 1000), 30_000),
  record_check: 300_000,
  integrity_check: 60_000,
  blobs: 60_000,
});
