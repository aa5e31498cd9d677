/** Receivers that misbehave, with a clock that the test sets: what is tried again, when, and what is not. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { newId } from '@hoop/contract';
import { createChannel, createDeliveries, readDelivery } from '@hoop/database';
import type { ChannelRecord, Database } from '@hoop/database';
import { Secret } from '@hoop/sealing';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import { createGuardedFetch } from '@hoop/upstream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { NotificationJob } from '../outbox/jobs.ts';
import { handleNotificationJob, standardRetryDelaysMs } from './handle-notification-job.ts';
import type { NotificationContext } from './handle-notification-job.ts';
import { openSignedDatabase } from '../../../../packages/database/test/row-keys.ts';

const start = Date.UTC(2026, 10, 24, 12);
const secondMs = 1000;
const hourMs = 3_600_000;

let database: TestDatabase;
let db: Database;
let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let ids: string[];
let now: number;
let next: { at: number; job: NotificationJob } | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openSignedDatabase(database.url);
});
afterAll(async () => {
  await db.close();
  await database.drop();
});
beforeEach(async () => {
  ids = [];
  now = start;
  next = undefined;
  server = createServer((request, response) => {
    ids.push(String(request.headers['webhook-id']));
    request.resume();
    request.on('end', () => answer(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** Of one attempt. Less where a receiver never answers. */
let timeoutMs: number;
beforeEach(() => void (timeoutMs = 600_000));

const context = (changes: Partial<NotificationContext> = {}): NotificationContext => ({
  db,
  notifications: {
    add: async (_id: string, job: NotificationJob, options?: { delayMs?: number }) =>
      void (next = { at: now + (options?.delayMs ?? 0), job }),
  } as NotificationContext['notifications'],
  now: () => now,
  random: () => 0,
  createFetch: (options) => createGuardedFetch({ ...options, timeoutMs }),
  openSecret: async () => new Secret(`whsec_${Buffer.alloc(32, 7).toString('base64')}`),
  shownRequest: async () => null,
  onError: () => undefined,
  retryDelaysMs: standardRetryDelaysMs,
  ...changes,
});

async function delivery(changes: Partial<ChannelRecord> = {}): Promise<string> {
  const id = newId('notification_channel');
  const channel = await createChannel(
    db.prisma,
    {
      id,
      name: id.replaceAll('_', '-'),
      kind: 'webhook',
      url,
      allowedCidrs: ['127.0.0.0/8'],
      events: [],
      reviewers: [],
      sealed: 'x',
      settings: {},
      disabled: false,
      ...changes,
    },
    new Date(now),
  );
  const [made] = await createDeliveries(db.prisma, 'approval.requested', newId('approval'), [channel], {}, new Date(now));
  next = { at: now, job: { version: 1, kind: 'deliver', deliveryId: made! } };
  return made!;
}
/** Does the next job when its time has come. */
async function step(using = context()): Promise<void> {
  const { at, job } = next!;
  next = undefined;
  now = at;
  await handleNotificationJob(using, job);
}

describe('a webhook receiver', () => {
  test('that answers 500 for an hour is asked after 5 s, 5 min and 30 min, and gets the same message when it is back', async () => {
    const id = await delivery();
    answer = (_request, response) => void response.writeHead(now < start + hourMs ? 500 : 204).end();
    const times: number[] = [];
    while (next !== undefined) {
      await step();
      times.push((now - start) / secondMs);
    }
    expect(times).toEqual([0, 5, 305, 2105, 9305]);
    expect(await readDelivery(db.prisma, id)).toMatchObject({ state: 'delivered', attempts: 5, lastStatus: 204, lastError: null });
    expect(new Set(ids)).toEqual(new Set([id]));
  });

  test('that never answers right is given up after two days, and not before', async () => {
    const id = await delivery();
    answer = (_request, response) => void response.writeHead(500).end();
    while (next !== undefined) await step();
    expect(ids).toHaveLength(standardRetryDelaysMs.length + 1);
    expect((now - start) / hourMs).toBeCloseTo(51.6, 1);
    expect(await readDelivery(db.prisma, id)).toMatchObject({ state: 'dead', lastStatus: 500 });
  });

  test('that hangs costs a bounded time, and is tried again', async () => {
    const id = await delivery();
    timeoutMs = 300;
    answer = () => undefined;
    const from = performance.now();
    await step();
    expect(performance.now() - from).toBeLessThan(60_000);
    expect(await readDelivery(db.prisma, id)).toMatchObject({
      state: 'pending',
      attempts: 1,
      lastStatus: null,
      lastError: expect.stringMatching(/time|answer/i),
    });
    expect(next!.at).toBe(start + 5 * secondMs);
  });

  test('that sends its head and never ends its body costs a bounded time', async () => {
    const id = await delivery();
    timeoutMs = 300;
    answer = (_request, response) => void response.writeHead(200).write('x');
    await step();
    expect(await readDelivery(db.prisma, id)).toMatchObject({ state: 'pending', attempts: 1 });
  });

  test('that redirects is not followed, wherever it points', async () => {
    const id = await delivery();
    answer = (request, response) =>
      void response.writeHead(request.url === '/hook' ? 302 : 200, { location: url.replace('/hook', '/other') }).end();
    await step();
    expect(ids).toHaveLength(1);
    expect(await readDelivery(db.prisma, id)).toMatchObject({
      state: 'pending',
      attempts: 1,
      lastError: expect.stringMatching(/redirect/i),
    });
  });

  test('at a private address that is not listed is never connected to', async () => {
    const id = await delivery({ allowedCidrs: [] });
    await step();
    expect(ids).toEqual([]);
    expect(await readDelivery(db.prisma, id)).toMatchObject({ state: 'pending', attempts: 1, lastStatus: null });
  });

  test('is not asked twice by jobs that cross, and not before its time', async () => {
    const id = await delivery();
    answer = (_request, response) => void response.writeHead(500).end();
    const { job } = next!;
    await Promise.all([
      handleNotificationJob(context(), job),
      handleNotificationJob(context(), job),
      handleNotificationJob(context(), job),
    ]);
    expect(ids).toEqual([id]);
    now = start + 5 * secondMs - 1;
    await handleNotificationJob(context(), job);
    expect(ids).toEqual([id]);
  });

  test('whose secret cannot be opened says so in its delivery', async () => {
    const id = await delivery();
    const errors: string[] = [];
    const openSecret = async (): Promise<Secret<string>> => {
      throw new Error('no key');
    };
    await step(context({ openSecret, onError: (error) => void errors.push(error.message) }));
    expect(await readDelivery(db.prisma, id)).toMatchObject({
      state: 'pending',
      attempts: 1,
      lastError: expect.stringContaining('cannot be opened'),
    });
    expect(errors).toEqual(['no key']);
    expect(ids).toEqual([]);
  });

  test('that was disabled meanwhile is not asked', async () => {
    const id = await delivery({ disabled: true });
    await step();
    expect(ids).toEqual([]);
    expect(await readDelivery(db.prisma, id)).toMatchObject({ state: 'dead', lastError: 'The channel is disabled.' });
  });
});
