/** A target's redirects meet real clients that know Hoop as a base URL only: none of them takes its grant anywhere else. */
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

import axios from 'axios';
import type { ConnectionSnapshot } from '@hoop/contract';
import got from 'got';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { World } from './world.ts';

let world: World;
let target: Server;
let other: Server;
let targetUrl: string;
let otherUrl: string;
let connection: ConnectionSnapshot;
let stripe: ConnectionSnapshot;
let grant: string;
/** The requests that arrived, in order: where, method and path. */
let arrivals: string[] = [];
let grantsSeen: unknown[] = [];
let redirect: { status: number; headers: OutgoingHttpHeaders };

const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const arrived = (where: string, req: IncomingMessage): void => {
  req.resume();
  arrivals.push(`${where} ${req.method} ${req.url}`);
  grantsSeen.push(req.headers['hoop-grant']);
};

beforeAll(async () => {
  world = await World.start();
  target = createServer((req, res) => {
    arrived('target', req);
    if (req.url?.endsWith('/start')) res.writeHead(redirect.status, redirect.headers).end('moved');
    else res.end('the end');
  });
  other = createServer((req, res) => {
    arrived('other', req);
    res.end('the end');
  });
  [targetUrl, otherUrl] = [await listen(target), await listen(other)];
  connection = await world.connect({ name: 'payments', target: targetUrl });
  stripe = await world.connect({ name: 'stripe', target: otherUrl });
  grant = await world.grant([connection, stripe]);
});
afterAll(async () => {
  target?.close();
  other?.close();
  await world?.close();
});
beforeEach(() => {
  arrivals = [];
  grantsSeen = [];
});

interface Seen {
  readonly status: number;
  readonly body: string;
}

const run = promisify(execFile);
const start = (): string => `${world.relay.url}/payments/start`;
/** Each follows redirects, and would send its headers along. */
const clients: Record<string, (method: 'GET' | 'POST') => Promise<Seen>> = {
  async curl(method) {
    const args = ['-sSL', '-H', `hoop-grant: ${grant}`, '-w', '\n%{http_code}', ...(method === 'POST' ? ['--json', '{}'] : []), start()];
    const lines = (await run('curl', args)).stdout.split('\n');
    return { status: Number(lines.pop()), body: lines.join('\n') };
  },
  async got(method) {
    const { statusCode, body } = await got(start(), {
      method,
      headers: { 'hoop-grant': grant },
      throwHttpErrors: false,
      methodRewriting: false,
      ...(method === 'POST' ? { json: {} } : {}),
    });
    return { status: statusCode, body };
  },
  async axios(method) {
    const { status, data } = await axios.request<string>({
      url: start(),
      method,
      headers: { 'hoop-grant': grant },
      responseType: 'text',
      transformResponse: (text: string) => text,
      validateStatus: () => true,
      ...(method === 'POST' ? { data: {} } : {}),
    });
    return { status, body: data };
  },
  async fetch(method) {
    const response = await fetch(start(), { method, headers: { 'hoop-grant': grant }, ...(method === 'POST' ? { body: '{}' } : {}) });
    return { status: response.status, body: await response.text() };
  },
};

describe.each(Object.keys(clients))('%s', (name) => {
  it.each([
    [302, () => `${targetUrl}/echo`],
    [302, () => '/echo'],
    [301, () => 'echo'],
    [308, () => `${targetUrl.toUpperCase()}/echo`],
    [307, () => '/payments/../echo'],
  ])("follows a %i of the connection's own target through Hoop", async (status, location) => {
    redirect = { status, headers: { location: location() } };
    expect(await clients[name]!('GET')).toEqual({ status: 200, body: 'the end' });
    expect(arrivals).toEqual(['target GET /start', 'target GET /echo']);
    expect(grantsSeen).toEqual([undefined, undefined]);
  });

  it('sends a POST again where a 307 of the target asks for it', async () => {
    redirect = { status: 307, headers: { location: '/echo' } };
    expect((await clients[name]!('POST')).status).toBe(200);
    expect(arrivals).toEqual(['target POST /start', 'target POST /echo']);
  });

  it('takes its grant to no other host', async () => {
    for (const location of [
      `${otherUrl}/x`,
      `//${new URL(otherUrl).host}/x`,
      `/\\${new URL(otherUrl).host}/x`,
      `/\t/${new URL(otherUrl).host}/x`,
    ]) {
      redirect = { status: 302, headers: { location } };
      const { status, body } = await clients[name]!('GET');
      expect(status).toBe(400);
      expect(JSON.parse(body)).toMatchObject({ code: 'location_withheld', targetStatus: 302, location: `${otherUrl}/x`, sent: true });
    }
    expect(arrivals.filter((one) => one !== 'target GET /start')).toEqual([]);
  });

  it('reaches no other connection of the relay', async () => {
    for (const location of [
      '/stripe/v1/refunds',
      '../stripe/v1/refunds',
      '/payments/../stripe/v1/refunds',
      '/%2e%2e/stripe/v1/refunds',
      '/..\\stripe/v1/refunds',
      '/.\t./stripe/v1/refunds',
    ]) {
      redirect = { status: 307, headers: { location } };
      await clients[name]!('POST');
    }
    expect(arrivals.filter((one) => one.startsWith('other'))).toEqual([]);
    redirect = { status: 307, headers: { location: `${world.relay.url}/stripe/v1/refunds` } };
    expect((await clients[name]!('POST')).status).toBe(400);
    expect(arrivals.filter((one) => one.startsWith('other'))).toEqual([]);
  });
});

const ask = (headers: Record<string, string> = {}, path = '/start', to = connection): Promise<Response> =>
  world.call(to, path, { headers: { 'hoop-grant': grant, ...headers } });

it('the other headers that clients act upon lead nowhere else either', async () => {
  redirect = {
    status: 201,
    headers: {
      location: `${otherUrl}/made`,
      'content-location': `${targetUrl}/made/7`,
      link: `<${targetUrl}/list?page=2>; rel="next", <${otherUrl}/docs>; rel="help"`,
      refresh: `0; url=${otherUrl}/x`,
    },
  };
  const response = await ask();
  expect(response.status).toBe(201);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-location': '/payments/made/7',
    link: `<${world.relay.url}/payments/list?page=2>; rel="next"`,
    'hoop-withheld': `location="${otherUrl}/made", link="${otherUrl}/docs", refresh="${otherUrl}/x"`,
  });
  expect(response.headers.get('location')).toBeNull();
  expect(response.headers.get('refresh')).toBeNull();
});

it('a caller that brings redirects to Hoop itself gets them as the target sent them; no other value of the header does it', async () => {
  redirect = { status: 302, headers: { location: `${otherUrl}/x` } };
  const response = await ask({ 'hoop-location': 'target' });
  expect([response.status, response.headers.get('location')]).toEqual([302, `${otherUrl}/x`]);
  for (const value of ['1', 'true', 'TARGET', '']) expect((await ask({ 'hoop-location': value })).status).toBe(400);
});

it('a connection can let other URLs pass, and relative ones still reach no other connection', async () => {
  const open = await world.connect({ target: targetUrl, settings: { foreignLocations: 'pass' } });
  redirect = { status: 302, headers: { location: `${otherUrl}/x` } };
  expect((await ask({ 'hoop-grant': await world.grant([open]) }, '/start', open)).headers.get('location')).toBe(`${otherUrl}/x`);
  redirect = { status: 307, headers: { location: '/stripe/v1/refunds' } };
  expect((await ask({ 'hoop-grant': await world.grant([open]) }, '/start', open)).headers.get('location')).toBe(
    `/${open.name}/stripe/v1/refunds`,
  );
});

it("a relative URL outside the path of the target is let through in full, as no client may take it for the relay's", async () => {
  const open = await world.connect({ target: `${targetUrl}/base`, settings: { foreignLocations: 'pass' } });
  redirect = { status: 307, headers: { location: '/stripe/v1/refunds' } };
  const response = await ask({ 'hoop-grant': await world.grant([open]) }, '/start', open);
  expect(response.headers.get('location')).toBe(`${targetUrl}/stripe/v1/refunds`);
});

it('what a withheld URL repeats of the credential is scrubbed, and the record has the redirect', async () => {
  redirect = { status: 302, headers: { location: `${otherUrl}/x?key=test-secret-value-1234567890` } };
  const response = await ask();
  const text = `${await response.text()} ${response.headers.get('hoop-withheld')}`;
  expect(text).toContain(`${otherUrl}/x?key=`);
  expect(text).not.toContain('test-secret-value');
  const { outcome } = await world.record(response.headers.get('hoop-call'));
  expect(outcome).toMatchObject({ state: 'failed', error: 'location_withheld', status: 400, targetStatus: 302 });
  expect(outcome!.responseHeaders.find(([name]) => name === 'location')?.[1]).toContain(`${otherUrl}/x`);
});
