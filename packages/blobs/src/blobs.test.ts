/** Both stores keep the same promises: a folder of this machine, and a server that speaks the S3 API and checks signatures. */
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { newId } from '@hoop/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startS3Server, type S3Server } from '../test/s3-server.ts';
import {
  blobKey,
  blobStoreFromEnv,
  createDirectoryBlobStore,
  createS3BlobStore,
  parseBlobKey,
  type BlobInfo,
  type BlobStore,
} from './index.ts';

let folder: string;
let server: S3Server;
let s3Url: string;
let credentials: S3Server['credentials'];
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-blobs-'));
  server = await startS3Server(path.join(folder, 's3'));
  ({ url: s3Url, credentials } = server);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const bytes = (length: number, fill = 7): Uint8Array => new Uint8Array(length).fill(fill);
const keyOf = (content: Uint8Array, callId = newId('call'), side: 'request' | 'response' = 'request'): string =>
  blobKey({ callId, side }, content);
async function all(store: BlobStore, after?: string): Promise<BlobInfo[]> {
  const found: BlobInfo[] = [];
  for await (const one of store.list(after)) found.push(one);
  return found;
}

describe.each<[string, () => BlobStore]>([
  ['a directory', () => createDirectoryBlobStore(path.join(folder, `directory-${newId('request')}`))],
  ['the S3 API', () => createS3BlobStore({ url: `${s3Url}/${newId('request')}`, ...credentials })],
])('blobs in %s', (_name, open) => {
  test('come back as they were, empty and large ones too', async () => {
    const store = open();
    for (const content of [bytes(0), bytes(1), bytes(5_000_000), new TextEncoder().encode('é\0')]) {
      const key = keyOf(content);
      await store.put(key, content);
      expect(Buffer.compare((await store.get(key))!, content)).toBe(0);
      expect(await store.has(key)).toBe(true);
    }
  });

  test('can be written again, and at the same time', async () => {
    const store = open();
    const content = bytes(100_000);
    const key = keyOf(content);
    await Promise.all(Array.from({ length: 8 }, () => store.put(key, content)));
    expect(await all(store)).toMatchObject([{ key, bytes: 100_000 }]);
  });

  test('are not there before, nor after they were deleted', async () => {
    const store = open();
    const key = keyOf(bytes(10));
    expect([await store.get(key), await store.has(key)]).toEqual([null, false]);
    await store.delete(key);
    await store.put(key, bytes(10));
    await store.delete(key);
    expect([await store.get(key), await store.has(key), await all(store)]).toEqual([null, false, []]);
  });

  test('are listed in the order of their keys, from any of them on', async () => {
    const store = open();
    const times = [0, 1, 8_388_608, 8_388_609, 90_000_000, 1_764_000_000_000, Date.now()];
    const keys = times.flatMap((time) => (['request', 'response'] as const).map((side) => keyOf(bytes(3), newId('call', time), side)));
    for (const key of keys.toReversed()) await store.put(key, bytes(3));
    const listed = await all(store);
    expect(listed.map((one) => one.key)).toEqual(keys.toSorted());
    expect(listed.every((one) => Math.abs(one.storedAt - Date.now()) < 60_000)).toBe(true);
    const sorted = keys.toSorted();
    for (const from of [0, 3, 13]) expect((await all(store, sorted[from])).map((one) => one.key)).toEqual(sorted.slice(from + 1));
  });

  test('have keys of one form only', async () => {
    const store = open();
    for (const key of ['', '../../etc/passwd', 'call_1.request.x', `${keyOf(bytes(1))}/..`, `/${keyOf(bytes(1))}`]) {
      await expect(store.put(key, bytes(1)), key).rejects.toThrow(RangeError);
      await expect(store.get(key), key).rejects.toThrow(RangeError);
      await expect(store.delete(key), key).rejects.toThrow(RangeError);
    }
  });
});

describe('a directory', () => {
  test('keeps its files to itself, and leaves no half of one behind', async () => {
    const root = path.join(folder, 'private');
    const store = createDirectoryBlobStore(root);
    const key = keyOf(bytes(10));
    await store.put(key, bytes(10));
    const [below] = await readdir(root);
    expect((await stat(path.join(root, below!))).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(root, below!, key))).mode & 0o777).toBe(0o600);
    expect(await readdir(path.join(root, below!))).toEqual([key]);
    await writeFile(path.join(root, below!, '.left-behind.part'), 'x');
    expect(await all(store)).toHaveLength(1);
  });

  test('that cannot be written says so, and recovers without help', async () => {
    const file = path.join(folder, 'in-the-way');
    await writeFile(file, '');
    const store = createDirectoryBlobStore(file);
    const content = bytes(10);
    await expect(store.put(keyOf(content), content)).rejects.toMatchObject({ code: 'unavailable' });
    await rm(file);
    await store.put(keyOf(content), content);
    await rm(file, { recursive: true });
    await expect(store.put(keyOf(content), content)).rejects.toMatchObject({ code: 'unavailable' });
    await store.put(keyOf(content), content);
    await chmod(file, 0o700);
  });
});

describe('the S3 API', () => {
  test('pages through more than a thousand', async () => {
    const store = createS3BlobStore({ url: `${s3Url}/many`, ...credentials });
    const keys = Array.from({ length: 1030 }, (_, n) => keyOf(bytes(1), newId('call', n)));
    for (let from = 0; from < keys.length; from += 32)
      await Promise.all(keys.slice(from, from + 32).map((key) => store.put(key, bytes(1))));
    expect((await all(store)).map((one) => one.key)).toEqual(keys.toSorted());
  });

  test.each([
    ['a wrong key', () => createS3BlobStore({ url: s3Url, ...credentials, secretAccessKey: 'wrong' })],
    ['no such bucket', () => createS3BlobStore({ url: s3Url.replace('/bodies', '/nothing'), ...credentials })],
    ['nobody there', () => createS3BlobStore({ url: 'http://127.0.0.1:1/bodies', ...credentials })],
  ])('is unavailable, not empty, with %s', async (_name, open) => {
    const content = bytes(1);
    const store = open();
    await expect(store.put(keyOf(content), content)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.get(keyOf(content))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(all(store)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('the environment', () => {
  test('names one store, or none', async () => {
    const file = path.join(folder, 'credentials.json');
    await writeFile(file, JSON.stringify(credentials));
    expect(blobStoreFromEnv({})).toBeNull();
    expect(blobStoreFromEnv({ HOOP_BLOB_DIR: folder })).not.toBeNull();
    const store = blobStoreFromEnv({
      HOOP_BLOB_S3_URL: `${s3Url}/env`,
      HOOP_BLOB_S3_CREDENTIALS_FILE: file,
      HOOP_BLOB_S3_REGION: 'eu-central-1',
    })!;
    await store.put(keyOf(bytes(2)), bytes(2));
    expect(await all(store)).toHaveLength(1);
  });

  test.each([
    [{ HOOP_BLOB_DIR: '/x', HOOP_BLOB_S3_URL: 'https://s3.example/b' }, 'one place only'],
    [{ HOOP_BLOB_S3_URL: 'ftp://s3.example/b' }, 'must be an http or https URL'],
    [{ HOOP_BLOB_S3_URL: 'https://s3.example/' }, 'must name a bucket'],
    [{ HOOP_BLOB_S3_URL: 'http://s3.example/b' }, 'must be https'],
    [{ HOOP_BLOB_S3_URL: 'https://s3.example/b', HOOP_BLOB_S3_STYLE: 'x' }, 'must be path or host'],
    [{ HOOP_BLOB_S3_URL: 'https://s3.example/b' }, 'CREDENTIALS_FILE is not set'],
    [{ HOOP_BLOB_S3_URL: 'https://s3.example/b', HOOP_BLOB_S3_CREDENTIALS_FILE: '/nonexistent' }, 'cannot be read as JSON'],
  ])('%j is refused with a sentence', (env, sentence) => {
    expect(() => blobStoreFromEnv(env)).toThrow(sentence);
  });
});

test('a key names its call, side and content', () => {
  const callId = newId('call');
  expect(parseBlobKey(blobKey({ callId, side: 'response' }, bytes(0)))).toEqual({
    callId,
    side: 'response',
    sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  });
  expect(parseBlobKey('x')).toBeNull();
});
