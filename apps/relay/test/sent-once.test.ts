/**
 * After a target may have acted, no client library sends a request again by itself: the real ones, with their own retries
 * on, against a relay that withholds the answer. What arrives at the target is counted.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import Anthropic from '@anthropic-ai/sdk';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ConnectionSnapshot } from '@hoop/contract';
import { request as gaxios } from 'gaxios';
import got from 'got';
import ky from 'ky';
import { Octokit } from 'octokit';
import OpenAI from 'openai';
import Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { World } from './world.ts';

let world: World;
let target: Server;
let connection: ConnectionSnapshot;
let base: string;
let headers: { 'hoop-grant': string };
let arrivals = 0;
let revoking: Promise<void> = Promise.resolve();
let answer: (req: IncomingMessage, res: ServerResponse) => unknown;

beforeAll(async () => {
  world = await World.start();
  target = createServer((req, res) => {
    req.resume().on('end', () => {
      arrivals++;
      answer(req, res);
    });
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const { port } = target.address() as AddressInfo;
  connection = await world.connect({ target: `http://127.0.0.1:${port}`, mask: [{ path: '$..email', action: 'redact' }] });
  base = `${world.relay.url}/${connection.name}`;
  headers = { 'hoop-grant': await world.grant([connection]) };
});
afterAll(async () => {
  target?.closeAllConnections();
  target?.close();
  await world?.close();
});
beforeEach(() => {
  arrivals = 0;
});

/** With the retries that each has by default, or as many as its documentation shows. */
const clients: Record<string, () => Promise<unknown>> = {
  OpenAI: () => new OpenAI({ apiKey: headers['hoop-grant'], baseURL: `${base}/v1` }).chat.completions.create({ model: 'm', messages: [] }),
  Anthropic: () =>
    new Anthropic({ apiKey: null, authToken: headers['hoop-grant'], baseURL: base }).messages.create({
      model: 'm',
      max_tokens: 1,
      messages: [{ role: 'user', content: 'x' }],
    }),
  Stripe: () => {
    // Stripe's library takes no path before its own, so its transport puts the connection there.
    const send = ((url: string, init: RequestInit) =>
      fetch(base + new URL(url).pathname, {
        ...init,
        headers: { ...(init.headers as Record<string, string>), ...headers },
      })) as typeof fetch;
    return new Stripe('sk_test_x', { httpClient: Stripe.createFetchHttpClient(send) }).refunds.create({ charge: 'ch_1' });
  },
  Octokit: () => {
    const octokit = new Octokit({ baseUrl: base, log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } });
    return octokit.request('POST /repos/{owner}/{repo}/issues', { owner: 'a', repo: 'b', title: 'x', headers });
  },
  'AWS S3': () => {
    const s3 = new S3Client({
      endpoint: base,
      region: 'eu-central-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' },
    });
    s3.middlewareStack.add(
      (next) => (args) => {
        Object.assign((args.request as { headers: Record<string, string> }).headers, headers);
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    return s3.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'x' }));
  },
  'got (PUT)': () => got.put(`${base}/x`, { headers, json: {} }),
  'got (GET)': () => got(`${base}/x`, { headers }),
  'ky (PUT)': () => ky.put(`${base}/x`, { headers, json: {} }),
  'ky (GET)': () => ky(`${base}/x`, { headers }),
  'gaxios (PUT)': () => gaxios({ url: `${base}/x`, method: 'PUT', headers, retry: true }),
};

describe.each([
  [
    'withholds an answer that it cannot mask',
    'unmaskable_response',
    (_req, res) => res.writeHead(200, { 'content-type': 'image/png' }).end('x'),
  ],
  ['sees the target break the connection', 'target_reset', (req) => req.socket.resetAndDestroy()],
  ['is answered with what is not HTTP', 'target_invalid_response', (req) => req.socket.end('SSH-2.0-OpenSSH_9.6\r\n')],
  ['sees the connection disabled before the answer', 'call_revoked', (_req, res) => (revoking = revoke(res))],
] satisfies [string, string, typeof answer][])('where the relay %s', (_case, code, behaviour) => {
  it.each(Object.keys(clients))('%s does not send the request again', async (name) => {
    answer = behaviour;
    await expect(clients[name]!()).rejects.toThrow();
    await revoking;
    expect(arrivals).toBe(1);
  });

  it('the answer says so, in a status, headers and words', async () => {
    answer = behaviour;
    const response = await world.call(connection, '/x', { method: 'POST', body: 'x' });
    expect(response.status).toBe(400);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'hoop-error': code,
      'hoop-sent': 'true',
      'x-should-retry': 'false',
      'stripe-should-retry': 'false',
    });
    expect(response.headers.get('retry-after')).toBeNull();
    expect(await response.json()).toMatchObject({ code, status: 400, sent: true, detail: expect.stringContaining('The request was sent') });
  });
});

/** Takes the connection away while the call is in flight, and gives it back. */
async function revoke(res: ServerResponse): Promise<void> {
  const setDisabled = (disabled: boolean): Promise<void> =>
    world.publish((snapshot) => {
      for (const one of snapshot.connections) one.disabled = disabled;
    });
  await setDisabled(true);
  await setDisabled(false);
  res.destroy();
}

it('where nothing was sent the answer invites to send the request again', async () => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const response = await world.call(await world.connect({ target: `http://127.0.0.1:${port}` }), '/x', { method: 'POST', body: 'x' });
  expect(response.status).toBe(502);
  expect(response.headers.get('x-should-retry')).toBeNull();
  expect(response.headers.get('hoop-sent')).toBeNull();
  expect(await response.json()).not.toHaveProperty('sent');
});
