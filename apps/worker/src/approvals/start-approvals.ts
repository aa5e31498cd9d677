/** Everything that happens to approvals without a request: telling people, reminding, escalating, expiring. */
import { setTimeout as delay } from 'node:timers/promises';

import { queueNames, shownRequestSchema } from '@hoop/contract';
import { readApproval, readShown } from '@hoop/database';
import { deadLetter, openQueue, openQueueWorker } from '@hoop/queue';
import type { QueueWorkerOptions } from '@hoop/queue';
import { openBody, openDataKey, Secret } from '@hoop/sealing';
import { createGuardedFetch } from '@hoop/upstream';

import type { Part, WorkerContext } from '../context.ts';
import { handleNotificationJob, standardRetryDelaysMs } from '../notifications/handle-notification-job.ts';
import type { NotificationContext } from '../notifications/handle-notification-job.ts';
import { startOutboxDrain } from '../outbox/drain-outbox.ts';
import type { OutboxDrain } from '../outbox/drain-outbox.ts';
import type { ApprovalJob, NotificationJob, RelayJob } from '../outbox/jobs.ts';
import { handleApprovalJob } from './handle-approval-job.ts';

export function startApprovals(context: WorkerContext): Part {
  const { config, db, log, now } = context;
  const queues = {
    approvals: openQueue<ApprovalJob>(queueNames.approvals, config.queue, { maxConnections: 2 }),
    notifications: openQueue<NotificationJob>(queueNames.notifications, config.queue, { maxConnections: 2 }),
    relay: openQueue<RelayJob>(queueNames.relay, config.queue, { maxConnections: 2 }),
  };
  const closing = new AbortController();
  const onError = (error: Error): void => log.error({ event: 'approvals_failed', error: error.message });
  const options: QueueWorkerOptions = { ...(config.lockMs === undefined ? {} : { lockMs: config.lockMs }), onError };

  const approvals = openQueueWorker<ApprovalJob>(
    queueNames.approvals,
    config.queue,
    (job) =>
      handleApprovalJob(
        { db, notifications: queues.notifications, now, publicUrl: config.publicUrl ?? 'http://127.0.0.1:7700' },
        known(job.payload),
      ),
    { ...options, concurrency: 4 },
  );
  const notificationContext = createNotificationContext(context, queues.notifications);
  const notifications = openQueueWorker<NotificationJob>(
    queueNames.notifications,
    config.queue,
    (job) => handleNotificationJob(notificationContext, known(job.payload)),
    { ...options, concurrency: 8 },
  );

  let drain: OutboxDrain | null = null;
  /** An outage at the start only delays it. */
  async function startDrain(): Promise<void> {
    for (let waitMs = 250; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, 5000)) {
      try {
        drain = await startOutboxDrain({ db, queues, now }, onError);
        return;
      } catch (error) {
        onError(error as Error);
        await delay(waitMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }
  const starting = startDrain();

  return {
    async close() {
      closing.abort();
      await starting;
      await drain?.close();
      await Promise.all([approvals.close(), notifications.close()]);
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
    },
  };
}

/** A job of a version that this worker does not know is kept for one that does. */
function known<T extends { readonly version: number }>(job: T): T {
  if (typeof job !== 'object' || job === null || job.version !== 1)
    throw deadLetter('The job is of a version that this worker does not know.');
  return job;
}

function createNotificationContext(
  { config, db, log, now }: WorkerContext,
  notifications: NotificationContext['notifications'],
): NotificationContext {
  return {
    db,
    notifications,
    now,
    random: Math.random,
    createFetch: createGuardedFetch,
    onError: (error) => log.error({ event: 'channel_secret_unreadable', error: error.message }),
    retryDelaysMs: config.notificationRetriesMs ?? standardRetryDelaysMs,
    async openSecret(sealed, channelId) {
      if (config.notificationKeys === undefined)
        throw new Error('HOOP_NOTIFICATION_KEY_FILE is not set: the secrets of channels cannot be opened.');
      const [wrapped = '', body = ''] = sealed.split('~');
      const key = await openDataKey(config.notificationKeys, wrapped);
      return new Secret(openBody(key, body, `${channelId}:secret`).toString('utf8'));
    },
    async shownRequest(approvalId) {
      if (config.recordingKeys === undefined) return null;
      const [approval, shown] = [await readApproval(db.prisma, approvalId), await readShown(db.prisma, approvalId)];
      if (approval === null || shown === null) return null;
      try {
        const key = await openDataKey(config.recordingKeys, shown.wrappedKey);
        return shownRequestSchema.parse(
          JSON.parse(openBody(key, shown.sealed.toString('base64'), `${approval.callId}:approval`).toString('utf8')),
        );
      } catch (error) {
        // The message goes out without the request, and so without buttons.
        log.error({ event: 'shown_request_unreadable', approvalId, error: (error as Error).message });
        return null;
      }
    },
  };
}
