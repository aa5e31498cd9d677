/** A session of the real product, exported as HAR, answers the same calls offline. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createFetch } from '../src/index.ts';
import { replayFetch } from '../src/testing.ts';
import { type RealHoop, startRealHoop } from './real-hoop.ts';

let hoop: RealHoop;
let origin: string;
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url!, 'http://target');
  if (pathname === '/zipped') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync('{"zipped":true}'));
  } else if (pathname === '/moved') {
    response.writeHead(307, { location: '/customers?page=2' }).end();
  } else if (pathname === '/gone') {
    request.socket.destroy();
  } else if (pathname === '/binary') {
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(Buffer.from([0, 159, 146, 150]));
  } else {
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () =>
      response.writeHead(body === '' ? 200 : 201, { 'content-type': 'application/json' }).end(JSON.stringify({ got: request.url, body })),
    );
  }
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  hoop = await startRealHoop({ worker: true });
  await hoop.connect('target', origin, [{ name: 'all but deletes', effect: 'allow', match: { methods: ['GET', 'POST'] } }]);
});
afterAll(async () => {
  await hoop.close();
  server.close();
});

/** The calls as a function sees them. */
async function callAll(fetch: (url: string, init?: RequestInit) => Promise<Response>): Promise<unknown[]> {
  const seen: unknown[] = [];
  const call = async (path: string, init?: RequestInit): Promise<void> => {
    const outcome = await fetch(origin + path, init).then(
      async (response) => [response.status, response.url, response.redirected, response.headers.get('content-type'), await response.text()],
      (error: Error) => error.name,
    );
    seen.push(outcome);
  };
  await call('/customers?page=1');
  await call('/customers', {
    method: 'POST',
    body: '{"name":"Ada"}',
    headers: { 'content-type': 'application/json' },
  });
  await call('/customers', {
    method: 'POST',
    body: '{"name":"Grace"}',
    headers: { 'content-type': 'application/json' },
  });
  await call('/zipped');
  await call('/binary');
  await call('/moved');
  await call('/gone');
  const denied = await fetch(`${origin}/customers/1`, { method: 'DELETE' });
  const { code, detail } = (await denied.json()) as { code: string; detail: string };
  seen.push([denied.status, denied.headers.get('content-type'), code, detail]);
  return seen;
}

test('the HAR of a session is valid HAR 1.2, and its replay gives the function what the target gave it', async () => {
  const session = 'replayed-session';
  const live = createFetch({ url: hoop.url, token: () => hoop.identityToken(), session });
  const seen = await callAll(live);

  // The worker writes what is in the queue; each turn is an answered request.
  let found: { id: string; callCount: number } | undefined;
  while (found?.callCount !== 9) {
    const { items } = (await hoop.ask('GET', '/v1/sessions')) as {
      items: { id: string; callCount: number }[];
    };
    [found] = items;
  }
  let pending = 1;
  while (pending > 0) pending = ((await hoop.ask('GET', `/v1/calls?session=${found.id}&state=pending`))['items'] as unknown[]).length;
  const har = await hoop.ask('GET', `/v1/sessions/${found.id}/har`);

  const ajv = new Ajv({ strict: false });
  (addFormats as unknown as (on: Ajv) => void)(ajv);
  const load = createRequire(import.meta.url);
  ajv.addMetaSchema(load('ajv/dist/refs/json-schema-draft-06.json') as object);
  for (const schema of Object.values(load('har-schema') as Record<string, object>)) ajv.addSchema(schema);
  expect(ajv.validate('har.json#', har), ajv.errorsText()).toBe(true);

  const offline = replayFetch(har);
  expect(await callAll(offline)).toEqual(seen);
  expect(offline.unused()).toEqual([]);
  await expect(offline(`${origin}/customers?page=1`)).rejects.toThrow('no (further) GET');
});
