/** Behaviour of targets' sockets that HTTP allows: interim responses, answers before the body, idle sockets closed. */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import type { ConnectionSnapshot } from '@hoop/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { World } from './world.ts';

let world: World;
let target: Server;
let connection: ConnectionSnapshot;
let sockets = 0;
let requests: string[] = [];
/** Called with the first line of each request, and how many the socket has had. */
let onRequest: (socket: Socket, line: string, nth: number) => void;

beforeAll(async () => {
  world = await World.start();
  target = createServer((socket) => {
    sockets++;
    let nth = 0;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      const line = /^[A-Z]+ \/\S* HTTP\/1\.1/.exec(chunk.toString('latin1'))?.[0];
      if (line === undefined) return;
      requests.push(line);
      onRequest(socket, line, ++nth);
    });
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await world?.close();
  target?.close();
});
beforeEach(async () => {
  // A pool of its own for each test.
  connection = await world.connect({ target: `http://127.0.0.1:${(target.address() as AddressInfo).port}` });
  sockets = 0;
  requests = [];
});

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const outcomeOf = async (response: Response) => (await world.record(response.headers.get('hoop-call'))).outcome!;

describe('interim responses that nobody asked for (RFC 9110 §15.2)', () => {
  it.each([
    ['100', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['102', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['103', 'HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n'],
    ['several', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nx: y\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n'],
  ])('are passed over: %s', async (_name, interim) => {
    for (const method of ['GET', 'POST']) {
      onRequest = (socket) => socket.write(interim + ok);
      const response = await world.call(connection, '/x', { method, ...(method === 'POST' ? { body: 'x' } : {}) });
      expect([response.status, await response.text()]).toEqual([200, 'ok']);
      // In pieces, on the same socket.
      onRequest = (socket) => {
        const bytes = Buffer.from(interim + ok);
        const next = (at: number): void =>
          void (at < bytes.length && socket.write(bytes.subarray(at, at + 7), () => setImmediate(next, at + 7)));
        next(0);
      };
      expect(await (await world.call(connection, '/x', { method })).text()).toBe('ok');
    }
    expect(sockets).toBe(1);
  });

  it('do not hold a call for ever', async () => {
    onRequest = (socket) => {
      const next = (): void => void (socket.writable && socket.write('HTTP/1.1 100 Continue\r\n\r\n', () => setImmediate(next)));
      next();
    };
    const response = await world.call(connection, '/x');
    expect(response.headers.get('hoop-error')).toBe('target_invalid_response');
  });
});

describe('an answer that comes while the body is still on its way', () => {
  const body = Buffer.alloc(12_000_000, 'x');
  it.each([
    [
      'and the socket is closed',
      (socket: Socket) =>
        socket.end('HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbig', () => socket.destroy()),
    ],
    [
      'and the socket is reset',
      (socket: Socket) =>
        socket.write('HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbig', () => socket.resetAndDestroy()),
    ],
    [
      'and the rest is not read',
      (socket: Socket) => socket.pause().write('HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbig'),
    ],
  ])('reaches the caller, each time, %s', async (_how, answer) => {
    for (let i = 0; i < 5; i++) {
      onRequest = answer;
      const response = await world.call(connection, '/upload', { method: 'POST', body });
      expect([response.status, await response.text()]).toEqual([413, 'big']);
      expect(await outcomeOf(response)).toMatchObject({ state: 'completed', status: 413, targetStatus: 413 });
    }
  });

  it('is not waited for where the target only closes', async () => {
    onRequest = (socket) => socket.destroy();
    const response = await world.call(connection, '/upload', { method: 'POST', body });
    expect([response.status, response.headers.get('hoop-error')]).toEqual([400, 'target_reset']);
  });
});

describe('a socket that the target had closed meanwhile', () => {
  /** The first request of a socket is answered; at the second the target turns out to be gone. */
  const closing = (socket: Socket, _line: string, nth: number): void => void (nth === 1 ? socket.write(ok) : socket.destroy());

  it.each(['GET', 'HEAD', 'OPTIONS', 'DELETE'])(
    'costs a %s nothing: it is sent again on a fresh one, once, and the record says so',
    async (method) => {
      onRequest = closing;
      expect((await outcomeOf(await world.call(connection, '/first'))).errorDetail).toBeNull();
      const response = await world.call(connection, '/second', { method });
      expect(response.status).toBe(200);
      await response.text();
      expect(requests).toEqual(['GET /first HTTP/1.1', `${method} /second HTTP/1.1`, `${method} /second HTTP/1.1`]);
      expect(sockets).toBe(2);
      expect(await outcomeOf(response)).toMatchObject({
        state: 'completed',
        status: 200,
        error: null,
        errorDetail: expect.stringContaining('sent twice'),
      });
    },
  );

  it.each([
    ['a POST', { method: 'POST' }],
    ['what has a body', { method: 'PUT', body: 'x' }],
  ] satisfies [string, RequestInit][])('is the end of %s', async (_what, init) => {
    onRequest = closing;
    await (await world.call(connection, '/first')).text();
    const response = await world.call(connection, '/second', init);
    expect([response.status, response.headers.get('hoop-error')]).toEqual([400, 'target_reset']);
    expect(requests).toHaveLength(2);
  });

  it('is not taken for one where something came back, or the socket was new', async () => {
    onRequest = (socket, _line, nth) => void (nth === 1 ? socket.write(ok) : socket.write('H', () => socket.destroy()));
    await (await world.call(connection, '/first')).text();
    expect((await world.call(connection, '/second')).headers.get('hoop-error')).toBe('target_reset');
    expect(requests).toHaveLength(2);
    onRequest = (socket) => socket.destroy();
    expect((await world.call(connection, '/third')).headers.get('hoop-error')).toBe('target_reset');
    expect(requests).toHaveLength(3);
  });

  it('and a fresh one that fails as well ends the call', async () => {
    onRequest = (socket, line) => void (line.includes('first') ? socket.write(ok) : socket.destroy());
    await (await world.call(connection, '/first')).text();
    const response = await world.call(connection, '/second');
    expect(response.headers.get('hoop-error')).toBe('target_reset');
    expect(requests).toHaveLength(3);
    expect((await outcomeOf(response)).errorDetail).toContain('sent twice');
  });
});
