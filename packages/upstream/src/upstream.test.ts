import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

import { AppError, connectionSettingsSchema, newId } from '@hoop/contract';
import type { ConnectionSettings } from '@hoop/contract';
import { createTestAuthority, startTarget } from '@hoop/testkit';
import type { Dispatcher } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';

import { createPeer, createUpstream, responseHeaders, toTargetError } from './index.ts';
import type { Peer, Route, Upstream, UpstreamOptions } from './index.ts';

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const settingsFor = (target: string, more: Record<string, unknown> = {}): ConnectionSettings =>
  connectionSettingsSchema.parse({ target, allowedCidrs: ['127.0.0.0/8'], ...more });

function upstreamWith(options: UpstreamOptions = {}): Upstream {
  const upstream = createUpstream(options);
  cleanups.push(() => upstream.closeAll());
  return upstream;
}

interface Answer {
  readonly status: number;
  readonly headers: [string, string][];
  readonly body: string;
  readonly peer: Peer;
}

interface Call {
  readonly done: Promise<Answer>;
  readonly started: Promise<void>;
}

function call(route: Route, options: Partial<Dispatcher.DispatchOptions> = {}): Call {
  const peer = createPeer();
  let onStart = (): void => undefined;
  const started = new Promise<void>((resolve) => (onStart = resolve));
  const done = new Promise<Answer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let headers: [string, string][] = [];
    route.dispatcher.dispatch(
      { origin: route.target.origin, path: '/', method: 'GET', peer, ...options },
      {
        onRequestStart: () => undefined,
        onResponseStart: (controller, code) => {
          status = code;
          headers = responseHeaders(controller.rawHeaders as Buffer[]);
          onStart();
        },
        onResponseData: (_controller, chunk) => void chunks.push(Buffer.from(chunk)),
        onResponseEnd: () => resolve({ status, headers, body: Buffer.concat(chunks).toString(), peer }),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
  done.catch(() => undefined);
  return { done, started };
}

async function failure(route: Route, options?: Partial<Dispatcher.DispatchOptions>): Promise<AppError> {
  const error = await call(route, options).done.then(
    (answer) => {
      throw new Error(`answered with ${answer.status}`);
    },
    (reason: unknown) => reason,
  );
  return toTargetError(error);
}

/** A server that says exactly these bytes to each request. */
async function rawServer(onRequest: (socket: Socket, count: number) => void): Promise<{ url: string; server: Server }> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => onRequest(socket, ++count));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

const routeTo = (url: string, more: Record<string, unknown> = {}, options: UpstreamOptions = {}): Route =>
  upstreamWith(options).route({ id: newId('connection'), settings: settingsFor(url, more) });

async function refusedResponse(bytes: string, more: Record<string, unknown> = {}): Promise<string> {
  const { url } = await rawServer((socket) => socket.end(bytes));
  return (await failure(routeTo(url, more))).code;
}

describe('a route', () => {
  it('reaches its target, keeps the socket for the next call and tells its address', async () => {
    let sockets = 0;
    const target = await startTarget((request, response) => response.end(`${request.method} ${request.url} ${request.headers.host}`));
    target.server.on('connection', () => sockets++);
    cleanups.push(() => target.close());
    const route = routeTo(target.url);
    for (let i = 0; i < 3; i++) {
      const answer = await call(route, { path: '/v1/x?y=1' }).done;
      expect(answer.body).toBe(`GET /v1/x?y=1 127.0.0.1:${target.port}`);
      expect(answer.peer.address).toBe('127.0.0.1');
      expect(answer.peer.tls).toBeNull();
      // undici gives the socket back after the callback of the response's end.
      await setImmediate();
    }
    expect(sockets).toBe(1);
  });

  it('does not follow redirects', async () => {
    const target = await startTarget((_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end());
    cleanups.push(() => target.close());
    expect((await call(routeTo(target.url)).done).status).toBe(302);
  });

  it('verifies the certificate against the host name and tells the facts of TLS', async () => {
    const target = await startTarget((_request, response) => response.end('ok'), { tls: true });
    cleanups.push(() => target.close());
    const answer = await call(routeTo(target.url, {}, { tls: { ca: target.ca! } })).done;
    expect(answer.peer.tls).toMatchObject({ protocol: 'TLSv1.3', subject: 'CN=localhost', issuer: 'CN=Hoop test authority' });
    expect(answer.peer.tls!.fingerprint).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const untrusted = await failure(routeTo(target.url));
    expect([untrusted.code, untrusted.detail]).toEqual(['target_unreachable', expect.stringContaining('certificate')]);
  });

  it('refuses a certificate for another name or past its end', async () => {
    const authority = await createTestAuthority();
    const serve = async (hosts: string[], validity?: { notBefore: Date; notAfter: Date }): Promise<Route> => {
      const target = await startTarget((_request, response) => response.end('ok'), { tls: await authority.issue(hosts, validity) });
      cleanups.push(() => target.close());
      return routeTo(target.url, {}, { tls: { ca: authority.ca } });
    };
    expect((await failure(await serve(['other.example']))).detail).toContain('another host name');
    const past = { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) };
    expect((await failure(await serve(['localhost'], past))).detail).toContain('expired');
  });

  it('is the same object until its settings change, and calls in flight outlive the change', async () => {
    let release = (): void => undefined;
    const target = await startTarget((request, response) => {
      if (request.url === '/slow') release = () => response.end('slow');
      else response.end('quick');
    });
    cleanups.push(() => target.close());
    const upstream = upstreamWith();
    const id = newId('connection');
    const first = upstream.route({ id, settings: settingsFor(target.url) });
    expect(upstream.route({ id, settings: settingsFor(target.url, { recording: { capture: 'none' } }) })).toBe(first);
    const slow = call(first, { path: '/slow' });
    await once(target.server, 'request');
    const second = upstream.route({ id, settings: settingsFor(target.url, { limits: { headTimeoutMs: 600_000 } }) });
    expect(second).not.toBe(first);
    expect((await call(second).done).body).toBe('quick');
    release();
    expect((await slow.done).body).toBe('slow');
  });

  it('refuses a target that is not acceptable', () => {
    expect(() => upstreamWith().route({ id: newId('connection'), settings: settingsFor('http://10.0.0.1') })).toThrow(
      expect.objectContaining({ code: 'target_refused' }),
    );
  });
});

describe('the address', () => {
  it('is refused after resolution when it is private, and nothing is dialled', async () => {
    let dialled = 0;
    const target = await startTarget((_request, response) => response.end('reached'));
    target.server.on('connection', () => dialled++);
    cleanups.push(() => target.close());
    for (const address of [
      '127.0.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '10.0.0.1',
      '169.254.169.254',
      'fd00:ec2::254',
      '0.0.0.0',
      '64:ff9b::7f00:1',
    ]) {
      const route = routeTo(
        `http://api.example:${target.port}`,
        { allowedCidrs: [] },
        { resolve: (_name, callback) => callback(null, [{ address, family: address.includes(':') ? 6 : 4 }]) },
      );
      const error = await failure(route);
      expect(error.code).toBe('target_address_refused');
      expect(error.detail).not.toContain(address);
    }
    expect(dialled).toBe(0);
  });

  it('that is dialled is the one that was checked, whatever the name resolves to next', async () => {
    const target = await startTarget((_request, response) => response.end('reached'));
    cleanups.push(() => target.close());
    let asked = 0;
    const resolve: UpstreamOptions['resolve'] = (_name, callback) => {
      asked++;
      callback(null, [{ address: asked === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }]);
    };
    const answer = await call(routeTo(`http://api.example:${target.port}`, {}, { resolve })).done;
    expect([answer.body, answer.peer.address, asked]).toEqual(['reached', '127.0.0.1', 1]);
  });

  it('is the allowed one among several', async () => {
    const target = await startTarget((_request, response) => response.end('reached'));
    cleanups.push(() => target.close());
    const resolve: UpstreamOptions['resolve'] = (_name, callback) =>
      callback(null, [
        { address: '10.0.0.1', family: 4 },
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ]);
    expect((await call(routeTo(`http://api.example:${target.port}`, {}, { resolve })).done).peer.address).toBe('127.0.0.1');
  });

  it('is checked anew for each socket', async () => {
    const target = await startTarget((_request, response) => response.setHeader('connection', 'close').end('reached'));
    cleanups.push(() => target.close());
    let asked = 0;
    const resolve: UpstreamOptions['resolve'] = (_name, callback) =>
      callback(null, [{ address: ++asked === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }]);
    const route = routeTo(`http://api.example:${target.port}`, {}, { resolve });
    await call(route).done;
    expect((await failure(route)).code).toBe('target_address_refused');
  });

  it('that does not resolve, or where nobody listens, is unreachable', async () => {
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    expect((await failure(routeTo('http://api.example', {}, { resolve: (_name, callback) => callback(error, []) }))).detail).toContain(
      'DNS',
    );
    const { url, server } = await rawServer(() => undefined);
    server.close();
    await once(server, 'close');
    const refused = await failure(routeTo(url));
    expect([refused.code, refused.detail]).toEqual(['target_unreachable', expect.stringContaining('refused')]);
  });
});

describe('a target that', () => {
  it('hangs before, or in the middle of, its answer is given up', async () => {
    const silent = await rawServer(() => undefined);
    expect((await failure(routeTo(silent.url, { limits: { headTimeoutMs: 100 } }))).code).toBe('target_timeout');
    const stalling = await rawServer((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'));
    expect((await failure(routeTo(stalling.url, { limits: { idleTimeoutMs: 100 } }))).code).toBe('target_timeout');
  });

  it('never completes TLS, or is never resolved, is given up', async () => {
    const silent = await rawServer(() => undefined);
    expect((await failure(routeTo(silent.url.replace('http:', 'https:'), { limits: { connectTimeoutMs: 200 } }))).code).toBe(
      'target_timeout',
    );
    expect((await failure(routeTo('http://api.example', { limits: { connectTimeoutMs: 200 } }, { resolve: () => undefined }))).code).toBe(
      'target_timeout',
    );
  });

  it('resets, or closes without an answer, is reported so', async () => {
    const resetting = await rawServer((socket) => socket.resetAndDestroy());
    expect((await failure(routeTo(resetting.url))).code).toBe('target_reset');
    const closing = await rawServer((socket) => socket.end());
    expect((await failure(routeTo(closing.url))).code).toBe('target_reset');
  });

  it('sends less than it announced never looks complete', async () => {
    expect(await refusedResponse('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc')).toMatch(/^target_(?:reset|invalid_response)$/);
    expect(await refusedResponse('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab')).toMatch(
      /^target_(?:reset|invalid_response)$/,
    );
    expect(await refusedResponse('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n')).toMatch(
      /^target_(?:reset|invalid_response)$/,
    );
  });

  it('sends more than it announced does not answer the next call with the rest', async () => {
    const smuggled = 'HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled';
    const { url } = await rawServer((socket, count) =>
      socket.write(
        count === 1 ? `HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok${smuggled}` : 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnext',
      ),
    );
    const route = routeTo(url);
    expect((await call(route).done).body).toBe('ok');
    expect((await call(route).done).body).toBe('next');
  });

  it.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
    ['a chunk size that is none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['a header without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
    ['a NUL in a header', 'HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n'],
    ['a bare LF folded in', 'HTTP/1.1 200 OK\r\nx: a\r\n b: c\rd\r\n\r\n'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['another version', 'HTTP/3.7 200 OK\r\n\r\n'],
    ['headers without end', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(70_000)}\r\n\r\n`],
  ])('answers with %s is refused', async (_what, bytes) => expect(await refusedResponse(bytes)).toBe('target_invalid_response'));

  it('answers with more than the limit of the connection is cut', async () => {
    expect(await refusedResponse(`HTTP/1.1 200 OK\r\n\r\n${'a'.repeat(2000)}`, { limits: { maxResponseBytes: 1000 } })).toBe(
      'response_too_large',
    );
  });
});

describe('closing', () => {
  it('a connection cuts its calls in flight with the reason, at once, and no other', async () => {
    const target = await startTarget((_request, response) => {
      response.write('first');
    });
    cleanups.push(() => target.close());
    const upstream = upstreamWith();
    const [cut, other] = [newId('connection'), newId('connection')];
    const settings = settingsFor(target.url);
    const doomed = call(upstream.route({ id: cut, settings }));
    const waiting = call(upstream.route({ id: other, settings }));
    await Promise.all([doomed.started, waiting.started]);
    upstream.route({ id: cut, settings: settingsFor(target.url, { limits: { headTimeoutMs: 5000 } }) });
    upstream.close(cut, new AppError('call_revoked', 'The identity was disabled.'));
    const error = await doomed.done.catch((reason: unknown) => reason);
    expect(toTargetError(error)).toMatchObject({ code: 'call_revoked', detail: 'The identity was disabled.' });
    upstream.close(other);
    expect(toTargetError(await waiting.done.catch((reason: unknown) => reason)).code).toBe('call_revoked');
    upstream.close(newId('connection'));
  });

  it('a connection refuses calls on a route that was got before', async () => {
    const target = await startTarget((_request, response) => response.end('reached'));
    cleanups.push(() => target.close());
    const upstream = upstreamWith();
    const connection = { id: newId('connection'), settings: settingsFor(target.url) };
    const route = upstream.route(connection);
    upstream.close(connection.id);
    expect((await failure(route)).code).toBe('call_revoked');
    expect((await call(upstream.route(connection)).done).body).toBe('reached');
  });

  it('everything ends every call', async () => {
    const target = await startTarget((_request, response) => void response.write('first'));
    cleanups.push(() => target.close());
    const upstream = createUpstream();
    const running = call(upstream.route({ id: newId('connection'), settings: settingsFor(target.url) }));
    await running.started;
    await upstream.closeAll();
    expect(toTargetError(await running.done.catch((reason: unknown) => reason)).code).toBe('relay_draining');
  });
});

describe('what went wrong', () => {
  it('is never without a code, and shows neither address nor cause', () => {
    for (const cause of [
      new Error('connect 10.0.0.1:443'),
      Object.assign(new Error('x'), { code: 'EPROTO' }),
      Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      null,
      'text',
    ]) {
      const error = toTargetError(cause);
      expect(error.code).toBe('target_unreachable');
      expect(error.detail).not.toContain('10.0.0.1');
    }
    const aggregate = Object.assign(new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]));
    expect(toTargetError(aggregate).detail).toContain('refused');
  });
});
