/** A target gives back the credential: who is notified, with which facts, and how often. */
import { newId } from '@hoop/contract';
import { createChannel, recordEntries } from '@hoop/database';
import type { Database } from '@hoop/database';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import { createGuardedFetch } from '@hoop/upstream';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { sampleCall } from '../../../../packages/database/test/sample-entries.ts';
import { drainOutbox } from '../outbox/drain-outbox.ts';
import type { OutboxQueues } from '../outbox/drain-outbox.ts';
import type { NotificationJob } from '../outbox/jobs.ts';
import { handleNotificationJob } from './handle-notification-job.ts';
import { slackMessage } from './slack.ts';
import { openSignedDatabase } from '../../../../packages/database/test/row-keys.ts';

const start = Date.UTC(2026, 10, 24, 12);
let now = start;
let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openSignedDatabase(database.url);
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

const jobs: NotificationJob[] = [];
const notifications = { add: async (_id: string, job: NotificationJob) => void jobs.push(job) } as OutboxQueues['notifications'];
const context = {
  notifications,
  now: () => now,
  random: () => 0,
  createFetch: createGuardedFetch,
  openSecret: () => Promise.reject(new Error('not asked')),
  shownRequest: async () => null,
  onError: () => undefined,
  retryDelaysMs: [],
};

async function happen(): Promise<{ callId: string }> {
  const { intent, outcome } = sampleCall({ at: now, outcome: { credentialReflected: true, leaseFingerprint: '0123456789abcdef' } });
  await recordEntries(db.pool, [intent, outcome]);
  await drainOutbox({ db, queues: { notifications } as OutboxQueues, now: () => now });
  for (const job of jobs.splice(0)) if (job.kind === 'credential_reflected') await handleNotificationJob({ ...context, db }, job);
  return outcome;
}
const deliveries = () => db.prisma.notificationDelivery.findMany({ orderBy: { id: 'asc' } });

test('channels that want to know are told once an hour, with the call and without the credential', async () => {
  const channel = (name: string, events: string[], reviewers: string[] = []) =>
    createChannel(
      db.prisma,
      {
        id: newId('notification_channel'),
        name,
        kind: 'webhook',
        url: 'https://alerts.example',
        allowedCidrs: [],
        events,
        reviewers,
        sealed: '',
        settings: {},
        disabled: false,
      },
      new Date(now),
    );
  const wants = await channel('security', ['credential.reflected']);
  await channel('approvals', ['approval.requested']);
  await channel('payments', ['credential.reflected'], ['group:payments']);
  const { callId } = await happen();
  await happen();
  const told = await deliveries();
  expect(told).toMatchObject([
    {
      channelId: wants.id,
      event: 'credential.reflected',
      payload: {
        callId,
        connection: { name: 'payments' },
        method: 'GET',
        leaseFingerprint: '0123456789abcdef',
        details: `/v1/calls/${callId}`,
      },
    },
  ]);
  now += 3_600_000;
  await happen();
  expect(await deliveries()).toHaveLength(2);
});

test('Slack is told in words, without what only approvals have', () => {
  const text = JSON.stringify(
    slackMessage(
      'credential.reflected',
      { callId: 'call_x', identity: { name: 'nightly' }, connection: { name: 'payments' } },
      null,
      undefined,
    ),
  );
  expect(text).toContain('A target answered with the credential');
  expect(text).toContain('nightly → payments');
  expect(text).toContain('call_x');
  expect(text).not.toMatch(/Digest|Rule:|owner|actions/);
});
