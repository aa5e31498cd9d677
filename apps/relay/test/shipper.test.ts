/** The process beside the relay: what it handed over before it died is never mistaken for what it has to hand over now. */
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { newId, queueNames } from '@hoop/contract';
import type { PackedRecordBatch } from '@hoop/contract';
import { openJournal } from '@hoop/journal';
import { openQueue, openQueueWorker, prepareQueueSchema } from '@hoop/queue';
import type { QueueConnection } from '@hoop/queue';
import { createRecorder, packGroup, unpackRecordBatch } from '@hoop/recording';
import type { Recorder } from '@hoop/recording';
import { generateSealingKeys } from '@hoop/sealing';
import type { JwkSet } from '@hoop/sealing';
import { createTestDatabase } from '@hoop/testkit';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { sampleCall } from '../../../packages/database/test/sample-entries.ts';
import { journalKeys } from '../src/shipping/journal-keys.ts';
import { Shipper } from '../src/shipping/ship.ts';
import type { ShipperConfig } from '../src/shipping/ship.ts';

const log = pino({ level: 'silent' });
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

let folder: string;
let connection: QueueConnection;
let recorder: Recorder;
let shipper: Shipper;
let journal: string;
let sealingKeys: JwkSet;
let startShipper: (changed?: Partial<ShipperConfig>) => void;

beforeEach(async () => {
  const database = await createTestDatabase();
  closers.push(() => database.drop());
  await prepareQueueSchema({ ownerUrl: database.url, role: `relay_${newId('relay').slice(4)}`, password: newId('relay') });
  connection = { kind: 'postgres', url: database.url };
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-shipper-'));
  closers.push(() => rm(folder, { recursive: true }));
  const { privateJwks } = await generateSealingKeys();
  sealingKeys = privateJwks;
  journal = newId('journal');
  const { writer, close } = await openJournal(folder, { id: journal, keys: journalKeys(privateJwks) });
  closers.push(close);
  recorder = createRecorder({
    relayId: newId('relay'),
    timeoutMs: 60_000,
    pack: packGroup,
    send: (_id, { parts, entries }) => writer.append(parts, entries),
  });
  startShipper = (changed = {}) => {
    shipper = new Shipper({ folder, sealingKeys: privateJwks, queue: connection, timeoutMs: 60_000, ...changed }, log);
  };
  startShipper();
  closers.push(() => shipper.close(0));
});

async function record(): Promise<string> {
  const { intent } = sampleCall();
  const callId = newId('call');
  await recorder.intent({ ...intent.head, callId });
  return callId;
}

it('hands over what came since, where a batch was taken and the note of it was lost', async () => {
  const queue = openQueue<PackedRecordBatch>(queueNames.recordings, connection);
  closers.push(() => queue.close());
  const written = [await record()];
  await expect.poll(() => queue.counts()).toMatchObject({ waiting: 1 });
  await shipper.close(0);
  const shipped = await open(path.join(folder, journal, 'shipped'), 'r+');
  await shipped.write(Buffer.alloc(16), 0, 16, 0);
  await shipped.close();
  for (let i = 0; i < 3; i++) written.push(await record());
  startShipper();
  await expect.poll(async () => (await queue.counts()).waiting).toBeGreaterThan(1);

  const seen = new Set<string>();
  const worker = openQueueWorker<PackedRecordBatch>(queueNames.recordings, connection, ({ payload }) => {
    for (const entry of unpackRecordBatch(payload)) if (entry.type === 'intent') seen.add(entry.head.callId);
    return Promise.resolve();
  });
  closers.push(() => worker.close());
  await expect.poll(() => [...seen].toSorted()).toEqual(written.toSorted());
});

/** Names and values. */
async function metricsAt(port: number): Promise<Record<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split('\n').filter((line) => /^hoop_\w+ /.test(line));
  return Object.fromEntries(lines.map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]));
}

it('tells Prometheus how many records wait for the queue, and ships although the port of its metrics is taken', async () => {
  const holder = net.createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as net.AddressInfo;
  closers.push(async () => holder.close());
  const metrics = { host: '127.0.0.1', port };
  await shipper.close(0);
  for (let i = 0; i < 3; i++) await record();

  startShipper({ metrics });
  const queue = openQueue<PackedRecordBatch>(queueNames.recordings, connection);
  closers.push(() => queue.close());
  await expect.poll(async () => (await queue.counts()).waiting).toBeGreaterThan(0);
  await shipper.close(0);
  holder.close();

  for (let i = 0; i < 2; i++) await record();
  startShipper({ metrics, queue: { kind: 'postgres', url: connection.url.replace(/:\d+\//, ':1/') } });
  await expect
    .poll(() => metricsAt(port).catch(() => null))
    .toMatchObject({
      hoop_journal_unshipped_entries: 2,
      hoop_journals: 1,
      hoop_journals_damaged: 0,
      hoop_journal_shipped_entries_total: 0,
    });
  await expect.poll(async () => (await metricsAt(port))['hoop_journal_shipping_failures_total']).toBeGreaterThan(0);
  await shipper.close(0);

  startShipper({ metrics });
  await expect
    .poll(() => metricsAt(port).catch(() => null))
    .toMatchObject({ hoop_journal_unshipped_entries: 0, hoop_journal_shipped_entries_total: 2 });
});

it('gives every journal on the volume its turn, however much there is in one', async () => {
  await shipper.close(0);
  const other = await openJournal(folder, { id: newId('journal'), keys: journalKeys(sealingKeys) });
  closers.push(() => other.close());
  const another = createRecorder({
    relayId: newId('relay'),
    timeoutMs: 60_000,
    pack: packGroup,
    send: (_id, { parts, entries }) => other.writer.append(parts, entries),
  });
  // More than two full batches in each.
  const intend = (by: Recorder): Promise<unknown> => by.intent({ ...sampleCall().intent.head, callId: newId('call') });
  await Promise.all(Array.from({ length: 1500 }, () => Promise.all([intend(recorder), intend(another)])));

  const order: string[] = [];
  const worker = openQueueWorker<PackedRecordBatch>(
    queueNames.recordings,
    connection,
    ({ payload }) => Promise.resolve(void order.push(payload.relayId)),
    { concurrency: 1 },
  );
  closers.push(() => worker.close());
  startShipper();
  await expect.poll(() => order.length).toBeGreaterThan(3);
  expect(new Set(order.slice(0, 2)).size).toBe(2);
});

it('collects records for a moment: a job for each would cost a relay with few calls hundreds of times as much', async () => {
  const queue = openQueue<PackedRecordBatch>(queueNames.recordings, connection);
  closers.push(() => queue.close());
  const from = performance.now();
  for (let i = 0; i < 200; i++) await record();
  let jobs = 0;
  let records = 0;
  const worker = openQueueWorker<PackedRecordBatch>(queueNames.recordings, connection, ({ payload }) => {
    jobs++;
    records += [...unpackRecordBatch(payload)].length;
    return Promise.resolve();
  });
  closers.push(() => worker.close());
  await expect.poll(() => records).toBe(200);
  // One after each pause of 50 ms, however slow the machine is; a timer may be early by a little.
  expect(jobs).toBeLessThanOrEqual((performance.now() - from) / 45 + 2);
});
