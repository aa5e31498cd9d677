import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

import { AppError } from '@hoop/contract';
import type { ConnectionSnapshot } from '@hoop/contract';
import { startTarget, testClock } from '@hoop/testkit';
import type { TestClock, TestTarget } from '@hoop/testkit';
import { createGuardedFetch } from '@hoop/upstream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Lease } from './index.ts';
import { createBench, emptyRequest } from './testing.ts';
import type { Bench } from './testing.ts';

let clock: TestClock;
let bench: Bench;
let endpoint: TestTarget;
let connection: ConnectionSnapshot;
let asked: number;
/** The token endpoint's behaviour; by default each answer has a new 60-second token. */
let respond: (respondWith: (status: number, body: object) => void) => void;
/** Resolves with the count once the endpoint has been asked so often. */
let waiters: { count: number; resolve: () => void }[];

const askedTimes = (count: number): Promise<void> =>
  asked >= count ? Promise.resolve() : new Promise((resolve) => waiters.push({ count, resolve }));
const token = (n: number) => ({ access_token: `token-${n}`, token_type: 'Bearer', expires_in: 60 });
const bearer = (lease: Lease | undefined): string | undefined => lease?.sign(emptyRequest).headers[0]![1];

beforeEach(async () => {
  clock = testClock();
  bench = await createBench(clock.now);
  asked = 0;
  waiters = [];
  respond = (send) => send(200, token(asked));
  endpoint = await startTarget((request, response) => {
    request.resume();
    asked++;
    respond((status, body) => response.writeHead(status).end(JSON.stringify(body)));
    for (const waiter of waiters) if (asked >= waiter.count) waiter.resolve();
  });
  connection = await bench.seal(
    { type: 'oauth2_client_credentials', tokenUrl: `${endpoint.url}/token`, clientId: 'hoop' },
    { clientSecret: 'canary-secret' },
  );
});
afterEach(async () => {
  await bench.cache.close();
  await endpoint.close();
});

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}
/** Lets what happens in the background happen. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a lease', () => {
  it('is obtained once for all who ask at the same time, and then found without waiting', async () => {
    expect(bench.cache.peek(connection)).toBeUndefined();
    const leases = await Promise.all(Array.from({ length: 50 }, () => bench.cache.obtain(connection)));
    expect(new Set(leases).size).toBe(1);
    expect(bench.cache.peek(connection)).toBe(leases[0]);
    expect(await bench.cache.obtain(connection)).toBe(leases[0]);
    expect(asked).toBe(1);
  });

  it('knows its hosts, its end and its fingerprint, and shows no secret', async () => {
    const lease = await bench.cache.obtain(connection);
    expect(lease).toMatchObject({ connectionId: connection.id, hosts: ['https://api.payments.example'], expiresAt: clock.now() + 60_000 });
    expect(lease.fingerprint).toBe(createHash('sha256').update('token-1').digest('hex').slice(0, 16));
    expect(lease.secretValues.reveal()).toEqual(['token-1']);
    expect(inspect(lease, { depth: 10, showHidden: true }) + JSON.stringify(lease)).not.toMatch(/token-1|canary/);
  });

  it('is renewed in the background ahead of its end while the old one is still handed out', async () => {
    const first = await bench.cache.obtain(connection);
    clock.advance(44_999);
    expect(bench.cache.peek(connection)).toBe(first);
    expect(asked).toBe(1);
    let release = (): void => undefined;
    respond = (send) => (release = () => send(200, token(2)));
    clock.advance(1);
    for (let i = 0; i < 10; i++) expect(bench.cache.peek(connection)).toBe(first);
    await askedTimes(2);
    expect(await bench.cache.obtain(connection)).toBe(first);
    release();
    await until(() => bench.cache.peek(connection) !== first);
    expect(bearer(bench.cache.peek(connection))).toBe('Bearer token-2');
    expect(asked).toBe(2);
  });

  it('is not handed out in its last moments, nor after', async () => {
    const first = await bench.cache.obtain(connection);
    respond = (send) => send(500, {});
    clock.advance(56_999);
    expect(bench.cache.peek(connection)).toBe(first);
    await askedTimes(2);
    clock.advance(1);
    expect(bench.cache.peek(connection)).toBeUndefined();
    expect((await refusal(bench.cache.obtain(connection))).code).toBe('credential_unavailable');
  });

  it('survives failing renewals until its end, and the source is not asked at every call', async () => {
    let answered = 0;
    bench = await createBench(clock.now, {
      fetch:
        (options) =>
        async (...request) => {
          const response = await createGuardedFetch(options)(...request);
          setImmediate(() => answered++);
          return response;
        },
    });
    connection = await bench.seal(
      { type: 'oauth2_client_credentials', tokenUrl: `${endpoint.url}/token`, clientId: 'hoop' },
      { clientSecret: 'x' },
    );
    const first = await bench.cache.obtain(connection);
    respond = (send) => send(500, {});
    clock.advance(45_000);
    expect(bench.cache.peek(connection)).toBe(first);
    await until(() => answered === 2);
    for (let i = 0; i < 10; i++) expect(bench.cache.peek(connection)).toBe(first);
    clock.advance(999);
    expect(bench.cache.peek(connection)).toBe(first);
    expect(asked).toBe(2);
    clock.advance(1);
    respond = (send) => send(200, token(3));
    expect(bench.cache.peek(connection)).toBe(first);
    await until(() => answered === 3);
    expect(bearer(bench.cache.peek(connection))).toBe('Bearer token-3');
  });

  it('of a static secret is opened once an hour', async () => {
    const fixed = await bench.seal({ type: 'static', injection: { into: 'basic', username: 'hoop' } }, { secret: 'fixed' });
    const lease = await bench.cache.obtain(fixed);
    expect(bearer(lease)).toBe(`Basic ${Buffer.from('hoop:fixed').toString('base64')}`);
    expect(lease.expiresAt).toBe(clock.now() + 3_600_000);
    clock.advance(2_000_000);
    expect(bench.cache.peek(fixed)).toBe(lease);
  });
});

describe('a failure', () => {
  it('is remembered for a short time and then tried again, with longer pauses each time', async () => {
    respond = (send) => send(401, { error: 'invalid_client' });
    const first = await refusal(bench.cache.obtain(connection));
    expect(first.detail).toContain('invalid_client');
    clock.advance(999);
    expect(await refusal(bench.cache.obtain(connection))).toBe(first);
    expect(asked).toBe(1);
    clock.advance(1);
    await refusal(bench.cache.obtain(connection));
    expect(asked).toBe(2);
    clock.advance(1_999);
    await refusal(bench.cache.obtain(connection));
    expect(asked).toBe(2);
    clock.advance(1);
    respond = (send) => send(200, token(3));
    expect(bearer(await bench.cache.obtain(connection))).toBe('Bearer token-3');
  });

  it('of an endpoint that never answers comes within the time limit', async () => {
    respond = () => undefined;
    const error = await refusal(bench.cache.obtain(connection));
    expect(error.detail).toContain('5000 ms');
  });

  it('to open the seal is told: an edited target or token endpoint, and nothing is sent', async () => {
    const { settings, credential } = connection;
    const elsewhere = { ...connection, settings: { ...settings, target: 'https://evil.example' } };
    expect((await refusal(bench.cache.obtain(elsewhere))).code).toBe('credential_not_openable');
    const thief = {
      ...connection,
      credential: {
        ...credential!,
        settings: { ...credential!.settings, tokenUrl: `${endpoint.url.replace('127.0.0.1', '127.0.0.2')}/token` } as never,
      },
    };
    expect((await refusal(bench.cache.obtain(thief))).code).toBe('credential_not_openable');
    expect(asked).toBe(0);
  });

  it('of a connection without a source is told', async () => {
    expect((await refusal(bench.cache.obtain({ ...connection, credential: null }))).detail).toContain('no credential source');
  });

  it('that nobody expected shows nothing of it', async () => {
    const { cache } = await createBench(clock.now, { openSecrets: () => Promise.reject(new Error('canary-secret')) });
    const error = await refusal(cache.obtain(connection));
    expect(error.code).toBe('credential_unavailable');
    expect(inspect(error, { depth: 10 })).not.toContain('canary-secret');
  });
});

describe('who waits', () => {
  it('may stop waiting without ending the request of the others', async () => {
    let release = (): void => undefined;
    respond = (send) => (release = () => send(200, token(1)));
    const caller = new AbortController();
    const impatient = refusal(bench.cache.obtain(connection, caller.signal));
    const patient = bench.cache.obtain(connection);
    await askedTimes(1);
    caller.abort();
    expect((await impatient).detail).toContain('abandoned');
    release();
    expect(bearer(await patient)).toBe('Bearer token-1');
    expect(asked).toBe(1);
    clock.advance(60_000);
    expect((await refusal(bench.cache.obtain(connection, AbortSignal.abort()))).detail).toContain('abandoned');
  });

  it('is turned away when the connection is forgotten, and the answer is not kept', async () => {
    let release = (): void => undefined;
    respond = (send) => (release = () => send(200, token(1)));
    const waiting = refusal(bench.cache.obtain(connection));
    await askedTimes(1);
    bench.cache.forget(connection.id);
    expect((await waiting).detail).toContain('no longer needed');
    release();
    expect(bench.cache.peek(connection)).toBeUndefined();
  });

  it('is turned away once the cache is closed', async () => {
    await bench.cache.obtain(connection);
    await bench.cache.close();
    expect(bench.cache.peek(connection)).toBeUndefined();
    expect((await refusal(bench.cache.obtain(connection))).code).toBe('credential_unavailable');
  });
});

describe('a new snapshot', () => {
  it('keeps the lease where nothing that matters has changed', async () => {
    const lease = await bench.cache.obtain(connection);
    const copy = structuredClone(connection);
    copy.settings.limits.headTimeoutMs = 1_000;
    expect(bench.cache.peek(copy)).toBe(lease);
  });

  it('drops the lease with a new revision of the source or another target', async () => {
    await bench.cache.obtain(connection);
    expect(bench.cache.peek({ ...connection, credential: { ...connection.credential!, revision: 2 } })).toBeUndefined();
    expect(bench.cache.peek({ ...connection, settings: { ...connection.settings, target: 'https://evil.example' } })).toBeUndefined();
    expect(bench.cache.peek({ ...connection, credential: null })).toBeUndefined();
    const renewed = await bench.cache.obtain({ ...connection, credential: { ...connection.credential!, revision: 2 } });
    expect(bearer(renewed)).toBe('Bearer token-2');
  });
});
