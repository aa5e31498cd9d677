import { connect } from 'node:net';

import { newId } from '@hoop/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startHarness, type Harness } from './harness.ts';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

/** Sends bytes as they are and gives what comes back until the end. */
function raw(text: string, { half = false } = {}): Promise<string> {
  const { hostname, port } = new URL(h.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('end', () => {
      socket.end();
      resolve(answer);
    });
    socket.on('error', reject);
    socket.write(text, 'latin1');
    if (half) socket.end();
  });
}

describe('bad input', () => {
  it.each([
    ['{"name":', 'malformed_json'],
    ['', 'malformed_json'],
    ['null', 'invalid_request'],
    ['[]', 'invalid_request'],
    ['"x"', 'invalid_request'],
    ['{"name":1,"name":2}', 'invalid_request'],
    ['{"__proto__":{"x":1}}', 'invalid_request'],
    ['{"constructor":{"prototype":{}}}', 'invalid_request'],
    ['\ud800', 'malformed_json'],
  ])('%j is refused', async (body, code) => {
    const answer = await h.call<any>('POST', '/v1/identities', { body, headers: { 'content-type': 'application/json' } });
    expect([answer.status, answer.body.code]).toEqual([400, code]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it.each([
    ['names', () => `{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":1`).join()}}`],
    ['list elements', () => `{"labels":[${'1,'.repeat(110_000)}1]}`],
    ['containers', () => `{"labels":[${Array.from({ length: 30_000 }, () => '[[]]').join()},${'[[[[]]]],'.repeat(20_000)}1]}`],
  ])('more %s than a body may have are refused before they are parsed', async (_what, body) => {
    const answer = await h.call<any>('POST', '/v1/identities', { body: body(), headers: { 'content-type': 'application/json' } });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(answer.body.detail).toBe('The body has more than 100000 values and names.');
  });

  it('signs within strings do not count as values', async () => {
    const body = JSON.stringify({ name: ',:[{"'.repeat(30_000) });
    const answer = await h.call<any>('POST', '/v1/identities', { body, headers: { 'content-type': 'application/json' } });
    expect(answer.body.detail).not.toContain('values');
  });

  it('strangers may send little, and few parameters', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const many = await h.call<any>('POST', '/oauth/token', { body: 'a=1&'.repeat(20_000), headers });
    expect([many.status, many.text]).toEqual([400, expect.stringContaining('200 parameters')]);
    const large = await h.call<any>('POST', '/oauth/token', { body: `subject_token=${'a'.repeat(131_072)}`, headers });
    expect([large.status, large.text]).toEqual([413, expect.stringContaining('131072 bytes')]);
  });

  it('JSON that breaks is not repeated', async () => {
    const { body, text } = await h.call<any>('POST', '/v1/identities', {
      body: '{"secretish": tru}',
      headers: { 'content-type': 'application/json' },
    });
    expect(body.detail).toBe('The body is not valid JSON.');
    expect(text).not.toContain('secretish');
  });

  it.each(['text/plain', 'application/json; charset=latin1', 'application/jsonx', 'multipart/form-data'])(
    'the type %s is refused',
    async (type) => {
      const answer = await h.call<any>('POST', '/v1/identities', { body: '{}', headers: { 'content-type': type } });
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
    },
  );

  it('a compressed body is refused, so that it cannot grow', async () => {
    const answer = await h.call<any>('POST', '/v1/identities', { body: '{}', headers: { 'content-encoding': 'gzip' } });
    expect(answer.body.code).toBe('unsupported_media_type');
  });

  it('a body that is announced or sent too large is refused before it is read', async () => {
    const head = `POST /v1/identities HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${h.adminToken}\r\ncontent-type: application/json\r\n`;
    expect(await raw(`${head}content-length: 10485760\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*payload_too_large/i,
    );
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    expect(await raw(`${head}transfer-encoding: chunked\r\n\r\n${chunk.repeat(90)}`)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('a body that ends early harms nobody', async () => {
    const head = `POST /v1/identities HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${h.adminToken}\r\ncontent-type: application/json\r\n`;
    await raw(`${head}content-length: 100\r\n\r\n{"name":`, { half: true });
    expect((await h.call('GET', '/healthz')).status).toBe(200);
  });

  it('is asked to authenticate before any of its body is read', async () => {
    const head =
      'POST /v1/identities HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 10485760\r\n\r\n';
    expect(await raw(head)).toMatch(/^HTTP\/1\.1 401 /);
  });

  it.each([
    '/v1/identities/%',
    '/v1/identities/%zz',
    '/v1/identities/%2e%2e',
    '/v1/identities/a%00b',
    `/v1/identities/${'x'.repeat(5000)}`,
    "/v1/identities/'%20or%201=1",
  ])('the path %s is refused', async (path) => {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${h.adminToken}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*invalid_request/);
  });

  it('two lengths, or a length and chunks, are refused', async () => {
    const head = 'POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n';
    expect(await raw(`${head}content-length: 2\r\n\r\nx`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw(`${head}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it.each(['\\u0000', '\\ud800', '\\udc00x'])('text that Postgres cannot hold (%s) is refused with its place', async (escape) => {
    const { id } = await h.makeConnection();
    const body = `{"rules":[{"name":"a${escape}b","effect":"deny"}]}`;
    const put = await h.call<any>('PUT', `/v1/connections/${id}/policy`, {
      body,
      headers: { 'if-none-match': '*', 'content-type': 'application/json' },
    });
    expect([put.status, put.body.code, put.body.errors[0].path]).toEqual([400, 'invalid_request', 'rules[0].name']);
  });

  it('U+0000 in a query or a form is refused', async () => {
    expect((await h.call<any>('GET', '/v1/identities?owner=a%00b')).body.code).toBe('invalid_request');
    expect((await h.exchange('a\u0000b')).body['code']).toBe('invalid_request');
  });
});

describe('answers', () => {
  it('are a problem document where there is no such path, and name what is possible where there is', async () => {
    const missing = await h.call<any>('GET', '/v1/nothing');
    expect([missing.status, missing.body.code, missing.headers.get('content-type')]).toEqual([
      404,
      'not_found',
      'application/problem+json; charset=utf-8',
    ]);
    const wrong = await h.call<any>('PUT', '/v1/identities', { body: {} });
    expect([wrong.status, wrong.body.code, wrong.headers.get('allow')]).toEqual([405, 'method_not_allowed', 'POST, GET']);
  });

  it('are not kept by caches or guessed at by browsers', async () => {
    const { headers } = await h.call('GET', '/v1/identities');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('to HEAD have no body', async () => {
    const { status, text } = await h.call('HEAD', '/v1/identities');
    expect([status, text]).toEqual([200, '']);
  });

  it('of openapi.json are what is committed', async () => {
    const { readFile } = await import('node:fs/promises');
    const committed = JSON.parse(await readFile(new URL('../../../openapi.json', import.meta.url), 'utf8'));
    expect((await h.call('GET', '/openapi.json', { token: null })).body).toEqual(committed);
  });

  it('leave one log line, with the operation and no query', async () => {
    await h.call('GET', '/v1/identities?owner=hush');
    expect(h.logged()).toMatch(/"operation":"listIdentities"/);
    expect(h.logged()).not.toContain('hush');
  });
});

describe('a flood of refusals', () => {
  it('is counted, not written row by row', async () => {
    const flooded = await startHarness();
    for (let i = 0; i < 60; i++) await flooded.call('GET', '/v1/identities', { token: `nobodys-${i}` });
    const rows = () => flooded.database.prisma.securityEvent.findMany({ where: { kind: 'admin_authentication' } });
    expect(await rows()).toHaveLength(20);
    await flooded.controlPlane.close();
    const all = await rows();
    expect(all.map((row) => row.count).reduce((sum, count) => sum + count)).toBe(60);
    expect(all).toHaveLength(21);
    await flooded.database.close();
    await flooded.issuer.close();
    await flooded.testDatabase.drop();
  });
});

describe('a filter with a name that nothing has', () => {
  it.each([
    ['/v1/calls', 'connection'],
    ['/v1/calls', 'identity'],
    ['/v1/calls', 'error'],
    ['/v1/calls/events', 'connection'],
    ['/v1/sessions', 'identity'],
    ['/v1/sessions', 'connection'],
    ['/v1/approvals', 'identity'],
    ['/v1/approvals', 'connection'],
    ['/v1/connections', 'identity'],
    ['/v1/identities', 'provider'],
    ['/v1/security-events', 'code'],
  ])('is an error that names the filter, not an empty list: %s?%s=', async (path, filter) => {
    const { status, body } = await h.call<any>('GET', `${path}?${filter}=no-such-name`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'invalid_request', errors: [{ path: filter }] });
    expect(body.detail).toContain(filter);
  });

  it.each(['/v1/calls?connexion=payments', '/v1/sessions?identities=x', '/v1/approvals?status=pending'])(
    'nor is one in the name of a filter: %s',
    async (path) => {
      const { status, body } = await h.call<any>('GET', path);
      expect(status).toBe(400);
      expect(body.code).toBe('invalid_request');
    },
  );

  it('may be the id of what was deleted, which is on record', async () => {
    const { status, body } = await h.call<any>('GET', `/v1/calls?connection=${newId('connection')}&identity=${newId('identity')}`);
    expect(status).toBe(200);
    expect(body.items).toEqual([]);
  });
});
