import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';

import { AppError } from '@hoop/contract';
import { startTarget } from '@hoop/testkit';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { errors } from 'oidc-provider';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Lease } from '../index.ts';
import { createBench, emptyRequest } from '../testing.ts';
import type { Bench } from '../testing.ts';

/** Characters that only the form encoding of RFC 6749 gets through. */
const clientSecret = 'canary: s&cr%t+/=?-0123456789';
const resource = 'urn:payments';
let issuer: string;
let privateKey: Record<string, unknown>;
let bench: Bench;
const cleanups: (() => Promise<void>)[] = [];
const afterEachCleanups: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  privateKey = { ...(await exportJWK(pair.privateKey)), kid: 'client-key', alg: 'ES256' };
  const publicKey = { ...(await exportJWK(pair.publicKey)), kid: 'client-key', alg: 'ES256', use: 'sig' };
  const signing = await generateKeyPair('RS256', { extractable: true });
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
  const provider = new Provider(issuer, {
    clients: [
      { ...client, client_id: 'basic:client', client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_basic' },
      { ...client, client_id: 'post', client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_post' },
      {
        ...client,
        client_id: 'key',
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [publicKey] },
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(signing.privateKey)), kid: 'signing', alg: 'RS256', use: 'sig' }] },
    scopes: ['read'],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, indicator) => {
          if (indicator !== resource) throw new errors.InvalidTarget();
          return { scope: 'read', audience: resource, accessTokenTTL: 60, accessTokenFormat: 'jwt' };
        },
      },
    },
  });
  const handle = provider.callback();
  server.on('request', (request, response) => void handle(request, response));
  cleanups.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close').catch(() => undefined);
  });
  bench = await createBench();
});

afterAll(async () => {
  for (const cleanup of cleanups) await cleanup();
});
afterEach(async () => {
  for (const cleanup of afterEachCleanups.splice(0)) await cleanup();
});

const source = (more: Record<string, unknown>) => ({
  type: 'oauth2_client_credentials',
  tokenUrl: `${issuer}/token`,
  scope: 'read',
  resource,
  ...more,
});

function bearerOf(lease: Lease): string {
  const { headers } = lease.sign(emptyRequest);
  return headers[0]![1].replace('Bearer ', '');
}

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).code).toBe('credential_unavailable');
  const shown = inspect(error, { depth: 20, showHidden: true });
  for (const secret of [clientSecret, encodeURIComponent(clientSecret), 'canary', String(privateKey['d'])])
    expect(shown).not.toContain(secret);
  return error as AppError;
}

describe('a real token endpoint', () => {
  it.each([
    ['client_secret_basic', 'basic:client'],
    ['client_secret_post', 'post'],
  ])('gives a 60-second token for %s', async (clientAuthentication, clientId) => {
    const before = Date.now();
    const lease = await bench.cache.obtain(await bench.seal(source({ clientId, clientAuthentication }), { clientSecret }));
    const claims = JSON.parse(Buffer.from(bearerOf(lease).split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
    expect(claims).toMatchObject({ client_id: clientId, aud: resource, scope: 'read' });
    expect(lease.expiresAt - before).toBeGreaterThanOrEqual(60_000);
    expect(lease.expiresAt - before).toBeLessThanOrEqual(60_000 + Date.now() - before);
    expect(lease.hosts).toEqual(['https://api.payments.example']);
  });

  it('gives a token for an assertion to its URL, or to the audience in the settings', async () => {
    for (const more of [{}, { assertionAudience: issuer }]) {
      const lease = await bench.cache.obtain(
        await bench.seal(source({ clientId: 'key', clientAuthentication: 'private_key_jwt', ...more }), { privateKey }),
      );
      expect(bearerOf(lease).split('.')).toHaveLength(3);
    }
  });

  it('refuses a wrong secret, another resource or another key with what to check', async () => {
    const wrong = await refusal(
      bench.cache.obtain(
        await bench.seal(source({ clientId: 'post', clientAuthentication: 'client_secret_post' }), { clientSecret: `${clientSecret}!` }),
      ),
    );
    expect(wrong.detail).toMatch(/answered 401 "invalid_client"\. Check the client id/);
    const target = await refusal(
      bench.cache.obtain(
        await bench.seal(source({ clientId: 'post', clientAuthentication: 'client_secret_post', resource: 'urn:other' }), { clientSecret }),
      ),
    );
    expect(target.detail).toMatch(/"invalid_target"\. Check the resource/);
    const other = await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey);
    const key = await refusal(
      bench.cache.obtain(
        await bench.seal(source({ clientId: 'key', clientAuthentication: 'private_key_jwt' }), {
          privateKey: { ...other, kid: 'client-key', alg: 'ES256' },
        }),
      ),
    );
    expect(key.detail).toContain('invalid_client');
  });
});

describe('a token endpoint that', () => {
  async function against(handler: Parameters<typeof startTarget>[0], secrets = { clientSecret }): Promise<AppError> {
    const target = await startTarget(handler);
    afterEachCleanups.push(() => target.close());
    return refusal(
      bench.cache.obtain(
        await bench.seal(
          source({ tokenUrl: `${target.url}/token`, clientId: 'post', clientAuthentication: 'client_secret_post' }),
          secrets,
        ),
      ),
    );
  }
  const answer = (body: unknown, status = 200) =>
    against((_request, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)));

  it('repeats the secret in its error does not have it shown', async () => {
    const error = await against((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => response.writeHead(400).end(JSON.stringify({ error: body, error_description: body, error_uri: body })));
    });
    expect(error.detail).toMatch(/answered 400\. See its log/);
    await against((request, response) => response.writeHead(500).end(`<html>${clientSecret} ${request.url}`));
  });

  it('redirects does not get the secret sent elsewhere', async () => {
    let reached = 0;
    const thief = await startTarget((_request, response) => {
      reached++;
      response.end('{}');
    });
    afterEachCleanups.push(() => thief.close());
    expect((await against((_request, response) => response.writeHead(307, { location: thief.url }).end())).detail).toContain('redirect');
    expect(reached).toBe(0);
  });

  it('resets, or answers with too much, is named', async () => {
    expect((await against((request) => void request.socket.resetAndDestroy())).detail).toContain('cannot be reached');
    expect((await against((_request, response) => response.end(Buffer.alloc(100_000, 0x20)))).detail).toContain('65536 bytes');
  });

  it('says when to come again is left alone until then', async () => {
    const error = await against((_request, response) => response.writeHead(503, { 'retry-after': '7' }).end());
    expect(error.headers['retry-after']).toBe('7');
  });

  it.each([
    ['no type', 200, {}],
    ['a type of null', 200, { token_type: null, expires_in: null }],
    ['another spelling', 200, { token_type: 'BEARER', expires_in: '60' }],
    ['201', 201, { token_type: 'Bearer' }],
  ])('answers in a way that is not quite RFC 6749 but plain is understood: %s', async (_what, status, members) => {
    const lax = await startTarget((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ access_token: 'lax-token', ...members }));
    });
    afterEachCleanups.push(() => lax.close());
    const lease = await bench.cache.obtain(await bench.seal(source({ tokenUrl: lax.url, clientId: 'lax' }), { clientSecret }));
    expect(lease.sign(emptyRequest).headers).toEqual([['authorization', 'Bearer lax-token']]);
  });

  it('answers without a usable token is refused', async () => {
    expect((await answer([])).detail).toContain('without a usable access token');
    expect((await answer({ access_token: '', token_type: 'Bearer' })).detail).toContain('usable');
    expect((await answer({ access_token: 'a\r\nb', token_type: 'Bearer' })).detail).toContain('usable');
    expect((await answer({ access_token: 'a'.repeat(16_385), token_type: 'Bearer' })).detail).toContain('usable');
    expect((await answer({ access_token: 'abc', token_type: 'DPoP' })).detail).toContain('Bearer');
    expect((await answer({ access_token: 'abc', token_type: 7 })).detail).toContain('Bearer');
    expect((await answer({ access_token: 'abc', token_type: 'bearer', expires_in: 0 })).detail).toContain('expired');
    expect((await answer({ access_token: 'abc', token_type: 'bearer', expires_in: 'x' })).detail).toContain('expired');
  });
});

describe('secrets that do not fit their source', () => {
  it('are refused without being shown', async () => {
    const post = source({ clientId: 'post', clientAuthentication: 'client_secret_post' });
    expect((await refusal(bench.cache.obtain(await bench.seal(post, {})))).detail).toContain('no client secret');
    const key = source({ clientId: 'key', clientAuthentication: 'private_key_jwt' });
    expect((await refusal(bench.cache.obtain(await bench.seal(key, {})))).detail).toContain('no private key');
    expect((await refusal(bench.cache.obtain(await bench.seal(key, { privateKey: { ...privateKey, alg: 'RS256' } })))).detail).toContain(
      'cannot sign',
    );
    expect((await refusal(bench.cache.obtain(await bench.seal({ type: 'static', injection: { into: 'header' } }, {})))).detail).toContain(
      'no secret',
    );
  });
});
