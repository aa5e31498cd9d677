/** Large bodies on their way to the blob store, back, and out of it; with real stores, a real queue and a real database. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { blobKey, createDirectoryBlobStore, parseBlobKey, type BlobStore } from '@hoop/blobs';
import { AppError, newId, queueNames, type RecordEntry } from '@hoop/contract';
import { purgeCalls, readBodies, recordEntries, type Database } from '@hoop/database';
import { openQueue, prepareQueueSchema } from '@hoop/queue';
import { createRecorder, packBatch } from '@hoop/recording';
import { createTestDatabase, type TestDatabase } from '@hoop/testkit';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { sampleBody, sampleCall } from '../../../../packages/database/test/sample-entries.ts';
import { startWorker } from '../index.ts';
import { keepBlobs } from '../maintenance/keep-blobs.ts';
import { createBlobStorer } from './store-blobs.ts';
import { openSignedDatabase, rowKeys } from '../../../../packages/database/test/row-keys.ts';

let database: TestDatabase;
let db: Database;
let scratch: string;
let folder: string;
let blobs: BlobStore;
beforeAll(async () => {
  [database, scratch] = await Promise.all([createTestDatabase(), mkdtemp(path.join(os.tmpdir(), 'hoop-worker-blobs-'))]);
  db = openSignedDatabase(database.url);
});
beforeEach(async () => {
  folder = path.join(scratch, newId('request'));
  blobs = createDirectoryBlobStore(folder);
  await db.pool.query('DELETE FROM call_bodies');
  await db.pool.query('DELETE FROM blob_deletions');
});
afterAll(async () => {
  await db.close();
  await database.drop();
  await rm(scratch, { recursive: true });
});

const keysOf = async (store: BlobStore): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of store.list()) keys.push(key);
  return keys;
};
const sealedOf = (text: string): Buffer => Buffer.from(text, 'base64');
const never = new AbortController().signal;
const context = (now = Date.now) => ({
  config: {
    databaseUrl: '',
    queue: { kind: 'postgres' as const, url: '' },
    orphanSeconds: 1,
    logLevel: 'silent',
    blobs,
    rowKeys: rowKeys.publicJwks,
  },
  db,
  log: pino({ level: 'silent' }),
  now,
});
const storer = (over: Partial<Parameters<typeof createBlobStorer>[0]> = {}) =>
  createBlobStorer({ blobs, blobBytes: 65_536, now: Date.now, onFailure: (error) => expect.unreachable(error.message), ...over });

/** A call with a small request and a large response, written as the worker does. */
async function write(over: { storer?: ReturnType<typeof storer>; at?: number } = {}) {
  const { intent, outcome } = sampleCall({ bodyBytes: 100_000, ...(over.at === undefined ? {} : { at: over.at }) });
  const entries: RecordEntry[] = [intent, { ...outcome, requestBody: sampleBody(10) }];
  expect(await recordEntries(db.pool, await (over.storer ?? storer())(entries))).toEqual([]);
  return outcome;
}

test('large bodies go to the store and come back; small ones stay beside their row', async () => {
  const outcome = await write();
  const keys = await keysOf(blobs);
  expect(keys.map(parseBlobKey)).toMatchObject([{ callId: outcome.callId, side: 'response' }]);
  const rows = await db.prisma.callBody.findMany({ where: { callId: outcome.callId }, orderBy: { side: 'asc' } });
  expect(rows.map((row) => [row.side, row.sealed !== null, row.blob])).toEqual([
    ['request', true, null],
    ['response', false, keys[0]],
  ]);
  const [, response] = await readBodies(db.prisma, [outcome.callId], blobs);
  expect(Buffer.compare(response!.sealed, sealedOf(outcome.responseBody!.sealed!))).toBe(0);
  // The log's digest is the one that it would compute for a body in the row.
  expect(Buffer.from(rows[1]!.hash!).toString('hex')).toBe(
    createHash('sha256').update(sealedOf(outcome.responseBody!.sealed!)).digest('hex'),
  );
});

test('a body of exactly the limit stays in its row', async () => {
  const { outcome } = sampleCall();
  const store = storer({ blobBytes: 1000 });
  const withBytes = (length: number): RecordEntry => ({
    ...outcome,
    responseBody: { ...sampleBody(1), sealed: Buffer.alloc(length).toString('base64') },
  });
  await store([withBytes(999)]);
  expect(await keysOf(blobs)).toHaveLength(0);
  await store([withBytes(1003)]);
  expect(await keysOf(blobs)).toHaveLength(1);
});

test('a reference to a blob of another call is not followed', async () => {
  const first = await write();
  const [key] = await keysOf(blobs);
  const { intent, outcome } = sampleCall();
  await recordEntries(db.pool, [intent, { ...outcome, responseBody: { ...sampleBody(10), sealed: `blob:${key}` } }]);
  const rows = await db.prisma.callBody.findMany({ where: { callId: outcome.callId, side: 'response' } });
  expect(rows.map((row) => row.blob)).toEqual([null]);
  expect(await db.prisma.callBody.count({ where: { blob: key! } })).toBe(1);
  expect(first.callId).not.toBe(outcome.callId);
});

test('while the store is away nothing is lost and nothing waits: bodies go into their rows, and later ones into the store', async () => {
  let now = 1_000_000;
  const failures: string[] = [];
  await writeFile(folder, 'in the way');
  const store = storer({ now: () => now, onFailure: (error) => void failures.push((error as AppError).code) });
  const first = await write({ storer: store });
  const second = await write({ storer: store });
  expect(failures).toEqual(['unavailable']);
  for (const outcome of [first, second]) {
    const [, response] = await readBodies(db.prisma, [outcome.callId], null);
    expect(Buffer.compare(response!.sealed, sealedOf(outcome.responseBody!.sealed!))).toBe(0);
  }
  await rm(folder);
  now += 15_000;
  await write({ storer: store });
  expect(await keysOf(blobs)).toHaveLength(1);
});

test('a body whose blob is gone, or whose store is not named, has no bytes; one whose store is away is an error', async () => {
  const { callId } = await write();
  expect((await readBodies(db.prisma, [callId], null))[1]!.sealed).toHaveLength(0);
  for (const key of await keysOf(blobs)) await blobs.delete(key);
  expect((await readBodies(db.prisma, [callId], blobs))[1]!.sealed).toHaveLength(0);
  await rm(folder, { recursive: true });
  await writeFile(folder, 'in the way');
  await expect(readBodies(db.prisma, [callId], blobs)).rejects.toMatchObject({ code: 'unavailable' });
});

test('what deletes a row deletes its blob after the commit: retention, and whatever else', async () => {
  const at = Date.now() - 90 * 86_400_000;
  const old = await write({ at });
  const kept = await write();
  await db.pool.query('DELETE FROM log_pending');
  const rule = { connectionId: sampleCall().intent.head.connectionId, connectionName: 'payments', seconds: 86_400 };
  await db.inTransaction((tx) => purgeCalls(tx, rule, Date.now()));
  expect((await keysOf(blobs)).map((key) => parseBlobKey(key)!.callId)).toEqual([old.callId, kept.callId]);
  expect(await keepBlobs(context(), never)).toMatchObject({ deleted: 1 });
  expect((await keysOf(blobs)).map((key) => parseBlobKey(key)!.callId)).toEqual([kept.callId]);
  await db.prisma
    .$transaction(async (tx) => {
      await tx.callBody.deleteMany({ where: { callId: kept.callId } });
      throw new Error('rolled back');
    })
    .catch(() => undefined);
  expect(await keepBlobs(context(), never)).toMatchObject({ deleted: 0 });
  expect(await keysOf(blobs)).toHaveLength(1);
});

test('blobs without a row are deleted once no worker can still be about to write it; rows without a blob are told of', async () => {
  const whole = await write();
  const lost = await write();
  const orphan = Buffer.alloc(70_000, 5);
  const key = blobKey({ callId: newId('call'), side: 'response' }, orphan);
  await blobs.put(key, orphan);
  const lostKey = (await keysOf(blobs)).find((one) => one.startsWith(lost.callId))!;
  await blobs.delete(lostKey);
  expect(await keepBlobs(context(), never)).toEqual({ deleted: 0, stray: 0, missing: [lostKey] });
  const [below] = await readdir(folder);
  await utimes(path.join(folder, below!, key), 0, 0);
  expect(await keepBlobs(context(), never)).toEqual({ deleted: 0, stray: 1, missing: [lostKey] });
  expect((await keysOf(blobs)).map((one) => parseBlobKey(one)!.callId)).toEqual([whole.callId]);
});

test('a store of more blobs than one look takes is compared piece by piece', async () => {
  const old: string[] = [];
  for (let n = 0; n < 1100; n++) {
    const key = blobKey({ callId: newId('call', n), side: 'request' }, Buffer.from([n & 255]));
    await blobs.put(key, Buffer.from([n & 255]));
    old.push(key);
  }
  const { callId } = await write();
  expect(
    await keepBlobs(
      context(() => Date.now() + 7_200_000),
      never,
    ),
  ).toEqual({ deleted: 0, stray: 1100, missing: [] });
  expect((await keysOf(blobs)).map((key) => parseBlobKey(key)!.callId)).toEqual([callId]);
});

test('bodies of the largest size that a connection may keep pass through the queue into the store', async () => {
  await prepareQueueSchema({ ownerUrl: database.url, role: 'hoop_worker_blobs_test', password: 'a-password-for-tests' });
  const queue = openQueue(queueNames.recordings, { kind: 'postgres', url: database.url }, { timeoutMs: 20_000 });
  const worker = await startWorker({
    databaseUrl: database.url,
    rowKeys: rowKeys.publicJwks,
    queue: { kind: 'postgres', url: database.url },
    orphanSeconds: 3600,
    logLevel: 'silent',
    blobs,
  });
  const recorder = createRecorder({
    relayId: newId('relay'),
    pack: packBatch,
    send: (jobId, { head, bytes }) => queue.addBytes(jobId, head, 'packed', bytes),
    timeoutMs: 20_000,
  });
  const { intent, outcome } = sampleCall();
  const large = { ...outcome, requestBody: sampleBody(16_777_216), responseBody: sampleBody(16_777_216) };
  await recorder.intent(intent.head);
  await recorder.conclude(large);
  let bodies: Awaited<ReturnType<typeof readBodies>> = [];
  // Each turn is an answered query.
  while (bodies.length < 2) bodies = await readBodies(db.prisma, [outcome.callId], blobs);
  expect(
    bodies.map((body) => Buffer.compare(body.sealed, sealedOf((body.side === 'request' ? large.requestBody : large.responseBody).sealed!))),
  ).toEqual([0, 0]);
  expect(await keysOf(blobs)).toHaveLength(2);
  await recorder.close(1000);
  await worker.close();
  await queue.close();
});
