/** Turns outbox rows into jobs: the jobs first, then the rows go, so that a crash between the two repeats and loses nothing. */
import { deleteOutboxRows, outboxChannel, readApproval, readOutbox } from '@hoop/database';
import type { Database } from '@hoop/database';
import type { JobQueue } from '@hoop/queue';

import { outboxJobs } from './jobs.ts';
import type { ApprovalJob, NotificationJob, OutboxJob, RelayJob } from './jobs.ts';

export interface OutboxQueues {
  readonly approvals: JobQueue<ApprovalJob>;
  readonly notifications: JobQueue<NotificationJob>;
  readonly relay: JobQueue<RelayJob>;
}

export interface DrainContext {
  readonly db: Database;
  readonly queues: OutboxQueues;
  readonly now: () => number;
}

function addJob(queues: OutboxQueues, job: OutboxJob): Promise<void> {
  const options = { delayMs: job.delayMs };
  if (job.queue === 'approvals') return queues.approvals.add(job.jobId, job.payload, options);
  if (job.queue === 'notifications') return queues.notifications.add(job.jobId, job.payload, options);
  return queues.relay.add(job.jobId, job.payload, options);
}

/** Drains one batch; returns how many rows it took. Throws where a queue does not take a job: its row stays. */
export async function drainOutbox({ db, queues, now }: DrainContext, limit = 200): Promise<number> {
  const rows = await readOutbox(db.prisma, limit);
  const done: bigint[] = [];
  try {
    for (const row of rows) {
      const approvalId = row.payload['approvalId'];
      const approval = approvalId === undefined ? null : await readApproval(db.prisma, approvalId);
      for (const job of outboxJobs(row, approval, now())) await addJob(queues, job);
      done.push(row.id);
    }
  } finally {
    if (done.length > 0) await deleteOutboxRows(db.prisma, done);
  }
  return rows.length;
}

export interface OutboxDrain {
  close(): Promise<void>;
}

/** Drains whenever a transaction wrote to the outbox, and every `everyMs` in case a notification got lost. @default 2000 */
export async function startOutboxDrain(context: DrainContext, onError: (error: Error) => void, everyMs = 2000): Promise<OutboxDrain> {
  let isClosed = false;
  let isWanted = false;
  let running: Promise<void> | null = null;

  async function work(): Promise<void> {
    try {
      do {
        isWanted = false;
        while (!isClosed && (await drainOutbox(context)) > 0);
      } while (isWanted && !isClosed);
    } catch (error) {
      onError(error as Error);
    }
    running = null;
  }
  function wake(): void {
    isWanted = true;
    if (!isClosed) running ??= work();
  }

  const unlisten = await context.db.listen(outboxChannel, wake);
  const timer = setInterval(wake, everyMs);
  wake();
  return {
    async close() {
      isClosed = true;
      clearInterval(timer);
      await unlisten().catch(() => undefined);
      await running;
    },
  };
}
