/** Request bodies on their way through. */
import { createHash } from 'node:crypto';

import type { ConnectionSnapshot, Rule } from '@hoop/contract';
import { openBody, openDataKey } from '@hoop/sealing';
import { readBody, startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RawConnection } from './raw.ts';
import { World } from './world.ts';

let world: World;
let target: TestTarget;
let connection: ConnectionSnapshot;
let inspected: ConnectionSnapshot;
let requests = 0;

const rules: Rule[] = [
  { name: 'small refunds', effect: 'allow', match: { methods: ['POST'] }, when: 'request.body.amount <= 100' },
  { name: 'the rest', effect: 'allow', match: { methods: ['GET'] } },
];

beforeAll(async () => {
  world = await World.start();
  target = await startTarget(async (req, res) => {
    requests++;
    if (req.url === '/early') {
      res.writeHead(413).end('too much for me');
      return;
    }
    const body = await readBody(req);
    res.setHeader('x-encoding', req.headers['transfer-encoding'] ?? 'none');
    res.end(`${body.length} ${createHash('sha256').update(body).digest('hex')}`);
  });
  connection = await world.connect({ target: target.url });
  inspected = await world.connect({ target: target.url, rules, settings: { limits: { maxInspectedBytes: 1000 } } });
});
afterAll(async () => {
  await target?.close();
  await world?.close();
});

const sum = (bytes: Uint8Array): string => `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;

describe('a body', () => {
  it('arrives byte for byte, with its length', async () => {
    const body = Buffer.alloc(3_000_000, 'abc');
    const response = await world.call(connection, '/x', { method: 'POST', body });
    expect(await response.text()).toBe(sum(body));
    expect(response.headers.get('x-encoding')).toBe('none');
    const { outcome } = await world.record(response.headers.get('hoop-call'));
    expect(outcome!.requestBody).toMatchObject({ bytes: 3_000_000, keptBytes: 1_048_576, truncated: true });
  });

  it('arrives byte for byte, in chunks', async () => {
    const body = new Blob(['hello ', 'world']).stream();
    const response = await world.call(connection, '/x', { method: 'POST', body, duplex: 'half' });
    expect(await response.text()).toBe(sum(Buffer.from('hello world')));
    expect(response.headers.get('x-encoding')).toBe('chunked');
    const { outcome } = await world.record(response.headers.get('hoop-call'));
    const key = await openDataKey(world.recordingKeys.privateJwks, outcome!.dataKey!.wrapped);
    expect(openBody(key, outcome!.requestBody!.sealed!, `${outcome!.callId}:request`).toString()).toBe('hello world');
  });

  it('may be empty, with a length', async () => {
    expect(await (await world.call(connection, '/x', { method: 'POST', body: '' })).text()).toBe(sum(Buffer.alloc(0)));
  });

  it('is not awaited by a target that answers early', async () => {
    const grant = await world.grant([connection]);
    const raw = new RawConnection(world.relay.url);
    raw.send(`POST /${connection.name}/early HTTP/1.1\r\nhost: relay\r\nhoop-grant: ${grant}\r\ncontent-length: 1000000\r\n\r\nsome of it`);
    const response = await raw.response();
    expect({ status: response.status, body: response.body }).toEqual({ status: 413, body: 'too much for me' });
    expect((await world.record(response.headers['hoop-call']!)).outcome).toMatchObject({ state: 'completed', status: 413 });
    // The rest is read and thrown away, and the connection is good for another request.
    raw.received = Buffer.alloc(0);
    raw.send(Buffer.alloc(1_000_000 - 10));
    raw.send(`GET /${connection.name}/x HTTP/1.1\r\nhost: relay\r\nhoop-grant: ${grant}\r\n\r\n`);
    expect((await raw.response()).status).toBe(200);
    raw.close();
  });
});

describe('Expect: 100-continue', () => {
  const head = (path: string, grant: string): string =>
    `POST ${path} HTTP/1.1\r\nhost: relay\r\nhoop-grant: ${grant}\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n`;

  it('is answered when the body is wanted', async () => {
    const raw = new RawConnection(world.relay.url).send(head(`/${connection.name}/x`, await world.grant([connection])));
    expect(await raw.until((text) => text.includes('100 Continue'))).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    raw.received = Buffer.alloc(0);
    expect((await raw.send('hello').response()).body).toBe(sum(Buffer.from('hello')));
    raw.close();
  });

  it('is answered with the refusal when it is not, and nothing is sent', async () => {
    const before = requests;
    const raw = new RawConnection(world.relay.url).send(head(`/${connection.name}/x`, 'not-a-grant'));
    const text = await raw.closed();
    expect(text.startsWith('HTTP/1.1 401 ')).toBe(true);
    expect(text).not.toContain('100 Continue');
    expect(requests).toBe(before);
  });
});

describe('a condition over the body', () => {
  const post = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    world.call(inspected, '/v1/refunds', { method: 'POST', body, headers });

  it('sees all of it, and what it saw is what is sent', async () => {
    const body = '{"amount": 100}';
    expect(await (await post(body)).text()).toBe(sum(Buffer.from(body)));
    const response = await post('{"amount": 101}');
    expect({ status: response.status, code: response.headers.get('hoop-error') }).toEqual({ status: 403, code: 'policy_denied' });
    const problem = (await response.json()) as Record<string, unknown>;
    expect(problem).toHaveProperty('allowedBy');
    expect((await world.record(response.headers.get('hoop-call'))).outcome).toMatchObject({
      state: 'refused',
      error: 'policy_denied',
      status: 403,
    });
  });

  it.each([
    [413, 'body_too_large', `{"amount": 1, "note": "${'x'.repeat(1000)}"}`, {}],
    [422, 'body_ambiguous', '{"amount": 1, "amount": 1000000}', {}],
    [422, 'body_ambiguous', '{"amount": 1, "Amount": 1000000}', {}],
    [422, 'body_too_complex', `{"amount": 1, "note": ${'['.repeat(300)}${']'.repeat(300)}}`, {}],
    [400, 'body_malformed', '{"amount": 1', {}],
    [403, 'body_number_inexact', '{"amount": 100.00000000000000001}', {}],
    [403, 'policy_denied', '{"Amount": 1}', {}],
    [403, 'policy_denied', 'amount=1', { 'content-type': 'application/x-www-form-urlencoded' }],
    [415, 'body_not_inspectable', 'amount: 1', { 'content-type': 'application/yaml' }],
    [415, 'body_not_inspectable', '{"amount": 1}', { 'content-type': 'application/json; charset=utf-7' }],
    [415, 'body_not_inspectable', '{"amount": 1}', { 'content-encoding': 'gzip' }],
  ])('refuses with its own status and code: %s %s', async (status, code, body, headers) => {
    const before = requests;
    const response = await post(body, { 'content-type': 'application/json', ...headers });
    expect({ status: response.status, code: response.headers.get('hoop-error') }).toEqual({ status, code });
    expect(await response.json()).toMatchObject({ rule: expect.any(String), allowedBy: expect.any(String) });
    expect(requests).toBe(before);
    const { outcome, head } = await world.record(response.headers.get('hoop-call'));
    expect(outcome).toMatchObject({ state: 'refused', error: code });
    expect(head!.decision).toMatchObject({ effect: 'deny' });
  });

  it('passes a 64-bit id that it does not read', async () => {
    const body = '{"amount": 100, "id": 9007199254740993}';
    expect(await (await post(body)).text()).toBe(sum(Buffer.from(body)));
  });

  it('refuses one that never ends at the limit', async () => {
    const grant = await world.grant([inspected]);
    const raw = new RawConnection(world.relay.url).send(
      `POST /${inspected.name}/x HTTP/1.1\r\nhost: relay\r\nhoop-grant: ${grant}\r\ntransfer-encoding: chunked\r\n\r\n400\r\n${'a'.repeat(1024)}\r\n`,
    );
    expect((await raw.response()).headers['hoop-error']).toBe('body_too_large');
    raw.close();
  });
});
