import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { newId } from '@hoop/contract';
import {
  applyToApproval,
  claimApproval,
  createChannel,
  createDeferredCall,
  listDeliveries,
  readApproval,
  reviveDelivery,
} from '@hoop/database';
import type { ApprovalClaim, ChannelRecord, Database } from '@hoop/database';
import { openQueueWorker, prepareQueueSchema } from '@hoop/queue';
import type { QueueConnection } from '@hoop/queue';
import { createDataKey, generateRecordingKeys, sealBody } from '@hoop/sealing';
import { createTestDatabase, eventually, redisIsAvailable, testedQueues, startTestRedis } from '@hoop/testkit';
import type { TestDatabase, TestRedis } from '@hoop/testkit';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { claimOf, createApprovalScene, digestOf, requirement, origin } from '../../../../packages/database/test/approval-scene.ts';
import type { ApprovalScene } from '../../../../packages/database/test/approval-scene.ts';
import { startWorker } from '../index.ts';
import type { RunningWorker } from '../index.ts';
import { openSignedDatabase, rowKeys } from '../../../../packages/database/test/row-keys.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const notificationKeys = await generateRecordingKeys();
const recordingKeys = await generateRecordingKeys();

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A receiver that answers as `respond` says. */
async function startReceiver(): Promise<{
  url: string;
  received: Received[];
  respond: (count: number, request: IncomingMessage) => { status: number; body?: string; headers?: Record<string, string> };
  server: Server;
}> {
  const receiver = {
    url: '',
    received: [] as Received[],
    respond: (_count: number, _request: IncomingMessage): { status: number; body?: string; headers?: Record<string, string> } => ({
      status: 204,
    }),
    server: null as unknown as Server,
  };
  receiver.server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      receiver.received.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      const { status, body, headers } = receiver.respond(receiver.received.length, request);
      response.writeHead(status, headers);
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(receiver.server.address() as AddressInfo).port}/hook`;
  return receiver;
}

describe.each(testedQueues)('approvals with the queue on %s', (kind) => {
  describe.skipIf(kind === 'redis' && !redisIsAvailable())('with a real server', () => {
    let database: TestDatabase;
    let redis: TestRedis | undefined;
    let db: Database;
    let connection: QueueConnection;
    let receiver: Awaited<ReturnType<typeof startReceiver>>;
    let scene: ApprovalScene;
    const workers: RunningWorker[] = [];
    let digest = 1000;

    beforeAll(async () => {
      database = await createTestDatabase();
      if (kind === 'redis') {
        redis = await startTestRedis();
        connection = { kind, url: redis.url };
      } else {
        await prepareQueueSchema({ ownerUrl: database.url, role: 'hoop_approvals_test', password: 'a-password-for-tests' });
        connection = { kind, url: database.url };
      }
      db = openSignedDatabase(database.url);
    });
    beforeEach(async () => {
      receiver = await startReceiver();
      scene = await createApprovalScene(db, Date.now());
      await db.prisma.notificationChannel.deleteMany({});
    });
    afterEach(async () => {
      for (const worker of workers.splice(0)) await worker.close();
      receiver.server.closeAllConnections();
      receiver.server.close();
    });
    afterAll(async () => {
      await db?.close();
      await redis?.stop();
      await database?.drop();
    });

    async function work(notificationRetriesMs: number[] = [10, 10, 10]): Promise<void> {
      workers.push(
        await startWorker({
          databaseUrl: database.url,
          queue: connection,
          orphanSeconds: 3600,
          logLevel: 'silent',
          lockMs: 2000,
          notificationKeys: notificationKeys.privateJwks,
          recordingKeys: recordingKeys.privateJwks,
          rowKeys: rowKeys.publicJwks,
          notificationRetriesMs,
        }),
      );
    }
    async function channel(changes: Partial<ChannelRecord> = {}): Promise<ChannelRecord> {
      const id = newId('notification_channel');
      const { wrapped, key } = await createDataKey(notificationKeys.publicJwks.keys[0]!);
      const sealed = `${wrapped}~${sealBody(key, Buffer.from(secret), `${id}:secret`)}`;
      const defaults = {
        id,
        name: id.replaceAll('_', '-'),
        kind: 'webhook',
        url: receiver.url,
        allowedCidrs: ['127.0.0.0/8'],
        events: [
          'approval.requested',
          'approval.approved',
          'approval.expired',
          'approval.reminder',
          'approval.escalated',
          'approval.break_glass',
          'deferred.finished',
        ],
        reviewers: [],
        sealed,
        settings: {},
        disabled: false,
      } as const;
      return createChannel(
        db.prisma,
        { ...defaults, events: [...defaults.events], allowedCidrs: [...defaults.allowedCidrs], reviewers: [], ...changes },
        new Date(),
      );
    }
    async function request(changes: Partial<ApprovalClaim> = {}, at = Date.now()): Promise<{ id: string; digest: string }> {
      const n = ++digest;
      const { approvalId } = await db.inTransaction((tx) => claimApproval(tx, claimOf(scene, n, changes), at, origin));
      return { id: approvalId, digest: digestOf(n) };
    }
    const approve = (one: { id: string; digest: string }): Promise<unknown> =>
      db.inTransaction((tx) =>
        applyToApproval(
          tx,
          one.id,
          {
            type: 'review',
            reviewer: { user: 'ann', groups: ['payments'], mayBreakGlass: false },
            decision: 'approve',
            digest: one.digest,
            comment: null,
            validity: null,
            via: 'rest',
          },
          Date.now(),
        ),
      );
    const events = (): string[] => receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type);

    test('tells a webhook, signed as Standard Webhooks says, once for each thing that happens', async () => {
      await channel();
      await work();
      const one = await request();
      await eventually(() => expect(events()).toEqual(['approval.requested']));
      await approve(one);
      await eventually(() => expect(events()).toEqual(['approval.requested', 'approval.approved']));
      for (const { headers, body } of receiver.received) {
        const verified = new Webhook(secret).verify(body, headers as Record<string, string>) as { data: { approvalId: string } };
        expect(verified.data.approvalId).toBe(one.id);
        expect(() => new Webhook(secret).verify(body.replace(one.id, newId('approval')), headers as Record<string, string>)).toThrow();
      }
      // Nothing of the request but what names it.
      expect(receiver.received[0]!.body).not.toContain('sealed');
    });

    test('tells only the channels of those who are asked', async () => {
      await channel({ reviewers: ['group:sales'] });
      await channel({ reviewers: ['group:payments'] });
      await work();
      await request();
      await eventually(() => expect(receiver.received).toHaveLength(1));
    });

    test('tries again with the same id until the receiver takes it', async () => {
      await channel();
      receiver.respond = (count) => ({ status: count < 3 ? 500 : 200 });
      await work([10, 10, 10, 10]);
      const { id } = await request();
      await eventually(async () =>
        expect(await listDeliveries(db.prisma, { state: 'delivered', limit: 5 })).toContainEqual(
          expect.objectContaining({ subjectId: id, attempts: 3 }),
        ),
      );
      expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    });

    test('gives up after the last attempt, shows why, and sends again when it is told to', async () => {
      await channel();
      receiver.respond = () => ({ status: 503 });
      await work([5, 5]);
      const { id } = await request();
      await eventually(async () =>
        expect(await listDeliveries(db.prisma, { state: 'dead', limit: 50 })).toContainEqual(
          expect.objectContaining({ subjectId: id, attempts: 3, lastStatus: 503 }),
        ),
      );
      receiver.respond = () => ({ status: 200 });
      const dead = (await listDeliveries(db.prisma, { state: 'dead', limit: 50 })).find((one) => one.subjectId === id)!;
      await db.inTransaction((tx) => reviveDelivery(tx, dead.id, new Date()));
      await eventually(async () =>
        expect(await listDeliveries(db.prisma, { state: 'delivered', limit: 50 })).toContainEqual(expect.objectContaining({ id: dead.id })),
      );
    });

    test.each([
      ['a redirect to a private address', { url: '' }, (target: string) => ({ status: 302, headers: { location: target } }), /redirect/i],
      ['a private address that is not listed', { allowedCidrs: [] }, () => ({ status: 200 }), /address|private|not allowed/i],
      ['a receiver that answers nonsense', {}, () => ({ status: 404 }), /404/],
    ])('fails on %s, and says so', async (_, changes, respond, why) => {
      await channel({ ...changes, url: receiver.url });
      receiver.respond = () => respond('http://127.0.0.1:1/');
      await work([]);
      const { id } = await request();
      await eventually(async () => {
        const dead = (await listDeliveries(db.prisma, { state: 'dead', limit: 50 })).find((one) => one.subjectId === id);
        expect(dead?.lastError).toMatch(why);
      });
    });

    test('escalates to the second group, and expires what nobody decides', async () => {
      await channel({ events: ['approval.escalated', 'approval.expired'] });
      await work();
      const { id } = await request({ requirements: [requirement({ ttl: '2s', escalateTo: ['group:duty'], escalateAfter: '1s' })] });
      await eventually(() => expect(events()).toEqual(['approval.escalated', 'approval.expired']));
      expect(await readApproval(db.prisma, id)).toMatchObject({ state: 'expired' });
      const { reviewers } = await db.prisma.approval.findUniqueOrThrow({ where: { id } });
      expect(reviewers.sort()).toEqual(['group:duty', 'group:payments']);
    });

    test('loses nothing over a restart: what was written while no worker ran is told by the next one', async () => {
      await channel();
      const ids = [await request(), await request(), await request()].map((one) => one.id);
      await work();
      await eventually(() => expect(receiver.received).toHaveLength(3));
      const told = receiver.received.map(({ body }) => (JSON.parse(body) as { data: { approvalId: string } }).data.approvalId);
      expect(told.sort()).toEqual(ids.sort());
    });

    test('shows Slack the whole request with buttons that carry its digest, or none where it does not fit', async () => {
      const sealedRequest = async (callId: string, body: string) => {
        const { wrapped, key } = await createDataKey(recordingKeys.publicJwks.keys[0]!);
        const shown = { method: 'POST', url: 'https://api.payments.example/v1/refunds', headers: [], encoding: 'utf8', body };
        return {
          wrappedKey: wrapped,
          sealed: Buffer.from(sealBody(key, Buffer.from(JSON.stringify(shown)), `${callId}:approval`), 'base64'),
        };
      };
      await channel({ kind: 'slack', events: ['approval.requested'], settings: { slackChannel: 'C1' } });
      receiver.respond = () => ({ status: 200, body: '{"ok":true}' });
      await work();
      const small = newId('call');
      const one = await request({ callId: small, shown: await sealedRequest(small, '{"amount":20000} <&') });
      await eventually(() => expect(receiver.received).toHaveLength(1));
      expect(receiver.received[0]!.headers.authorization).toBe(`Bearer ${secret}`);
      const message = receiver.received[0]!.body;
      expect(message).toContain('{\\"amount\\":20000} &lt;&amp;');
      const { blocks, channel: slackChannel } = JSON.parse(message) as {
        channel: string;
        blocks: { type: string; elements?: { action_id: string; value: string }[] }[];
      };
      expect(slackChannel).toBe('C1');
      const buttons = blocks.find((block) => block.type === 'actions')!.elements!;
      expect(buttons.map((button) => [button.action_id, JSON.parse(button.value)])).toEqual([
        ['hoop_approve', { approvalId: one.id, digest: one.digest }],
        ['hoop_deny', { approvalId: one.id, digest: one.digest }],
      ]);

      const large = newId('call');
      await request({ callId: large, shown: await sealedRequest(large, 'x'.repeat(5000)) });
      await eventually(() => expect(receiver.received).toHaveLength(2));
      expect(receiver.received[1]!.body).not.toContain('hoop_approve');
      expect(receiver.received[1]!.body).toContain('does not fit');
    });

    test('takes "ok: false" of Slack for what it is', async () => {
      await channel({ kind: 'slack' });
      receiver.respond = () => ({ status: 200, body: '{"ok":false,"error":"channel_not_found"}' });
      await work([]);
      const { id } = await request();
      await eventually(async () => {
        const dead = (await listDeliveries(db.prisma, { state: 'dead', limit: 50 })).find((one) => one.subjectId === id);
        expect(dead?.lastError).toBe('Slack refused the message: channel_not_found.');
      });
    });

    test('hands an approved deferred call to the relays, and tells the channel that it named when it has ended', async () => {
      const { name } = await channel({ events: ['deferred.finished'] });
      const one = await request();
      const callId = newId('call');
      await db.inTransaction((tx) =>
        createDeferredCall(
          tx,
          {
            callId,
            identityId: scene.identityId,
            connectionId: scene.connectionId,
            approvalId: one.id,
            request: { wrappedKey: 'k', sealed: Buffer.from('s') },
            idempotencyKey: null,
            mayRetry: false,
            webhookChannel: name,
            expiresAt: Date.now() + 3_600_000,
          },
          Date.now(),
        ),
      );
      const taken: unknown[] = [];
      const relay = openQueueWorker<unknown>('relay', connection, async (job) => void taken.push(job.payload));
      await work();
      await approve(one);
      await eventually(() => expect(taken).toEqual([{ version: 1, callId }]));
      await relay.close();
      await db.prisma.deferredCall.update({ where: { callId }, data: { state: 'done', status: 201 } });
      await db.prisma.outbox.create({ data: { topic: 'deferred.finished', payload: { callId } } });
      await eventually(() =>
        expect(receiver.received.map(({ body }) => (JSON.parse(body) as { data: unknown }).data)).toEqual([
          { callId, state: 'done', status: 201, error: null, collect: `/-/calls/${callId}` },
        ]),
      );
    });
  });
});
