/** Responses of targets, and their failures. */
import net, { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

import type { ConnectionSnapshot } from '@hoop/contract';
import { startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RawConnection } from './raw.ts';
import { World } from './world.ts';

let world: World;
let target: TestTarget;
let connection: ConnectionSnapshot;
let relaxed: ConnectionSnapshot;
/** The raw target's handler of each connection. */
let behave: (socket: Socket, request: string) => void;
let rawTarget: Server;
let rawConnection: ConnectionSnapshot;
/** The same target, for what never comes. */
let impatient: ConnectionSnapshot;
/** The caller has the head of the response. */
let headArrival = Promise.withResolvers<void>();
const handlers = new Map<string, Parameters<typeof startTarget>[0]>();

beforeAll(async () => {
  world = await World.start();
  target = await startTarget((req, res) => handlers.get(req.url!.split('?')[0]!)!(req, res));
  rawTarget = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => behave(socket, chunk.toString('latin1')));
  });
  await new Promise<void>((resolve) => rawTarget.listen(0, '127.0.0.1', resolve));
  const rawUrl = `http://127.0.0.1:${(rawTarget.address() as AddressInfo).port}`;
  const limits = { maxResponseBytes: 1_000_000 };
  connection = await world.connect({ target: target.url });
  relaxed = await world.connect({ target: target.url, settings: { recording: { durability: 'relaxed' } } });
  rawConnection = await world.connect({ target: rawUrl, settings: { limits } });
  impatient = await world.connect({ target: rawUrl, settings: { limits: { headTimeoutMs: 1500, idleTimeoutMs: 1500 } } });
});
afterAll(async () => {
  rawTarget?.close();
  await target?.close();
  await world?.close();
});

const outcomeOf = async (response: Response) => (await world.record(response.headers.get('hoop-call'))).outcome!;

async function failure(
  answer: (socket: Socket, request: string) => void,
  code: string,
  status: number,
  init: RequestInit = {},
  connection = rawConnection,
): Promise<void> {
  behave = answer;
  const response = await world.call(connection, '/x', init);
  expect({ status: response.status, code: response.headers.get('hoop-error') }).toEqual({ status, code });
  expect(response.headers.get('hoop-sent')).toBe('true');
  expect(await outcomeOf(response)).toMatchObject({ state: 'failed', status, error: code });
}

/** The head arrives, the body does not. */
async function cut(answer: (socket: Socket) => void, code: string, connection = rawConnection): Promise<void> {
  behave = answer;
  headArrival = Promise.withResolvers();
  const response = await world.call(connection, '/x');
  headArrival.resolve();
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
  expect(await outcomeOf(response)).toMatchObject({ state: 'failed', status: 200, targetStatus: 200, error: code });
}

describe('a target that fails before its head is answered for', () => {
  it('when it resets the connection', () => failure((socket) => socket.resetAndDestroy(), 'target_reset', 400));
  it('when it closes the connection', () => failure((socket) => socket.end(), 'target_reset', 400));
  it('when it does not answer', () => failure(() => undefined, 'target_timeout', 400, {}, impatient));
  it('when it does not speak HTTP', () => failure((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'), 'target_invalid_response', 400));
  it('when its head is endless', () =>
    failure((socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(80_000)}\r\n\r\n`), 'target_invalid_response', 400));
  it('when it sends Content-Length and Transfer-Encoding', () =>
    failure(
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
      'target_invalid_response',
      400,
    ));
  it('when a POST meets a reset, without a second try', async () => {
    let requests = 0;
    await failure(
      (socket, request) => {
        if (request.startsWith('POST')) requests++;
        socket.resetAndDestroy();
      },
      'target_reset',
      400,
      { method: 'POST', body: 'x' },
    );
    expect(requests).toBe(1);
  });
  it('when nothing listens there', async () => {
    const { port } = rawTarget.address() as AddressInfo;
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const free = (gone.address() as AddressInfo).port;
    await new Promise((resolve) => gone.close(resolve));
    expect(free).not.toBe(port);
    const response = await world.call(await world.connect({ target: `http://127.0.0.1:${free}` }), '/x');
    expect({ status: response.status, code: response.headers.get('hoop-error') }).toEqual({ status: 502, code: 'target_unreachable' });
    expect(await outcomeOf(response)).toMatchObject({ error: 'target_unreachable', targetStatus: null });
  });
});

describe('a target that fails after its head has the caller cut off, never at a clean end', () => {
  const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n';
  /** A failure that came with the head would be answered by a problem document. */
  const later = (socket: Socket, bytes: string, then: () => void): void => {
    socket.write(bytes);
    void headArrival.promise.then(then);
  };

  it('when it closes within a chunked body', () => cut((socket) => later(socket, head, () => socket.end()), 'target_reset'));
  it('when it resets within a chunked body', () => cut((socket) => later(socket, head, () => socket.resetAndDestroy()), 'target_reset'));
  it('when it stops', () => cut((socket) => socket.write(head), 'target_timeout', impatient));
  it('when a chunk is malformed', () => cut((socket) => later(socket, head, () => socket.write('zz\r\n')), 'target_invalid_response'));
  it('when it announced more than it sends', () =>
    cut((socket) => later(socket, 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello', () => socket.end()), 'target_reset'));
  it('when the response is over the limit', () =>
    cut(
      (socket) => later(socket, head, () => socket.write(`${(1_000_001).toString(16)}\r\n${'a'.repeat(1_000_001)}\r\n0\r\n\r\n`)),
      'response_too_large',
    ));

  it('also where only the end of the connection would end the body (HTTP/1.0)', async () => {
    behave = (socket) => later(socket, head, () => socket.resetAndDestroy());
    headArrival = Promise.withResolvers();
    const raw = new RawConnection(world.relay.url).send(
      `GET /${rawConnection.name}/x HTTP/1.0\r\nhost: relay\r\nhoop-grant: ${await world.grant([rawConnection])}\r\n\r\n`,
    );
    await raw.until((text) => text.includes('hello'));
    headArrival.resolve();
    await raw.closed();
    expect(raw.error?.code).toBe('ECONNRESET');
  });
});

it('takes the announced length of a target that sends more', async () => {
  behave = (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello, and more');
  const response = await world.call(rawConnection, '/x');
  expect(await response.text()).toBe('hello');
});

it('refuses a target address that the connection does not list', async () => {
  const response = await world.call(await world.connect({ target: target.url, settings: { allowedCidrs: [] } }), '/x');
  expect({ status: response.status, code: response.headers.get('hoop-error') }).toEqual({ status: 422, code: 'target_refused' });
});

describe('responses pass as they are', () => {
  it('with their status, repeated headers and obs-text, without what belongs to the hop', async () => {
    behave = (socket) =>
      socket.end(
        Buffer.from(
          'HTTP/1.1 299 Gut so\r\nx-a: 1\r\nx-a: 2\r\nx-name: Zürich\r\nconnection: close, x-hop\r\nx-hop: 1\r\nhoop-call: forged\r\ncontent-length: 2\r\n\r\nok',
          'latin1',
        ),
      );
    const raw = new RawConnection(world.relay.url).send(
      `GET /${rawConnection.name}/x HTTP/1.1\r\nhost: relay\r\nhoop-grant: ${await world.grant([rawConnection])}\r\n\r\n`,
    );
    const { status, headers, body } = await raw.response();
    expect(raw.text).not.toContain('Gut so');
    expect(raw.text).toContain('x-a: 1\r\nx-a: 2\r\n');
    expect({ status, body, name: headers['x-name'], hop: headers['x-hop'] }).toEqual({
      status: 299,
      body: 'ok',
      name: 'Zürich',
      hop: undefined,
    });
    expect(headers['hoop-call']).toMatch(/^call_/);
    raw.close();
  });

  it('obs-text in the head of a stream is not encoded twice', async () => {
    handlers.set('/obs', (_req, res) => {
      res.setHeader('x-place', Buffer.from('/zürich', 'utf8').toString('latin1'));
      res.write('a');
      setImmediate(() => res.end('b'));
    });
    const response = await world.call(connection, '/obs');
    expect(Buffer.from(response.headers.get('x-place')!, 'latin1').toString('utf8')).toBe('/zürich');
    expect(await response.text()).toBe('ab');
  });

  it.each([204, 304])('%i without a body', async (status) => {
    handlers.set('/none', (_req, res) => res.writeHead(status, { etag: '"a"' }).end());
    const response = await world.call(connection, '/none');
    expect(response.status).toBe(status);
    expect(response.headers.get('etag')).toBe('"a"');
    expect(await response.text()).toBe('');
    expect(await outcomeOf(response)).toMatchObject({ state: 'completed', status, responseBody: null });
  });

  it('to HEAD, with the length of the body that is not sent', async () => {
    handlers.set('/head', (_req, res) => res.writeHead(200, { 'content-length': 1234 }).end());
    const response = await world.call(connection, '/head', { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe('1234');
    expect(await outcomeOf(response)).toMatchObject({ state: 'completed', status: 200 });
  });

  it('redirects, unfollowed, to a caller that brings them to Hoop itself', async () => {
    handlers.set('/moved', (_req, res) => res.writeHead(302, { location: 'https://elsewhere.example/' }).end());
    const response = await world.call(connection, '/moved', { headers: { 'hoop-location': 'target' } });
    expect({ status: response.status, location: response.headers.get('location') }).toEqual({
      status: 302,
      location: 'https://elsewhere.example/',
    });
  });

  it('compressed ones as well', async () => {
    handlers.set('/gzip', (_req, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(100_000))));
    expect(await (await world.call(connection, '/gzip')).text()).toBe('x'.repeat(100_000));
  });

  it('with trailers, without interim responses', async () => {
    behave = (socket) =>
      socket.end(
        'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n',
      );
    const raw = new RawConnection(world.relay.url).send(
      `GET /${rawConnection.name}/x HTTP/1.1\r\nhost: relay\r\nte: trailers\r\nhoop-grant: ${await world.grant([rawConnection])}\r\n\r\n`,
    );
    const text = await raw.until((so_far) => so_far.endsWith('x-sum: 7\r\n\r\n'));
    expect(text.startsWith('HTTP/1.1 200 OK\r\n')).toBe(true);
    expect(text).toContain('2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n');
    raw.close();
  });
});

describe('a stream', () => {
  it.each(['strict', 'relaxed'])('of events passes each at once (%s)', async (durability) => {
    const one = durability === 'strict' ? connection : relaxed;
    const next: (() => void)[] = [];
    handlers.set('/events', (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
      next.push(
        () => res.write('data: 1\n\n'),
        () => res.write('data: 2\n\n'),
        () => res.end(),
      );
    });
    const response = await world.call(one, '/events');
    expect(response.status).toBe(200);
    const reader = response.body!.getReader();
    const decode = (part: { value?: Uint8Array | undefined }): string => Buffer.from(part.value!).toString();
    next.shift()!();
    expect(decode(await reader.read())).toBe('data: 1\n\n');
    next.shift()!();
    expect(decode(await reader.read())).toBe('data: 2\n\n');
    next.shift()!();
    expect((await reader.read()).done).toBe(true);
    const outcome = await outcomeOf(response);
    expect(outcome).toMatchObject({ state: 'completed', responseBody: { bytes: 18, keptBytes: 18 } });
    // Where each event begins, and when it was passed on.
    const parts = outcome!.responseBody!.parts!;
    expect(parts.map(([begin]) => begin)).toEqual([0, 9]);
    expect(parts[0]![1]).toBeGreaterThan(0);
    expect(parts[1]![1]).toBeGreaterThanOrEqual(parts[0]![1]);
  });

  it('that the caller leaves is ended at the target too', async () => {
    const left = Promise.withResolvers<void>();
    handlers.set('/endless', (_req, res) => {
      res.write('a');
      res.on('close', () => left.resolve());
    });
    const abort = new AbortController();
    const response = await world.call(connection, '/endless', { signal: abort.signal });
    abort.abort();
    await left.promise;
    expect(await outcomeOf(response)).toMatchObject({ state: 'aborted', targetStatus: 200 });
  });

  it('is not read faster than the caller reads', async () => {
    const total = 1024;
    let sent = 0;
    let blocked = Promise.withResolvers<void>();
    handlers.set('/flood', (_req, res) => {
      const chunk = Buffer.alloc(65_536, 'a');
      const more = (): void => {
        while (sent < total) {
          sent++;
          if (res.write(chunk)) continue;
          res.once('drain', more);
          blocked.resolve();
          return;
        }
        res.end();
      };
      more();
    });
    const request = net.connect({ host: '127.0.0.1', port: Number(new URL(world.relay.url).port) });
    request.on('error', () => undefined);
    request.pause();
    request.write(`GET /${connection.name}/flood HTTP/1.1\r\nhost: relay\r\nhoop-grant: ${await world.grant([connection])}\r\n\r\n`);
    // The target is blocked before long, and stays so: what lies between holds a few MiB at most.
    for (let before = -1; before !== sent;) {
      before = sent;
      await Promise.race([blocked.promise, new Promise((resolve) => setTimeout(resolve, 300))]);
      blocked = Promise.withResolvers<void>();
    }
    expect(sent).toBeLessThan(total / 2);
    let received = 0;
    await new Promise<void>((resolve) => {
      request.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (chunk.subarray(-5).toString() === '0\r\n\r\n') resolve();
      });
      request.resume();
    });
    expect(received).toBeGreaterThan(total * 65_536);
    request.destroy();
  });
});

it('serves pipelined requests in their order', async () => {
  const held: (() => void)[] = [];
  handlers.set('/first', (_req, res) => void held.push(() => res.end('first')));
  handlers.set('/second', (_req, res) => {
    res.end('second');
    held[0]!();
  });
  const grant = await world.grant([connection]);
  const request = (path: string): string => `GET /${connection.name}${path} HTTP/1.1\r\nhost: relay\r\nhoop-grant: ${grant}\r\n\r\n`;
  const raw = new RawConnection(world.relay.url).send(request('/first'));
  await world.recorded(() => [...world.calls.values()].find((call) => call.intent?.path === '/first'));
  raw.send(request('/second'));
  const text = await raw.until((so_far) => so_far.includes('second'));
  expect(text.indexOf('first')).toBeGreaterThan(0);
  expect(text.indexOf('first')).toBeLessThan(text.indexOf('second'));
  raw.close();
});
