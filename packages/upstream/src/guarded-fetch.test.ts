import { once } from 'node:events';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';

import { readBody, startTarget } from '@hoop/testkit';
import type { TestTarget, TestTargetOptions } from '@hoop/testkit';
import { afterEach, describe, expect, it } from 'vitest';

import { FetchRefused, createGuardedFetch } from './index.ts';
import type { GuardedFetchOptions, GuardedRequest } from './index.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve(handler: Parameters<typeof startTarget>[0], options?: TestTargetOptions): Promise<TestTarget> {
  const target = await startTarget(handler, options);
  cleanups.push(() => target.close());
  return target;
}

const local: GuardedFetchOptions = { allowedCidrs: ['127.0.0.0/8'] };

async function refusal(url: string, options: GuardedFetchOptions = local, request?: GuardedRequest): Promise<FetchRefused> {
  const error = await createGuardedFetch(options)(url, request).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FetchRefused);
  return error as FetchRefused;
}

describe('a guarded fetch', () => {
  it('brings status, headers and body, whatever the status', async () => {
    const target = await serve(async (request, response) => {
      response.writeHead(request.method === 'POST' ? 400 : 200, { 'x-a': 'b' }).end(await readBody(request));
    });
    const fetch = createGuardedFetch(local);
    expect(await fetch(target.url)).toMatchObject({ status: 200, headers: { 'x-a': 'b' }, body: Buffer.alloc(0) });
    expect(
      await fetch(target.url, { method: 'POST', body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ).toMatchObject({ status: 400, body: Buffer.from('a=b') });
  });

  it('speaks TLS and verifies the certificate', async () => {
    const target = await serve((_request, response) => response.end('ok'), { tls: true });
    expect((await createGuardedFetch({ ...local, tls: { ca: target.ca! } })(target.url)).body.toString()).toBe('ok');
    expect((await refusal(target.url)).kind).toBe('network');
  });

  it('refuses private addresses, literal or resolved, and sends nothing', async () => {
    const target = await serve((_request, response) => response.end('reached'));
    let dialled = 0;
    target.server.on('connection', () => dialled++);
    const resolve: GuardedFetchOptions['resolve'] = (_name, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]);
    expect((await refusal(target.url, {})).kind).toBe('address');
    expect((await refusal(`https://127.0.0.1:${target.port}`, {})).kind).toBe('address');
    expect((await refusal(`https://[::ffff:127.0.0.1]:${target.port}`, {})).kind).toBe('address');
    expect((await refusal(`https://idp.example:${target.port}`, { resolve })).reason).toContain('allowedCidrs');
    expect((await refusal(`http://idp.example:${target.port}`, { resolve })).reason).toContain('https');
    expect(dialled).toBe(0);
    expect((await createGuardedFetch({ ...local, resolve })(`http://idp.example:${target.port}`)).body.toString()).toBe('reached');
  });

  it('refuses plain http to the internet', async () => {
    expect((await refusal('http://8.8.8.8/')).reason).toContain('Use https');
    const resolve: GuardedFetchOptions['resolve'] = (_name, callback) => callback(null, [{ address: '8.8.8.8', family: 4 }]);
    expect((await refusal('http://idp.example/', { ...local, resolve })).reason).toContain('Use https');
  });

  it('refuses redirects', async () => {
    const target = await serve((_request, response) => response.writeHead(307, { location: 'http://169.254.169.254/' }).end());
    expect((await refusal(target.url)).kind).toBe('redirect');
  });

  it('refuses bodies over the limit, announced or not, and compressed ones', async () => {
    const announced = await serve((_request, response) => response.end(Buffer.alloc(2000)));
    expect((await refusal(announced.url, { ...local, maxBytes: 1000 })).kind).toBe('too_large');
    expect((await createGuardedFetch({ ...local, maxBytes: 2000 })(announced.url)).body.length).toBe(2000);
    const endless = await serve((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
      };
      response.on('drain', more);
      more();
    });
    expect((await refusal(endless.url, { ...local, maxBytes: 100_000 })).kind).toBe('too_large');
    const bomb = await serve((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(1_000_000))),
    );
    expect((await refusal(bomb.url)).reason).toContain('compressed');
  });

  it('gives up on a server that is slow at the head or in the body, retries included', async () => {
    const silent = await serve(() => undefined);
    expect((await refusal(silent.url, { ...local, timeoutMs: 150, retries: 3 })).kind).toBe('timeout');
    const dripping = await serve((_request, response) => {
      response.write('a');
      const timer = setInterval(() => response.write('a'), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect((await refusal(dripping.url, { ...local, timeoutMs: 150 })).kind).toBe('timeout');
  });

  it('can be given up by its caller', async () => {
    const silent = await serve(() => undefined);
    const caller = new AbortController();
    const outcome = refusal(silent.url, local, { signal: caller.signal });
    await once(silent.server, 'request');
    caller.abort();
    expect((await outcome).kind).toBe('aborted');
  });

  it('tries a GET again after a failure and a POST only if nothing was sent', async () => {
    const methods: string[] = [];
    const busy = await serve((request, response) => {
      methods.push(request.method!);
      if (methods.length % 2 === 1) response.writeHead(503).end();
      else response.end('ok');
    });
    expect((await createGuardedFetch(local)(busy.url)).status).toBe(200);
    methods.length = 0;
    expect((await createGuardedFetch(local)(busy.url, { method: 'POST', body: 'x' })).status).toBe(503);
    expect(methods).toEqual(['POST']);

    let posts = 0;
    const resetting = await serve((request) => {
      posts++;
      request.socket.resetAndDestroy();
    });
    expect((await refusal(resetting.url, local, { method: 'POST', body: 'x' })).kind).toBe('network');
    expect(posts).toBe(1);

    const answering = await serve((_request, response) => response.end('ok'));
    let asked = 0;
    const resolve: GuardedFetchOptions['resolve'] = (_name, callback) =>
      ++asked === 1
        ? callback(Object.assign(new Error('later'), { code: 'EAI_AGAIN' }), [])
        : callback(null, [{ address: '127.0.0.1', family: 4 }]);
    expect(
      (await createGuardedFetch({ ...local, resolve })(`http://idp.example:${answering.port}`, { method: 'POST', body: 'x' })).status,
    ).toBe(200);
  });

  it('refuses what is not an http(s) URL without user info', async () => {
    for (const url of ['nonsense', 'ftp://x.example', 'file:///etc/passwd', 'https://user:pass@x.example'])
      expect((await refusal(url)).kind).toBe('url');
    expect(() => createGuardedFetch({ allowedCidrs: ['0.0.0.0/0'] })).toThrow(FetchRefused);
  });

  it('shows nothing of the request in its errors', async () => {
    const canary = 'canary-secret-0123456789';
    const resetting = await serve((request) => void request.socket.resetAndDestroy());
    const redirecting = await serve((_request, response) => response.writeHead(302, { location: `https://x.example/${canary}` }).end());
    for (const url of [resetting.url, redirecting.url, 'http://8.8.8.8/']) {
      const error = await refusal(url, local, {
        method: 'POST',
        headers: { authorization: `Basic ${canary}` },
        body: `client_secret=${canary}`,
      });
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(canary);
    }
  });
});
