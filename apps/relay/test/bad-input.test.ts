/** Mistakes and attacks of callers: each gets a clear answer and a record, and the relay goes on. */
import { startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import type { ConnectionSnapshot } from '@hoop/contract';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { RawConnection } from './raw.ts';
import { World } from './world.ts';

let world: World;
let target: TestTarget;
let connection: ConnectionSnapshot;
let grant: string;
let requests = 0;
const open: RawConnection[] = [];

beforeAll(async () => {
  world = await World.start();
  target = await startTarget((req, res) => {
    requests++;
    req.resume();
    req.on('end', () => res.end('ok'));
  });
  connection = await world.connect({
    name: 'payments',
    target: target.url,
    settings: { limits: { maxRequestBytes: 1000 } },
  });
  const impatient = await world.connect({ name: 'impatient', target: target.url, settings: { limits: { idleTimeoutMs: 300 } } });
  grant = await world.grant([connection, impatient]);
});
afterAll(async () => {
  await target?.close();
  await world?.close();
});
afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  // The next caller is served after any input.
  const response = await world.call(connection, '/after');
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('ok');
});

function raw(bytes: string | Buffer): RawConnection {
  const one = new RawConnection(world.relay.url).send(bytes);
  open.push(one);
  return one;
}

async function refusal(bytes: string | Buffer, code: string, status: number): Promise<void> {
  const before = requests;
  const response = await raw(bytes).response();
  expect({ status: response.status, code: response.headers['hoop-error'] }).toEqual({ status, code });
  const problem = JSON.parse(response.body) as Record<string, unknown>;
  expect(problem).toMatchObject({
    code,
    status,
    type: `urn:hoop:error:${code}`,
    callId: response.headers['hoop-call'],
    requestId: response.headers['hoop-call'],
  });
  expect(problem['error']).toMatchObject({ code });
  expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  const { outcome, head } = await world.record(response.headers['hoop-call']!);
  expect(outcome).toMatchObject({ state: 'refused', error: code, status, targetStatus: null });
  expect(head!.remoteAddress).toBe('127.0.0.1');
  expect(requests).toBe(before);
}

const head = (requestLine: string, ...headers: string[]): string =>
  [`${requestLine} HTTP/1.1`, 'host: relay', `hoop-grant: ${grant}`, ...headers, '', ''].join('\r\n');

describe('a request that could be read in two ways is refused', () => {
  it('with Content-Length and Transfer-Encoding', () =>
    refusal(head('POST /payments/x', 'content-length: 5', 'transfer-encoding: chunked') + '0\r\n\r\n', 'ambiguous_request', 400));
  it('with two Content-Length headers', () =>
    refusal(head('POST /payments/x', 'content-length: 5', 'content-length: 6') + 'hello', 'ambiguous_request', 400));
  it('with two Content-Length headers that agree', () =>
    refusal(head('POST /payments/x', 'content-length: 5', 'content-length: 5') + 'hello', 'ambiguous_request', 400));
  it('with a list of lengths', () => refusal(head('POST /payments/x', 'content-length: 5, 5') + 'hello', 'ambiguous_request', 400));
  it('with a signed length', () => refusal(head('POST /payments/x', 'content-length: +5') + 'hello', 'ambiguous_request', 400));
  it('with a transfer coding before chunked', () =>
    refusal(head('POST /payments/x', 'transfer-encoding: gzip, chunked') + '0\r\n\r\n', 'ambiguous_request', 400));
  it('with a transfer coding that hides behind a control character', () =>
    refusal(head('POST /payments/x', 'transfer-encoding: \x0bchunked') + '0\r\n\r\n', 'ambiguous_request', 400));
  it('with a space before the colon of a header', () => refusal(head('GET /payments/x', 'x-a : 1'), 'ambiguous_request', 400));
  it('with a bare CR in a header', () => refusal(head('GET /payments/x', 'x-a: 1\rx-b: 2'), 'ambiguous_request', 400));
  it('with a bare LF in a header', () =>
    refusal(`GET /payments/x HTTP/1.1\r\nhost: relay\r\nx-a: 1\nx-b: 2\r\n\r\n`, 'ambiguous_request', 400));
  it('with a NUL in a header', () => refusal(head('GET /payments/x', 'x-a: 1\x002'), 'ambiguous_request', 400));
  it('with a folded header line', () => refusal(head('GET /payments/x', 'x-a: 1', ' folded'), 'ambiguous_request', 400));
  it('with an absolute form that names another host', () => refusal(head('GET http://elsewhere/payments/x'), 'ambiguous_request', 400));
  it('with a method override', () => refusal(head('GET /payments/x', 'x-http-method-override: DELETE'), 'ambiguous_request', 400));
  it('with two grants', () => refusal(head('GET /payments/x', `hoop-grant: ${grant}`), 'ambiguous_request', 400));
  it.each(['HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/3.7', 'HTTP/1', 'http/1.1'])(
    'in a version of HTTP that is not spoken here: %s',
    async (version) => {
      const one = raw(head('GET /payments/x').replace('HTTP/1.1', version));
      expect((await one.response()).status).toBe(400);
      await one.closed();
    },
  );
  it('without a version of HTTP, whatever follows the line', async () => {
    const before = requests;
    for (const rest of [`host: relay\r\nhoop-grant: ${grant}\r\n`, '']) {
      const one = raw(`GET /payments/x\r\n${rest}\r\n`);
      const response = await one.response();
      expect([response.status, response.headers['hoop-error']]).toEqual([400, 'ambiguous_request']);
    }
    expect(requests).toBe(before);
  });
  it('without a host', () => refusal(`GET /payments/x HTTP/1.1\r\nhoop-grant: ${grant}\r\n\r\n`, 'ambiguous_request', 400));
});

describe('a path is refused', () => {
  it.each([
    '/payments/../admin',
    '/payments/a/./b',
    '/payments/%2e%2e/admin',
    '/payments/a%2fb',
    '/payments/a%5Cb',
    '/payments/a%00b',
    '/payments/a\\b',
    '/payments//a',
    '/payments/a;b',
    '/payments/%252e%252e/x',
    '/payments/%zz',
  ])('%s', (path) => refusal(head(`GET ${path}`), 'invalid_path', 400));
  it('of the form *', () => refusal(head('OPTIONS *'), 'invalid_path', 400));
  it('that names no connection', () => refusal(head('GET /'), 'invalid_path', 400));
  it('that is too long', () => refusal(head(`GET /payments/${'a'.repeat(20_000)}`), 'invalid_path', 400));
});

describe('a head is refused', () => {
  it('that is no HTTP', () => refusal('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', 'invalid_request', 400));
  it('that is HTTP/2', () => refusal('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'invalid_request', 400));
  it('that is larger than 64 KiB', () => refusal(head('GET /payments/x', `x-a: ${'a'.repeat(70_000)}`), 'header_too_large', 431));
  it('that has more than 200 headers', () =>
    refusal(head('GET /payments/x', ...Array.from({ length: 201 }, (_, i) => `x-${i}: 1`)), 'header_too_large', 431));
  it('with a method that is not forwarded', () => refusal(head('TRACE /payments/x'), 'method_not_allowed', 405));
  it('that asks for a tunnel', () => refusal('CONNECT target:443 HTTP/1.1\r\nhost: target:443\r\n\r\n', 'method_not_allowed', 405));
});

describe('context is refused', () => {
  it.each(['not json', '["a"]', '{"a":1}', '{"1a":"b"}', 'null', `{"a":"${'x'.repeat(5000)}"}`])('%s', (context) =>
    refusal(head('GET /payments/x', `hoop-context: ${context}`), 'invalid_context', 400),
  );
  it('as a session name with spaces', () => refusal(head('GET /payments/x', 'hoop-session: a b'), 'invalid_request', 400));
});

describe('a body is refused', () => {
  it('that is announced as larger than the connection takes', () =>
    refusal(head('POST /payments/x', 'content-length: 1001'), 'payload_too_large', 413));

  it('that turns out larger than the connection takes', async () => {
    const response = await raw(
      head('POST /payments/x', 'transfer-encoding: chunked') + `3e9\r\n${'a'.repeat(1001)}\r\n0\r\n\r\n`,
    ).response();
    expect(response.status).toBe(400);
    const { outcome } = await world.record(response.headers['hoop-call']!);
    expect(outcome).toMatchObject({ state: 'failed', error: 'payload_too_large', status: 400 });
  });

  it('whose chunks are malformed', async () => {
    const one = raw(head('POST /payments/x', 'transfer-encoding: chunked') + '5\r\nhello\r\nZZ\r\n');
    const response = await one.response();
    expect(response.status).toBe(400);
    expect(response.headers['hoop-error']).toBe('invalid_request');
    expect(await world.record(response.headers['hoop-call']!)).toMatchObject({ outcome: { error: 'invalid_request' } });
    await one.closed();
  });

  it('that stops coming', async () => {
    const response = await raw(head('POST /impatient/x', 'content-length: 10') + 'hello').response();
    expect(response.status).toBe(400);
    expect(await world.record(response.headers['hoop-call']!)).toMatchObject({ outcome: { state: 'failed', error: 'request_timeout' } });
  });

  it('that ends early: the connection half-closes', async () => {
    const one = raw(head('POST /payments/half', 'content-length: 10') + 'hello');
    one.socket.end();
    const response = await one.response();
    expect({ status: response.status, code: response.headers['hoop-error'] }).toEqual({ status: 400, code: 'request_incomplete' });
    expect(await world.record(response.headers['hoop-call']!)).toMatchObject({ outcome: { error: 'request_incomplete' } });
  });

  it('that ends early: the connection is cut', async () => {
    const one = raw(head('POST /payments/cut', 'content-length: 10') + 'hello');
    await world.recorded(() => [...world.calls.values()].find((call) => call.intent?.path === '/cut'));
    one.socket.resetAndDestroy();
    const { outcome } = await world.recorded(() => [...world.calls.values()].find((call) => call.intent?.path === '/cut' && call.outcome));
    expect(outcome).toMatchObject({ state: 'aborted', status: null });
  });
});

it('counts what it need not keep: a flood of refusals becomes a few records', async () => {
  const before = world.calls.size;
  const startedAt = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 400 }, () => fetch(`${world.relay.url}/payments/x`).then((response) => response.status)),
  );
  expect(answers.every((status) => status === 401)).toBe(true);
  // Fifty a second one by one, and one more for the rest of each second, as many seconds as the flood took.
  const seconds = Math.ceil((performance.now() - startedAt) / 1000) + 1;
  const total = await world.recorded(() => {
    const added = [...world.calls.values()].slice(before).filter((call) => call.outcome?.error === 'token_missing');
    const counted = added.reduce((sum, call) => sum + 1 + call.repeats, 0);
    return counted >= 400 ? { records: added.length, counted } : undefined;
  });
  expect(total.counted).toBe(400);
  expect(total.records).toBeLessThanOrEqual(seconds * 51);
});
