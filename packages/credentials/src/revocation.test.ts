/** A credential that is given up before it expires is revoked (RFC 7009), and nothing waits for the revocation. */
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { ConnectionSnapshot, CredentialSourceSettings } from '@hoop/contract';
import { readBody, startTarget, testClock } from '@hoop/testkit';
import type { TestClock, TestTarget } from '@hoop/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createBench } from './testing.ts';
import type { Bench } from './testing.ts';

let clock: TestClock;
let bench: Bench;
let server: TestTarget;
let issued: number;
let revoked: string[];
let requests: { authorization: string | undefined; form: URLSearchParams }[];
let failures: string[];
let answerToken: (send: () => void) => void;
let answerRevocation: (res: ServerResponse) => void;
let wake: () => void;

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise<void>((resolve) => (wake = resolve));
};

async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const form = new URLSearchParams((await readBody(req)).toString());
  if (req.url === '/token') {
    issued++;
    const token = { access_token: `token-${issued}`, token_type: 'Bearer', expires_in: 60 };
    answerToken(() => res.end(JSON.stringify(token)));
  } else {
    requests.push({ authorization: req.headers.authorization, form });
    revoked.push(form.get('token')!);
    answerRevocation(res);
  }
  wake();
}

const onRevocationFailure = (connectionId: string): void => {
  failures.push(connectionId);
  wake();
};

beforeEach(async () => {
  clock = testClock();
  failures = [];
  bench = await createBench(clock.now, { onRevocationFailure });
  issued = 0;
  revoked = [];
  requests = [];
  answerToken = (send) => send();
  answerRevocation = (res) => res.end();
  wake = () => undefined;
  server = await startTarget((req, res) => void serve(req, res));
});
afterEach(async () => {
  await bench.cache.close();
  await server.close();
});

const sealed = (more: Record<string, unknown> = { revocationUrl: `${server.url}/revoke` }): Promise<ConnectionSnapshot> =>
  bench.seal(
    { type: 'oauth2_client_credentials', tokenUrl: `${server.url}/token`, clientId: 'hoop', ...more },
    { clientSecret: 'the-client-secret' },
  );

describe('an access token', () => {
  it('is revoked when its connection is given up, as the client that it was given to', async () => {
    const connection = await sealed();
    await bench.cache.obtain(connection);
    bench.cache.forget(connection.id);
    await until(() => revoked.length === 1);
    expect(revoked).toEqual(['token-1']);
    expect(requests[0]!.form.get('token_type_hint')).toBe('access_token');
    expect(requests[0]!.authorization).toBe(`Basic ${Buffer.from('hoop:the-client-secret').toString('base64')}`);
  });

  it('is revoked when the connection changes', async () => {
    const connection = await sealed();
    await bench.cache.obtain(connection);
    const changed = { ...connection, credential: { ...connection.credential!, revision: 2 } };
    await bench.cache.obtain(changed);
    await until(() => revoked.length === 1);
    expect(revoked).toEqual(['token-1']);
  });

  it('is revoked where it comes after its connection was given up', async () => {
    const connection = await sealed();
    let send = (): void => undefined;
    answerToken = (later) => (send = later);
    const waiting = bench.cache.obtain(connection);
    await until(() => issued === 1);
    bench.cache.forget(connection.id);
    await expect(waiting).rejects.toMatchObject({ code: 'credential_unavailable' });
    send();
    await until(() => revoked.length === 1);
    expect(revoked).toEqual(['token-1']);
  });

  it('is revoked when the relay shuts down, before the cache is closed', async () => {
    const [one, other] = [await sealed(), await sealed()];
    await Promise.all([bench.cache.obtain(one), bench.cache.obtain(other)]);
    await bench.cache.close();
    expect(revoked.sort()).toEqual(['token-1', 'token-2']);
  });

  it('is not revoked where it has expired, where the target refused it, or where nothing says how', async () => {
    const [expired, refused, plain, last] = [await sealed(), await sealed(), await sealed({}), await sealed()];
    await bench.cache.obtain(expired);
    clock.advance(61_000);
    bench.cache.forget(expired.id);
    await bench.cache.obtain(refused);
    bench.cache.renew(refused.id);
    await bench.cache.obtain(plain);
    bench.cache.forget(plain.id);
    await bench.cache.obtain(last);
    bench.cache.forget(last.id);
    await until(() => revoked.length === 1);
    await bench.cache.close();
    expect(revoked).toEqual(['token-4']);
  });

  it('is tried again where the server has a fault', async () => {
    const connection = await sealed();
    await bench.cache.obtain(connection);
    answerRevocation = (res) => {
      if (revoked.length === 1) res.writeHead(503).end();
      else res.end();
    };
    bench.cache.forget(connection.id);
    await until(() => revoked.length === 2);
    expect(failures).toEqual([]);
  });
});

describe('a revocation', () => {
  it('that hangs holds up neither a call nor the end of the relay, and is told of without anything secret', async () => {
    const connection = await sealed();
    await bench.cache.obtain(connection);
    answerRevocation = () => undefined;
    bench.cache.forget(connection.id);
    await until(() => revoked.length === 1);
    await bench.cache.obtain({ ...connection, credential: { ...connection.credential!, revision: 2 } });
    answerToken = () => undefined;
    await bench.cache.close();
    await until(() => failures.length >= 1);
    expect(JSON.stringify(failures)).not.toMatch(/token-|secret/);
  });

  it('needs the secret anew where it would go elsewhere: the secret is sealed to the origin of the revocation URL', async () => {
    const connection = await sealed();
    await bench.cache.obtain(connection);
    const { credential } = connection;
    const moved = {
      ...(credential!.settings as Extract<CredentialSourceSettings, { tokenUrl: string }>),
      revocationUrl: 'http://127.0.0.1:9/revoke',
    };
    const redirected = { ...connection, credential: { ...credential!, revision: 2, settings: moved } };
    await expect(bench.cache.obtain(redirected)).rejects.toMatchObject({ code: 'credential_not_openable' });
  });
});
