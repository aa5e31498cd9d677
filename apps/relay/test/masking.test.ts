/** Masking as a function meets it: through a relay, from a target that sends real HTTP. */
import http from 'node:http';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';

import { maskRuleSchema } from '@hoop/contract';
import type { ConnectionSnapshot, MaskRule } from '@hoop/contract';
import { openBody, openDataKey } from '@hoop/sealing';
import { startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { World } from './world.ts';
import type { ConnectionInput, RecordedCall } from './world.ts';

let world: World;
let target: TestTarget;
let answer: RequestListener;
let asked: IncomingHttpHeaders;
const email = 'ada@example.com';
const rules = (...input: object[]): MaskRule[] => input.map((rule) => maskRuleSchema.parse(rule));
const emails = rules({ key: 'email' }, { detect: 'email' });

beforeAll(async () => {
  world = await World.start();
  target = await startTarget((req, res) => {
    asked = req.headers;
    answer(req, res);
  });
});
afterAll(async () => {
  await target?.close();
  await world?.close();
});

const masked = (input: Partial<ConnectionInput> = {}): Promise<ConnectionSnapshot> =>
  world.connect({ target: target.url, mask: emails, ...input });

/** A body as the target sends it, and what the function gets of it. */
async function through(
  connection: ConnectionSnapshot,
  headers: Record<string, string>,
  body: string | Uint8Array,
  init: RequestInit & { path?: string } = {},
) {
  answer = (_req, res) => res.writeHead(200, headers).end(body);
  const { path = '/x', ...rest } = init;
  const response = await world.call(connection, path, rest);
  return { response, text: await response.text(), record: await recordOf(response) };
}

const recordOf = (response: Response): Promise<RecordedCall> => world.record(response.headers.get('hoop-call'));

describe('a response is masked', () => {
  const json = JSON.stringify({ id: 1, email, note: `write to ${email}` });
  it.each([
    ['plain', {}, json],
    ['in gzip', { 'content-encoding': 'gzip' }, gzipSync(json)],
    ['in gzip within brotli', { 'content-encoding': 'gzip, br' }, brotliCompressSync(gzipSync(json))],
    ['in zstd', { 'content-encoding': 'zstd' }, zstdCompressSync(json)],
    ['in UTF-16', { 'content-type': 'application/json; charset=utf-16le' }, Buffer.from(json, 'utf16le')],
  ] satisfies [string, Record<string, string>, string | Uint8Array][])('%s', async (_what, headers, body) => {
    const { response, text, record } = await through(await masked(), { 'content-type': 'application/json', ...headers }, body);
    expect(JSON.parse(text)).toEqual({ id: 1, email: '[redacted]', note: 'write to [redacted]' });
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(record.outcome).toMatchObject({ state: 'completed', maskedCount: 2 });
  });

  it('event by event, each before the next is sent', async () => {
    const connection = await masked();
    let next = (): void => undefined;
    answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const send = (n: number): unknown => res.write(`id: ${n}\ndata: {"email":"${email}","n":${n}}\n\n`);
      send(1);
      next = () => {
        send(2);
        res.end();
      };
    };
    const response = await world.call(connection, '/events');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const first = (await reader.read()).value!;
    expect(first).toBe('id: 1\ndata: {"email":"[redacted]","n":1}\n\n');
    next();
    expect((await reader.read()).value).toBe('id: 2\ndata: {"email":"[redacted]","n":2}\n\n');
  });

  it('as HTML, in text, attributes and references', async () => {
    const html = `<!doctype html><p title="${email}">ada&#64;example.com</p><p>hello</p>`;
    const { text } = await through(await masked(), { 'content-type': 'text/html; charset=utf-8' }, html);
    expect(text).not.toMatch(/ada(?:@|&#64;)example/);
    expect(text).toContain('hello');
  });

  it('in its headers and trailers too', async () => {
    const connection = await masked();
    answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'x-owner': email, trailer: 'x-last' });
      res.addTrailers({ 'x-last': email });
      res.write('{}');
      res.end();
    };
    const got = await new Promise<http.IncomingMessage>((resolve, reject) => {
      void world
        .grant([connection])
        .then((grant) =>
          http
            .get(`${world.relay.url}/${connection.name}/x`, { headers: { 'hoop-grant': grant, te: 'trailers' } }, (res) =>
              res.resume().on('end', () => resolve(res)),
            )
            .on('error', reject),
        );
    });
    expect(got.headers['x-owner']).toBe('[redacted]');
    expect(JSON.stringify(got.trailers)).not.toContain(email);
  });

  it('without validators and digests of what it was', async () => {
    const headers = {
      etag: '"v1"',
      'last-modified': 'Tue, 24 Nov 2026 08:00:00 GMT',
      'content-md5': 'x',
      digest: 'sha-256=x',
      'content-digest': 'sha-256=:x:',
      'repr-digest': 'sha-256=:x:',
      'accept-ranges': 'bytes',
    };
    const { response, text } = await through(
      await masked(),
      { 'content-type': 'application/json', 'content-length': String(json.length), ...headers },
      json,
    );
    for (const name of ['etag', 'content-md5', 'digest', 'content-digest', 'repr-digest', 'accept-ranges'])
      expect(response.headers.get(name), name).toBeNull();
    expect(text).toContain('[redacted]');
    expect([null, String(text.length)]).toContain(response.headers.get('content-length'));
  });

  it('to HEAD without the length and the digests of a body that would be masked', async () => {
    const { response, text } = await through(
      await masked(),
      { 'content-type': 'application/json', 'content-length': '123', etag: '"v1"', 'x-owner': email },
      '',
      { method: 'HEAD' },
    );
    expect(response.status).toBe(200);
    expect(text).toBe('');
    expect(response.headers.get('etag')).toBeNull();
    expect(response.headers.get('content-length')).toBeNull();
    expect(response.headers.get('x-owner')).toBe('[redacted]');
  });
});

it('an exemption whose condition would take hours does not hold the relay up, and does not hold', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const endless = names.reduceRight((inner, name) => `identity.claims.list.all(${name}, ${inner})`, `${names.join(' + ')} >= 0`);
  const [all, unlessFew] = [
    rules({ key: 'email', unless: endless }),
    rules({ key: 'email', unless: 'identity.claims.list.size() == 100' }),
  ];
  answer = (_req, res) => res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ email }));
  for (const [mask, expected] of [
    [all, '[redacted]'],
    [unlessFew, email],
  ] as const) {
    const connection = await masked({ mask });
    const claims = { repository: 'acme/billing', list: Array.from({ length: 100 }, (_, i) => i) };
    const grant = await world.grant([connection], { subject: { issuer: 'https://issuer.test', subject: 'repo:acme/billing', claims } });
    expect(await (await world.call(connection, '/x', { headers: { 'hoop-grant': grant } })).json()).toEqual({ email: expected });
  }
});

it('says in its record how many values were hidden whole, because to look into them would have cost too much', async () => {
  const connection = await masked({ mask: rules({ pattern: 'a.*b|a', action: 'redact' }) });
  const costly = 'a'.repeat(60_000);
  const { text, record } = await through(connection, { 'content-type': 'application/json' }, JSON.stringify([costly, costly, costly]));
  expect(text).not.toContain('aaaa');
  expect(record.outcome).toMatchObject({ state: 'completed', error: null });
  expect(record.outcome!.errorDetail).toMatch(/^\d+ values of the response were hidden whole: /);
});

describe('a response that cannot be masked is blocked', () => {
  it.each([
    ['of a type that is not understood', { 'content-type': 'application/octet-stream' }],
    ['without a type', {}],
    ['with two types', { 'content-type': 'application/json, text/plain' }],
    ['in a coding that cannot be undone', { 'content-type': 'application/json', 'content-encoding': 'x-own' }],
  ] satisfies [string, Record<string, string>][])('%s', async (_what, headers) => {
    const { response, text, record } = await through(await masked(), headers, `secret of ${email}`);
    expect(response.status).toBe(400);
    expect(response.headers.get('hoop-error')).toBe('unmaskable_response');
    expect(JSON.parse(text)).toMatchObject({ code: 'unmaskable_response' });
    expect(text).not.toContain(email);
    expect(record.outcome).toMatchObject({ state: 'failed', status: 400, targetStatus: 200, error: 'unmaskable_response' });
  });

  it('unless the connection names its type, and then only that', async () => {
    const connection = await masked({ settings: { unmaskedContentTypes: ['image/*', 'application/pdf'] } });
    expect((await through(connection, { 'content-type': 'application/pdf' }, `%PDF ${email}`)).text).toBe(`%PDF ${email}`);
    expect((await through(connection, { 'content-type': 'image/png' }, 'png')).text).toBe('png');
    expect((await through(connection, { 'content-type': 'application/zip' }, 'PK')).response.status).toBe(400);
  });

  it('as a part (206) that the function could not have asked for', async () => {
    const connection = await masked();
    answer = (_req, res) => res.writeHead(206, { 'content-type': 'application/json', 'content-range': 'bytes 0-5/100' }).end('{"a":1');
    const response = await world.call(connection, '/x', { headers: { range: 'bytes=0-5', 'if-range': '"v1"', 'if-none-match': '"v1"' } });
    expect(response.status).toBe(400);
    expect(asked).not.toHaveProperty('range');
    expect(asked).not.toHaveProperty('if-range');
    expect(asked).not.toHaveProperty('if-none-match');
  });

  it('before a byte of it is out where it is malformed from the start', async () => {
    const { response, text, record } = await through(await masked(), { 'content-type': 'application/json' }, `{"a": ${email}}`);
    expect(text).not.toContain(email);
    expect(record.outcome).toMatchObject({ state: 'failed', error: 'unmaskable_response' });
    expect(record.outcome!.errorDetail).toMatch(/\b6\b/);
    expect(response.status).toBe(400);
  });

  it('and cut, never silently, where it turns malformed: the record says where', async () => {
    const connection = await masked();
    const good = JSON.stringify(Array.from({ length: 2000 }, (_, id) => ({ id, email }))).slice(0, -1);
    answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write(good);
      void headArrival.promise.then(() => res.end(`,{"email" "${email}"}]`));
    };
    const headArrival = Promise.withResolvers<void>();
    const response = await world.call(connection, '/x');
    headArrival.resolve();
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    const { outcome } = await recordOf(response);
    expect(outcome).toMatchObject({ state: 'failed', status: 200, error: 'unmaskable_response' });
    expect(outcome!.errorDetail).toContain(String(good.length + ',{"email" '.length));
    expect(outcome!.maskedCount).toBe(2000);
  });
});

describe('without masking rules', () => {
  it('what the function asks for is asked for, and nothing changes, where no credential is injected', async () => {
    const connection = await masked({ mask: [], credential: null });
    const body = gzipSync('{"a":1}');
    const { response, text } = await through(
      connection,
      { 'content-type': 'application/zip', etag: '"v1"', 'content-encoding': 'gzip' },
      body,
      { headers: { 'accept-encoding': 'gzip, x-own' } },
    );
    expect(asked['accept-encoding']).toBe('gzip, x-own');
    expect(response.headers.get('etag')).toBe('"v1"');
    expect(text).toBe('{"a":1}');
    await through(connection, { 'content-type': 'application/zip' }, 'PK', { headers: { range: 'bytes=0-1' } });
    expect(asked['range']).toBe('bytes=0-1');
  });

  it('only codings that can be undone are asked for where a credential is, because it is looked for in the answer', async () => {
    const connection = await masked({ mask: [] });
    for (const [sent, expected] of [
      ['gzip, x-own;q=0.5', 'gzip'],
      ['x-own', 'identity'],
      ['gzip, br', 'gzip, br'],
      ['gzip, br', 'gzip, br'],
    ] as const) {
      await through(connection, { 'content-type': 'text/plain' }, 'x', { headers: { 'accept-encoding': sent } });
      expect(asked['accept-encoding']).toBe(expected);
    }
    await through(connection, { 'content-type': 'text/plain' }, 'x', { headers: { range: 'bytes=0-1' } });
    expect(asked['range']).toBe('bytes=0-1');
  });
});

describe('masking of a rule', () => {
  const body = JSON.stringify({ email, phone: '+41 44 668 18 00', iban: 'x' });
  const type = { 'content-type': 'application/json' };
  const rulesOf: ConnectionInput['rules'] = [
    { name: 'all', effect: 'allow' },
    { name: 'customers', effect: 'allow', match: { paths: ['/customers'] }, mask: rules({ key: 'phone' }) },
    { name: 'posts', effect: 'allow', match: { methods: ['POST'] }, mask: rules({ key: 'iban', action: 'null' }) },
    { name: 'blobs', effect: 'allow', match: { paths: ['/blob'] }, mask: rules({ key: 'none' }) },
  ];

  it('holds for the calls that the rule covers, beside that of the policy and of other rules', async () => {
    const connection = await masked({ rules: rulesOf });
    const got = async (path: string, method: string): Promise<unknown> =>
      JSON.parse((await through(connection, type, body, { path, method })).text);
    expect(await got('/orders', 'GET')).toMatchObject({ email: '[redacted]', phone: '+41 44 668 18 00', iban: 'x' });
    expect(await got('/customers', 'GET')).toMatchObject({ email: '[redacted]', phone: '[redacted]', iban: 'x' });
    expect(await got('/customers', 'POST')).toMatchObject({ email: '[redacted]', phone: '[redacted]', iban: null });
    expect(await got('/orders', 'POST')).toMatchObject({ email: '[redacted]', phone: '+41 44 668 18 00', iban: null });
  });

  it('alone makes of a connection without masking one that blocks what it does not understand, for those calls', async () => {
    const connection = await masked({ rules: rulesOf, mask: [] });
    expect((await through(connection, { 'content-type': 'application/zip' }, 'PK', { path: '/other' })).text).toBe('PK');
    expect((await through(connection, { 'content-type': 'application/zip' }, 'PK', { path: '/blob' })).response.status).toBe(400);
  });

  it('masks the request in the record as well, and not on its way to the target', async () => {
    const connection = await masked({ rules: rulesOf, mask: [], settings: { recording: { capture: 'full' } } });
    let sent = '';
    answer = (req, res) => {
      req.on('data', (chunk) => (sent += String(chunk)));
      req.on('end', () => res.writeHead(200, type).end('{}'));
    };
    const response = await world.call(connection, '/customers', { method: 'POST', headers: type, body });
    await response.text();
    const { outcome } = await recordOf(response);
    expect(sent).toBe(body);
    const key = await openDataKey(world.recordingKeys.privateJwks, outcome!.dataKey!.wrapped);
    const recorded = JSON.parse(openBody(key, outcome!.requestBody!.sealed!, `${outcome!.callId}:request`).toString()) as object;
    expect(recorded).toEqual({ email, phone: '[redacted]', iban: null });
  });

  it('hashes alike under every combination of rules', async () => {
    const connection = await masked({
      mask: rules({ key: 'email', action: 'hash' }),
      rules: [
        { name: 'all', effect: 'allow' },
        { name: 'customers', effect: 'allow', match: { paths: ['/customers'] }, mask: rules({ key: 'phone', action: 'hash' }) },
      ],
    });
    const [one, two] = [
      await through(connection, type, body, { path: '/customers' }),
      await through(connection, type, body, { path: '/orders' }),
    ].map(({ text }) => JSON.parse(text) as { email: string });
    expect(one!.email).toMatch(/^hash:/);
    expect(one!.email).toBe(two!.email);
  });

  it('that this relay cannot use ends the call before anything is sent', async () => {
    const broken = { path: '$[?@.a]', action: 'redact' } as const;
    const connection = await masked({
      rules: [
        { name: 'all', effect: 'allow' },
        { name: 'odd', effect: 'allow', match: { paths: ['/odd'] }, mask: [broken] },
      ],
    });
    let isAsked = false;
    answer = (_req, res) => {
      isAsked = true;
      res.writeHead(200, type).end('{}');
    };
    const response = await world.call(connection, '/odd');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'unavailable', detail: expect.stringContaining('"odd"') });
    expect(isAsked).toBe(false);
    expect((await world.call(connection, '/x')).status).toBe(200);
  });
});
