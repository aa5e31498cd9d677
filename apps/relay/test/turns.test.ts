/** Work that is put off to a later turn of the event loop arrives all the same, whole and in order. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import type { ConnectionSnapshot } from '@hoop/contract';
import { readBody, startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { Lane } from '../src/caller/turns.ts';
import { staticCredential, World } from './world.ts';

const sum = (bytes: Uint8Array): string => `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
const large = Buffer.from(Array.from({ length: 500_000 }, (_, i) => `${i}\n`).join(''));

const customers = Array.from({ length: 20_000 }, (_, id) => ({ id, email: `c${id}@example.com` }));
const masked = customers.map((customer) => ({ ...customer, email: '[redacted]' }));

let world: World;
let target: TestTarget;
let connection: ConnectionSnapshot;
let masking: ConnectionSnapshot;
let waits: number;

beforeAll(async () => {
  world = await World.start();
  target = await startTarget(async (req, res) => {
    if (req.method === 'POST') {
      res.end(sum(await readBody(req)));
      return;
    }
    if (req.url === '/broken') {
      res.writeHead(200, { 'content-type': 'text/plain', 'content-length': large.length });
      res.write(large.subarray(0, 1_000_000), () => res.destroy());
      return;
    }
    if (req.url === '/json') {
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(customers));
      return;
    }
    if (req.url === '/small') {
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(customers.slice(0, 8)));
      return;
    }
    if (req.url === '/json-gzip') {
      res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(JSON.stringify(customers)));
      return;
    }
    const length = req.url === '/length' ? { 'content-length': large.length } : {};
    // The end of the connection is the end of the body (RFC 9112 §6.3).
    const close = req.url === '/close' ? { connection: 'close' } : {};
    if (req.url === '/close') res.useChunkedEncodingByDefault = false;
    res.writeHead(200, { 'content-type': 'text/plain', ...length, ...close });
    res.end(large);
  });
  connection = await world.connect({ target: target.url, credential: staticCredential('a-secret-of-some-length-1234567890') });
  masking = await world.connect({ target: target.url, mask: [{ path: '$[*].email', action: 'redact' }] });
});
afterAll(async () => {
  await target?.close();
  await world?.close();
});

beforeEach(() => {
  waits = 0;
  // Everybody has always used up the present turn.
  vi.spyOn(Lane.prototype, 'isOpen').mockReturnValue(false);
  const { wait } = Lane.prototype;
  vi.spyOn(Lane.prototype, 'wait').mockImplementation(function (this: Lane, ...args) {
    waits++;
    wait.apply(this, args);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('where every piece of work waits for its turn', () => {
  it.each(['/length', '/chunked', '/close'])('a response arrives whole and is recorded: %s', async (path) => {
    const response = await world.call(connection, path);
    expect(sum(Buffer.from(await response.arrayBuffer()))).toBe(sum(large));
    const { outcome } = await world.record(response.headers.get('hoop-call'));
    expect(outcome).toMatchObject({ state: 'completed', responseBody: { bytes: large.length } });
    expect(waits).toBeGreaterThan(large.length / 65_536);
  });

  it.each(['/json', '/json-gzip'])('a masked response arrives whole and masked: %s', async (path) => {
    const response = await world.call(masking, path);
    // As a digest: to show the difference of two long bodies takes minutes.
    expect(sum(Buffer.from(JSON.stringify(await response.json())))).toEqual(sum(Buffer.from(JSON.stringify(masked))));
  });

  it('a small masked response leaves in one piece, with its length', async () => {
    const response = await world.call(masking, '/small');
    expect(response.headers.get('content-length')).toBe(String(JSON.stringify(masked.slice(0, 8)).length));
    expect(await response.json()).toEqual(masked.slice(0, 8));
  });

  it('a request body arrives whole', async () => {
    const response = await world.call(connection, '/x', { method: 'POST', body: large });
    expect(await response.text()).toBe(sum(large));
    expect(waits).toBeGreaterThan(large.length / 65_536);
  });

  it('a response that breaks off fails, and never ends as if it were whole', async () => {
    const response = await world.call(connection, '/broken');
    await expect(response.arrayBuffer()).rejects.toThrow();
    const { outcome } = await world.record(response.headers.get('hoop-call'));
    expect(outcome).toMatchObject({ state: 'failed', error: 'target_reset' });
  });

  it('a caller that leaves meanwhile ends its call', async () => {
    const controller = new AbortController();
    const response = await world.call(connection, '/length', { signal: controller.signal });
    controller.abort();
    const { outcome } = await world.record(response.headers.get('hoop-call'));
    expect(outcome!.state).toBe('aborted');
  });
});

describe('where one identity makes many calls at once', () => {
  it('they all end, and each response leaves in one piece', async () => {
    vi.restoreAllMocks();
    const answers = await Promise.all(
      Array.from({ length: 300 }, async () => {
        const response = await world.call(masking, '/small');
        return { length: response.headers.get('content-length'), body: await response.json() };
      }),
    );
    const body = masked.slice(0, 8);
    for (const answer of answers) expect(answer).toEqual({ length: String(JSON.stringify(body).length), body });
  });
});
