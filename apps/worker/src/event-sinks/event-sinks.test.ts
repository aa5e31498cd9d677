import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { appendFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { newId } from '@hoop/contract';
import { createSink, findSink, purgeCalls, updateSink } from '@hoop/database';
import type { EventSinkRecord } from '@hoop/database';
import { createDataKey, sealBody } from '@hoop/sealing';
import { startGate } from '@hoop/testkit';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { openLogScene } from '../../test/log-scene.ts';
import type { LogScene } from '../../test/log-scene.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const hook = new Webhook(secret);

let scene: LogScene;
let folder: string;
const servers: { close(): void }[] = [];
beforeAll(async () => {
  scene = await openLogScene();
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-events-'));
});
afterEach(async () => {
  await scene.stop();
  for (const server of servers.splice(0)) server.close();
  await scene.db.prisma.eventSink.deleteMany();
});
afterAll(async () => {
  await scene?.close();
  await rm(folder, { recursive: true });
});

interface Event {
  readonly id: string;
  readonly [member: string]: unknown;
}
interface Receiver {
  readonly url: string;
  /** Of messages that were taken, in the order in which they were. */
  readonly taken: number[];
  readonly types: string[];
  readonly messages: { readonly headers: Record<string, unknown>; readonly events: Event[] }[];
  /** Decides about each message: a status, or null to cut the connection without an answer. */
  answer: () => number | null;
}

/** A real receiver, which checks every signature before it takes anything. */
async function startReceiver(): Promise<Receiver> {
  const receiver: Receiver = { url: '', taken: [], types: [], messages: [], answer: () => 200 };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const parsed = hook.verify(body, request.headers as Record<string, string>) as Event | Event[];
      const events = Array.isArray(parsed) ? parsed : [parsed];
      const status = receiver.answer();
      if (status === null) return void request.socket.destroy();
      if (status < 300) {
        receiver.taken.push(...events.map((event) => Number(event.id)));
        receiver.types.push(...events.map((event) => String(event['type'])));
        receiver.messages.push({ headers: { ...request.headers }, events });
      }
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push({ close: () => (server.closeAllConnections(), server.close()) });
  return Object.assign(receiver, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events` });
}

async function sink(changes: Partial<EventSinkRecord> = {}): Promise<EventSinkRecord> {
  const id = newId('event_sink');
  const { wrapped, key } = await createDataKey(scene.notificationPublicKey);
  return createSink(
    scene.db.prisma,
    {
      id,
      name: id.replaceAll('_', '-'),
      kind: 'webhook',
      url: null,
      allowedCidrs: ['127.0.0.0/8'],
      file: null,
      types: [],
      maxBatch: 1,
      sealed: `${wrapped}~${sealBody(key, Buffer.from(secret), `${id}:secret`)}`,
      paused: false,
      cursor: await scene.size(),
      ...changes,
    },
    new Date(),
  );
}
const stateOf = async ({ id }: EventSinkRecord): Promise<EventSinkRecord> => (await findSink(scene.db.prisma, id))!;
const from = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i);
/** In the order in which each came first. */
const firsts = (indexes: readonly number[]): number[] => [...new Set(indexes)];

async function settled(): Promise<number> {
  await expect.poll(() => scene.db.prisma.logPending.count()).toBe(0);
  return scene.size();
}

describe('a webhook', () => {
  test('gets every event once, in order, signed, as CloudEvents', async () => {
    const receiver = await startReceiver();
    const one = await sink({ url: receiver.url });
    await scene.work({ publicUrl: 'https://hoop.example' });
    const [callId] = await scene.record(20);
    const auditId = await scene.audit();
    const end = await settled();
    await expect.poll(async () => (await stateOf(one)).cursor).toBe(end);
    expect(receiver.taken).toEqual(from(one.cursor, end));
    const { headers, events } = receiver.messages.find((message) => message.events[0]!['subject'] === callId)!;
    expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(headers['webhook-id']).toBe(`${one.id}.${events[0]!.id}`);
    expect(events[0]).toMatchObject({
      specversion: '1.0',
      source: 'https://hoop.example/v1/log',
      type: 'hoop.call.concluded',
      datacontenttype: 'application/json',
      sequence: events[0]!.id.padStart(16, '0'),
      data: { id: callId, state: 'completed', status: 200, connection: { name: 'payments' } },
    });
    expect(receiver.messages.find((message) => message.events[0]!['subject'] === auditId)!.events[0]).toMatchObject({
      type: 'hoop.audit_event.recorded',
      data: { id: auditId, action: 'a.b' },
    });
    expect(await stateOf(one)).toMatchObject({ failures: 0, lastError: null, lastDeliveredAt: expect.any(Date) });
  });

  test('gets batches where it asks for them, and only the types that it asks for', async () => {
    const receiver = await startReceiver();
    const one = await sink({ url: receiver.url, maxBatch: 30, types: ['hoop.audit_event.recorded', 'hoop.call.purged'] });
    await scene.record(40);
    for (let i = 0; i < 70; i++) await scene.audit();
    await scene.work();
    const end = await settled();
    await expect.poll(async () => (await stateOf(one)).cursor).toBe(end);
    expect(new Set(receiver.types)).toEqual(new Set(['hoop.audit_event.recorded']));
    expect(receiver.taken).toHaveLength(70);
    expect(receiver.taken.toSorted((a, b) => a - b)).toEqual(receiver.taken);
    expect(receiver.messages.map((message) => message.events.length)).toEqual([30, 30, 10]);
    expect(receiver.messages[0]!.headers['content-type']).toBe('application/cloudevents-batch+json; charset=utf-8');
  });

  test('that fails holds up the rest, is tried again with growing pauses, and misses nothing', async () => {
    const receiver = await startReceiver();
    const statuses = [500, null, 429, 302, 404];
    let calls = 0;
    receiver.answer = () => (++calls % 4 === 0 ? 200 : statuses[calls % 5]!);
    const one = await sink({ url: receiver.url });
    await scene.record(12);
    await scene.work();
    const end = await settled();
    await expect.poll(async () => (await stateOf(one)).cursor).toBe(end);
    expect(receiver.taken).toEqual(from(one.cursor, end));
  });

  test('that is down shows how long it has been and why, and is told everything once it is back', async () => {
    const receiver = await startReceiver();
    receiver.answer = () => 503;
    const one = await sink({ url: receiver.url, maxBatch: 50 });
    await scene.record(60);
    await scene.work();
    const end = await settled();
    await expect.poll(async () => (await stateOf(one)).failures).toBeGreaterThan(2);
    expect(await stateOf(one)).toMatchObject({
      cursor: one.cursor,
      lastError: 'The receiver answered 503.',
      lastDeliveredAt: null,
      nextAttemptAt: expect.any(Date),
    });
    receiver.answer = () => 200;
    await expect.poll(async () => (await stateOf(one)).cursor).toBe(end);
    expect(receiver.taken).toEqual(from(one.cursor, end));
    expect(await stateOf(one)).toMatchObject({ failures: 0, lastError: null });
  });

  test('misses nothing and keeps the order while workers are killed with -9 in the middle, and another takes over', async () => {
    const receiver = await startReceiver();
    let count = 0;
    receiver.answer = () => (++count % 7 === 0 ? null : count % 5 === 0 ? 500 : 200);
    const one = await sink({ url: receiver.url, maxBatch: 3 });
    for (let round = 0; round < 3; round++) {
      // Counted before they start: a quick machine may have sent everything by the time both are up.
      const before = receiver.taken.length;
      await scene.record(100);
      const children = [await scene.fork({ eventSinkRetryMs: [5, 20] }), await scene.fork({ eventSinkRetryMs: [5, 20] })];
      await expect.poll(() => receiver.taken.length, { interval: 2 }).toBeGreaterThan(before);
      await Promise.all(children.map((child) => scene.kill(child)));
    }
    await scene.work();
    const end = await settled();
    await expect.poll(async () => (await stateOf(one)).cursor).toBe(end);
    expect(firsts(receiver.taken)).toEqual(from(one.cursor, end));
  });

  test('misses nothing while the database is away again and again', async () => {
    const receiver = await startReceiver();
    const one = await sink({ url: receiver.url, maxBatch: 5 });
    const url = new URL(scene.config.databaseUrl);
    const gate = await startGate({ host: url.hostname, port: Number(url.port) });
    url.port = String(gate.port);
    try {
      await scene.work({ databaseUrl: url.href });
      for (let round = 0; round < 3; round++) {
        await scene.record(100);
        const before = receiver.taken.length;
        await expect.poll(() => receiver.taken.length, { interval: 2 }).toBeGreaterThan(before);
        await gate.cut();
        await scene.record(20);
        await gate.restore();
      }
      const end = await settled();
      await expect.poll(async () => (await stateOf(one)).cursor).toBe(end);
      expect(firsts(receiver.taken)).toEqual(from(one.cursor, end));
    } finally {
      await scene.stop();
      await gate.close();
    }
  });

  test('keeps its place while it is paused', async () => {
    const receiver = await startReceiver();
    const one = await sink({ url: receiver.url });
    await scene.work();
    await scene.record(3);
    const first = await settled();
    await expect.poll(async () => (await stateOf(one)).cursor).toBe(first);
    await updateSink(scene.db.prisma, one.id, { paused: true }, new Date());
    await scene.record(3);
    const second = await settled();
    // Another sink, made now, is served: so the paused one was passed over.
    const other = await startReceiver();
    const two = await sink({ url: other.url, cursor: first });
    await expect.poll(async () => (await stateOf(two)).cursor).toBe(second);
    expect(receiver.taken).toEqual(from(one.cursor, first));
    await updateSink(scene.db.prisma, one.id, { paused: false }, new Date());
    await expect.poll(async () => (await stateOf(one)).cursor).toBe(second);
    expect(receiver.taken).toEqual(from(one.cursor, second));
  });

  test('is not reached in a network that it was not allowed, and its failure does not hold up another sink', async () => {
    const refused = await startReceiver();
    const good = await startReceiver();
    const [one, two] = [await sink({ url: refused.url, allowedCidrs: [] }), await sink({ url: good.url })];
    await scene.work();
    await scene.record(2);
    const end = await settled();
    await expect.poll(async () => (await stateOf(two)).cursor).toBe(end);
    await expect.poll(async () => (await stateOf(one)).failures).toBeGreaterThan(0);
    expect((await stateOf(one)).lastError).toMatch(/address/i);
    expect(refused.taken).toEqual([]);
  });

  test('gets what is left of a call whose content retention removed', { timeout: 240_000 }, async () => {
    const receiver = await startReceiver();
    const start = await scene.size();
    const [callId] = await scene.record(1);
    await scene.work();
    await settled();
    const { connectionId } = await scene.db.prisma.call.findUniqueOrThrow({ where: { id: callId! } });
    for (let isDone = false; !isDone;) {
      ({ isDone } = await scene.db.inTransaction((tx) =>
        purgeCalls(tx, { connectionId, connectionName: null, seconds: 0 }, Date.now() + 60_000),
      ));
    }
    const end = await settled();
    const one = await sink({ url: receiver.url, cursor: start, types: ['hoop.call.concluded', 'hoop.call.purged'] });
    await expect.poll(async () => (await stateOf(one)).cursor).toBe(end);
    const of = receiver.messages.flatMap((message) => message.events).filter((event) => event['subject'] === callId);
    expect(of.map((event) => event['type'])).toEqual(['hoop.call.concluded', 'hoop.call.purged']);
    expect(of[1]!['data']).toMatchObject({ url: null, purgedAt: expect.any(String) });
  });
});

describe('a file', () => {
  const lines = async (file: string): Promise<Event[]> =>
    (await readFile(path.join(folder, file), 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event);

  test('gets every event as a line, in order, while workers are killed with -9 and lines are torn', async () => {
    const one = await sink({ kind: 'file', file: 'events.ndjson', sealed: '', maxBatch: 20 });
    await scene.record(300);
    for (let round = 0; round < 3; round++) {
      const child = await scene.fork({ eventFilesFolder: folder });
      const before = (await stateOf(one)).cursor;
      await expect.poll(async () => (await stateOf(one)).cursor, { interval: 2 }).toBeGreaterThan(before);
      await scene.kill(child);
      await appendFile(path.join(folder, 'events.ndjson'), '{"specversion":"1.0","id":"torn');
      await scene.record(50);
    }
    await scene.work({ eventFilesFolder: folder });
    const end = await settled();
    await expect.poll(async () => (await stateOf(one)).cursor).toBe(end);
    expect(firsts((await lines('events.ndjson')).map((event) => Number(event.id)))).toEqual(from(one.cursor, end));
  });

  test('is not written outside of the folder, through a link, or without a folder', async () => {
    await writeFile(path.join(folder, 'target'), 'untouched');
    await symlink(path.join(folder, 'target'), path.join(folder, 'link'));
    const sinks = [await sink({ kind: 'file', file: '../outside', sealed: '' }), await sink({ kind: 'file', file: 'link', sealed: '' })];
    await scene.work({ eventFilesFolder: folder });
    await scene.record(1);
    await expect
      .poll(async () => (await Promise.all(sinks.map(stateOf))).map((one) => one.lastError))
      .toEqual(['The file name is not valid.', 'The file is a symbolic link; it is not followed.']);
    expect(await readFile(path.join(folder, 'target'), 'utf8')).toBe('untouched');
    await expect(readFile(path.join(folder, '../outside'))).rejects.toThrow('ENOENT');
    await scene.stop();
    const two = await sink({ kind: 'file', file: 'x', sealed: '', cursor: 0 });
    await scene.work();
    await expect.poll(async () => (await stateOf(two)).lastError).toMatch('HOOP_EVENT_FILES_DIR is not set');
  });
});
