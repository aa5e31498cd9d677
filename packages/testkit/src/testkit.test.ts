import { execFile } from 'node:child_process';
import https from 'node:https';
import tls from 'node:tls';
import { promisify } from 'node:util';

import { createRemoteJWKSet, generateKeyPair, jwtVerify } from 'jose';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';

import {
  createTestAuthority,
  createTestDatabase,
  readBody,
  redisIsAvailable,
  reservePort,
  startIssuer,
  startOidcProvider,
  startTarget,
  startTestRedis,
  testClock,
} from './index.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function rows(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('test databases', () => {
  test('each has the migrated tables and nothing of another', async () => {
    const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    closers.push(
      () => one.drop(),
      () => two.drop(),
    );
    await rows(one.url, 'create table only_here ()');
    const tables = "select count(*)::int as n from information_schema.tables where table_name in ('only_here', '_prisma_migrations')";
    expect(await rows(one.url, tables)).toEqual([{ n: 2 }]);
    expect(await rows(two.url, tables)).toEqual([{ n: 1 }]);
  });

  test('an empty one has no table at all', async () => {
    const empty = await createTestDatabase({ empty: true });
    closers.push(() => empty.drop());
    expect(await rows(empty.url, "select * from information_schema.tables where table_schema = 'public'")).toEqual([]);
  });

  test('are dropped although somebody is still connected', async () => {
    const database = await createTestDatabase({ empty: true });
    const client = new pg.Client(database.url);
    await client.connect();
    const errors: string[] = [];
    // The server's farewell, then the broken socket.
    client.on('error', (error) => errors.push(error.message));
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    await database.drop();
    await ended;
    expect(errors[0]).toMatch(/terminating connection/);
    await expect(rows(database.url, 'select 1')).rejects.toThrow(/does not exist/);
  });
});

describe.skipIf(!redisIsAvailable())('the test Redis', () => {
  test('keeps what was written over a kill and a restart', async () => {
    const redis = await startTestRedis();
    closers.push(() => redis.stop());
    const { Redis } = await import('ioredis');
    const before = new Redis(redis.url);
    before.on('error', () => {});
    await before.set('kept', 'yes');
    before.disconnect();
    await redis.kill();
    await redis.restart();
    const after = new Redis(redis.url);
    expect(await after.get('kept')).toBe('yes');
    after.disconnect();
  });
});

describe('the test target', () => {
  test('answers over http and gives the body', async () => {
    const target = await startTarget((request, response) => void readBody(request).then((body) => response.end(`got ${body.toString()}`)));
    closers.push(() => target.close());
    expect(await (await fetch(target.url, { method: 'POST', body: 'this' })).text()).toBe('got this');
  });

  test('answers over https to those who trust its authority, and to nobody else', async () => {
    const target = await startTarget((_request, response) => response.end('secret'), { tls: true });
    closers.push(() => target.close());
    const get = (ca?: string): Promise<number> =>
      new Promise((resolve, reject) => {
        https
          .get(target.url, ca === undefined ? { agent: false } : { ca, agent: false }, (response) => resolve(response.statusCode!))
          .on('error', reject);
      });
    expect(await get(target.ca)).toBe(200);
    await expect(get()).rejects.toThrow(/unable to verify|self-signed/);
  });

  test('can have a certificate for another name, or one that has expired', async () => {
    const authority = await createTestAuthority();
    const wrongName = await startTarget((_request, response) => response.end(), { tls: await authority.issue(['elsewhere.example']) });
    const day = 86_400_000;
    const expired = await startTarget((_request, response) => response.end(), {
      tls: await authority.issue(['localhost'], { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) }),
    });
    closers.push(
      () => wrongName.close(),
      () => expired.close(),
    );
    const connect = (port: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const socket = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca: authority.ca }, () => {
          socket.destroy();
          resolve();
        });
        socket.on('error', reject);
      });
    await expect(connect(wrongName.port)).rejects.toThrow(/altnames/);
    await expect(connect(expired.port)).rejects.toThrow(/expired/);
  });
});

describe('the test issuer', () => {
  test('signs tokens that its published keys verify, before and after a rotation', async () => {
    const issuer = await startIssuer();
    closers.push(() => issuer.close());
    const old = await issuer.sign({ repository: 'acme/billing' });
    await issuer.rotate();
    const keys = createRemoteJWKSet(new URL(issuer.jwksUri));
    for (const token of [old, await issuer.sign()]) {
      const { payload } = await jwtVerify(token, keys, { issuer: issuer.issuer, audience: 'hoop' });
      expect(payload.sub).toBe('machine');
    }
    expect(issuer.hits['/jwks']).toBe(1);
  });

  test('signs with a key that it does not publish when asked, and leaves out a claim', async () => {
    const issuer = await startIssuer();
    closers.push(() => issuer.close());
    const keys = createRemoteJWKSet(new URL(issuer.jwksUri));
    const { privateKey } = await generateKeyPair('ES256');
    await expect(jwtVerify(await issuer.sign({}, { key: privateKey }), keys)).rejects.toThrow(/signature/);
    const { payload } = await jwtVerify(await issuer.sign({ exp: undefined }), keys);
    expect(payload.exp).toBeUndefined();
  });
});

test('the real oidc-provider gives a JWT with the claims that were asked for', async () => {
  const provider = await startOidcProvider({ audience: 'hoop' });
  closers.push(() => provider.close());
  const token = await provider.token({ repository: 'acme/billing' });
  const discovery = (await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json()) as { jwks_uri: string };
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(discovery.jwks_uri)), {
    issuer: provider.issuer,
    audience: 'hoop',
  });
  expect(payload).toMatchObject({ sub: 'machine', repository: 'acme/billing' });
});

test('the clock moves only when told', () => {
  const clock = testClock(1000);
  clock.advance(5);
  expect(clock.now()).toBe(1005);
  clock.setTo(2);
  expect(clock.now()).toBe(2);
});

test("a reserved port is nobody else's: not of outgoing connections, not of whoever listens on port 0, not of another that reserves", async () => {
  const ports = await Promise.all(Array.from({ length: 200 }, reservePort));
  expect(new Set(ports).size).toBe(200);
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(12_000);
  expect(Math.max(...ports)).toBeLessThan(20_000);
  const other = `import { reservePort } from ${JSON.stringify(new URL('reserve-port.ts', import.meta.url).href)};
    const ports = new Set(JSON.parse(process.argv[1]));
    for (let i = 0; i < 400; i++) if (ports.has(await reservePort())) process.exit(1);`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', other, JSON.stringify(ports)]);
});
