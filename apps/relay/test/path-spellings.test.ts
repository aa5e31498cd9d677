/** Spellings of a path that a real Express target reads alike: no restriction is lost on the way, and no path is changed. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import type { ApprovalRule, ConnectionSnapshot, Rule } from '@hoop/contract';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RawConnection } from './raw.ts';
import { World } from './world.ts';

let world: World;
let server: http.Server;
let target: string;
let connection: ConnectionSnapshot;
let grant: string;
/** Request targets that reached the server, and what its router made of them. */
let seen: { url: string; handler: string; params: unknown }[] = [];

const approval: ApprovalRule = {
  reviewers: ['group:payments'],
  quorum: 1,
  ttl: '30m',
  validity: ['once'],
  fourEyes: false,
  requireComment: false,
};
const rules: Rule[] = [
  { name: 'v1', effect: 'allow', match: { paths: ['/v1/*'] } },
  { name: 'refunds', effect: 'require_approval', match: { methods: ['POST'], paths: ['/v1/refunds'] }, approval },
  { name: 'exports', effect: 'deny', match: { paths: ['/v1/exports/:id'] } },
  { name: 'customers', effect: 'allow', match: { paths: ['/v1/customers'] }, mask: [{ key: 'email', action: 'redact' } as never] },
];

beforeAll(async () => {
  world = await World.start();
  const app = express();
  const handle =
    (handler: string): express.RequestHandler =>
    (req, res) => {
      seen.push({ url: req.originalUrl, handler, params: req.params });
      res.json({ handler, email: 'ada@example.com' });
    };
  app.post('/v1/refunds', handle('refund'));
  app.all('/v1/exports/:id', handle('export'));
  app.get('/v1/customers', handle('customers'));
  app.get('/repos/:name/contents', handle('contents'));
  app.use(handle('other'));
  server = http.createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  connection = await world.connect({ name: 'payments', target, rules, settings: { limits: { approvalWaitSeconds: 0 } } });
  grant = await world.grant([connection]);
});
afterAll(async () => {
  server?.close();
  server?.closeAllConnections();
  await world?.close();
});

/** As bytes on the wire: a client library would tidy the path up. */
async function send(method: string, path: string, name = 'payments', token = grant) {
  seen = [];
  const socket = new RawConnection(world.relay.url);
  socket.send(`${method} /${name}${path} HTTP/1.1\r\nhost: relay\r\nhoop-grant: ${token}\r\ncontent-length: 0\r\n\r\n`);
  const response = await socket.response();
  socket.close();
  return response;
}

const spellings = [
  '/v1/refunds',
  '/v1/refunds/',
  '/v1/Refunds',
  '/V1/REFUNDS/',
  '/v1/%52efunds',
  '/v1/refunds%3Bv=1',
  '/v1/refunds.',
  '/v1/refunds%20',
  '/v1/refunds.json',
  '/v1/refunds%3Fx',
  '/v1/%2572efunds',
  '/v1/refund%C5%BF',
];

describe('a rule that restricts a path', () => {
  it.each(spellings)('is not passed by POST %s', async (path) => {
    const response = await send('POST', path);
    expect(response.status).not.toBe(200);
    expect(seen).toEqual([]);
  });

  it.each(['/v1/refunds;v=1', '/v1//refunds', '/v1/refunds%2e', '/v1/refunds%00', '/v1/refunds%5c', '/v1/%c1%b2efunds', '/v1/x%2Frefunds'])(
    'is not passed by POST %s, which is refused before it is decided',
    async (path) => {
      const response = await send('POST', path);
      expect(response.headers['hoop-error']).toBe('invalid_path');
      expect(seen).toEqual([]);
    },
  );

  it.each(['/v1/exports/1', '/v1/Exports/1', '/v1/exports/1/', '/v1/exports%3Bx/1', '/v1/exports/%3Bx/1'])(
    'denies GET %s, and says so',
    async (path) => {
      const response = await send('GET', path);
      expect(response.headers['hoop-error']).toBe('policy_denied');
      expect(JSON.parse(response.body)).toMatchObject({ rule: 'exports', method: 'GET', path });
      expect(seen).toEqual([]);
    },
  );

  it.each(['/v1/customers', '/v1/Customers', '/v1/customers/'])('hides fields in the answer to GET %s', async (path) => {
    const response = await send('GET', path);
    expect(JSON.parse(response.body)).toEqual({ handler: 'customers', email: '[redacted]' });
    expect(seen).toMatchObject([{ url: path, handler: 'customers' }]);
  });

  it('lets through what the target does not read alike', async () => {
    expect((await send('POST', '/v1/refund')).status).toBe(200);
    expect((await send('GET', '/v1/Refunds')).status).toBe(200);
    expect(seen).toMatchObject([{ url: '/v1/Refunds' }]);
  });

  it('follows what the connection says of its target', async () => {
    const exact = await world.connect({ name: 'exact', target, rules, settings: { paths: { caseSensitive: true } } });
    const token = await world.grant([exact]);
    expect((await send('POST', '/v1/Refunds', 'exact', token)).status).toBe(200);
    expect((await send('POST', '/v1/refunds.', 'exact', token)).status).not.toBe(200);
  });
});

it('a denial says in its detail which path was matched and what would allow the call', async () => {
  const response = await send('DELETE', '/v2/refunds?x=1');
  expect(JSON.parse(response.body)).toMatchObject({
    code: 'policy_denied',
    method: 'DELETE',
    path: '/v2/refunds',
    detail:
      'No rule of the policy allows this call. The policy was asked about DELETE /v2/refunds (the path relative to the target). ' +
      'To be allowed: ' +
      (JSON.parse(response.body) as { allowedBy: string }).allowedBy,
    allowedBy: expect.stringContaining('/v1/*'),
  });
});

it('HEAD does not reach what a rule denies for GET', async () => {
  const gets = await world.connect({
    name: 'gets',
    target,
    rules: [
      { name: 'v1', effect: 'allow', match: { paths: ['/v1/*'] } },
      { name: 'no customers', effect: 'deny', match: { methods: ['GET'], paths: ['/v1/customers'] } },
    ],
  });
  const token = await world.grant([gets]);
  const response = await world.call(gets, '/v1/customers', { method: 'HEAD', headers: { 'hoop-grant': token } });
  expect([response.status, response.headers.get('hoop-error')]).toEqual([403, 'policy_denied']);
  expect((await world.call(gets, '/v1/other', { method: 'HEAD', headers: { 'hoop-grant': token } })).status).toBe(200);
});

describe('a question mark that nothing follows', () => {
  it.each(['/v1/x?', '/v1/x'])('is forwarded and recorded as it was sent: %s', async (path) => {
    const response = await send('GET', path);
    expect(seen).toMatchObject([{ url: path }]);
    expect((await world.record(response.headers['hoop-call'] ?? null)).head).toMatchObject({ url: target + path });
  });

  it('makes no slash at the end of the target’s own path', async () => {
    const based = await world.connect({ name: 'based', target: `${target}/v1/base` });
    const token = await world.grant([based]);
    for (const [sent, forwarded] of [
      ['', '/v1/base'],
      ['?', '/v1/base?'],
      ['?a=1', '/v1/base?a=1'],
      ['/?a=1', '/v1/base/?a=1'],
    ] as const) {
      await send('GET', sent, 'based', token);
      expect(seen).toMatchObject([{ url: forwarded }]);
    }
  });
});

describe('an encoded slash', () => {
  it('is refused unless the connection takes it, and the refusal names the setting', async () => {
    const response = await send('GET', '/v1/acme%2Fapi');
    expect(response.headers['hoop-error']).toBe('invalid_path');
    expect((JSON.parse(response.body) as { detail: string }).detail).toContain(
      'set paths.encodedSlash of the connection "payments" to "data"',
    );
  });

  it('is data of its segment in match and forwarding, and never a way round a rule that restricts', async () => {
    const git = await world.connect({
      name: 'git',
      target,
      rules: [
        { name: 'contents', effect: 'allow', match: { paths: ['/repos/:name/contents'] } },
        { name: 'secret', effect: 'deny', match: { paths: ['/repos/acme/secret/*'] } },
      ],
      settings: { paths: { encodedSlash: 'data' } },
    });
    const token = await world.grant([git]);
    expect((await send('GET', '/repos/acme%2fapi/contents', 'git', token)).status).toBe(200);
    expect(seen).toEqual([{ url: '/repos/acme%2Fapi/contents', handler: 'contents', params: { name: 'acme/api' } }]);
    expect((await send('GET', '/repos/acme/api/contents', 'git', token)).headers['hoop-error']).toBe('policy_denied');
    const denied = await send('GET', '/repos/acme%2FSecret/contents', 'git', token);
    expect(JSON.parse(denied.body)).toMatchObject({ code: 'policy_denied', rule: 'secret' });
    expect((await send('GET', '/repos/..%2Fadmin/contents', 'git', token)).headers['hoop-error']).toBe('invalid_path');
    expect((await send('GET', '/repos%2Fx/..%2fcontents', 'git', token)).headers['hoop-error']).toBe('invalid_path');
  });
});
