/** The SDK and the product, on real parts: what a function meets on its way to a payments API. */
import OpenAI from 'openai';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createFetch, HoopDeniedError, HoopExchangeError, type HoopFetch, HoopRelayError, HoopTargetError } from '../src/index.ts';
import { type RealHoop, startRealHoop } from './real-hoop.ts';
import { answerJson, closeServers, readBody, serve } from './servers.ts';

let hoop: RealHoop;
let payments: string;
let fetch: HoopFetch;
const seen: { method: string; url: string; authorization: string | undefined; body: string }[] = [];

beforeAll(async () => {
  payments = await serve(async (request, response) => {
    const body = (await readBody(request)).toString();
    seen.push({ method: request.method ?? '', url: request.url ?? '', authorization: request.headers.authorization, body });
    if (request.headers.authorization !== 'Bearer payments-secret') return answerJson(response, 401, { error: { message: 'no key' } });
    if (request.url?.startsWith('/v1/refunds')) return answerJson(response, 200, { id: 're_1', object: 'refund' });
    if (request.url === '/v1/chat/completions')
      return answerJson(response, 200, { choices: [{ index: 0, message: { content: 'Hello' } }] });
    answerJson(response, 200, { object: 'list', data: [{ id: 'cus_1' }], has_more: false, url: request.url });
  });
  hoop = await startRealHoop();
  await hoop.connect('payments', payments, [
    { name: 'read customers', effect: 'allow', match: { methods: ['GET'], paths: ['/v1/customers'] } },
    { name: 'chat', effect: 'allow', match: { methods: ['POST'], paths: ['/v1/chat/completions'] } },
    {
      name: 'refunds name a ticket',
      effect: 'require_context',
      match: { methods: ['POST'], paths: ['/v1/refunds'] },
      context: { ticket: '^OPS-[0-9]+$' },
    },
    { name: 'nobody deletes', effect: 'deny', match: { methods: ['DELETE'] }, reason: 'Customers are closed in the back office.' },
  ]);
  fetch = createFetch({ url: hoop.url, token: () => hoop.identityToken() });
});
afterAll(async () => {
  await hoop.close();
  await closeServers();
});

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable(),
    (reason: unknown) => reason,
  );

describe('a function behind Hoop', () => {
  test('reads with a credential that it never held, and its call has an id', async () => {
    const response = await fetch(`${payments}/v1/customers?limit=1`, { headers: { authorization: 'Bearer leftover' } });
    expect([response.status, response.url]).toEqual([200, `${payments}/v1/customers?limit=1`]);
    expect(response.headers.get('hoop-call')).toMatch(/^call_/);
    expect(response.headers.get('hoop-error')).toBeNull();
    expect(seen.at(-1)).toMatchObject({ method: 'GET', url: '/v1/customers?limit=1', authorization: 'Bearer payments-secret' });
  });

  test('reaches a target that has a path', async () => {
    const other = await serve((request, response) => answerJson(response, 200, { url: request.url }));
    await hoop.connect('deep', `${other}/base/`, [{ name: 'all', effect: 'allow' }]);
    const fresh = createFetch({ url: hoop.url, token: () => hoop.identityToken() });
    for (const rest of ['', '/', '/x', '/x/?a=%20&b', '/x/%C3%BC/~a']) {
      const response = await fresh(`${other}/base${rest}`);
      expect([response.status, response.url, await response.json()]).toEqual([200, `${other}/base${rest}`, { url: `/base${rest}` }]);
    }
    expect(await failure(fresh(`${other}/elsewhere`))).toBeInstanceOf(HoopTargetError);
  });

  test('is told which rule denies, as a response or as an error', async () => {
    const before = seen.length;
    const response = await fetch(`${payments}/v1/customers/7`, { method: 'DELETE' });
    expect([response.status, response.headers.get('hoop-error')]).toEqual([403, 'policy_denied']);
    expect(await response.json()).toMatchObject({ code: 'policy_denied', rule: 'nobody deletes' });
    const error = await failure(fetch(`${payments}/v1/customers/7`, { method: 'DELETE', hoop: { onDenied: 'throw' } }));
    expect(error).toBeInstanceOf(HoopDeniedError);
    expect(error).toMatchObject({ code: 'policy_denied', callId: expect.stringMatching(/^call_/) });
    expect(seen).toHaveLength(before);
  });

  test('is told which context a refund lacks, and sends it with that context', async () => {
    const init = { method: 'POST', body: JSON.stringify({ amount: 7 }), headers: { 'content-type': 'application/json' } };
    const refused = await fetch(`${payments}/v1/refunds`, init);
    expect([refused.status, refused.headers.get('hoop-error')]).toEqual([403, 'context_required']);
    const sent = await fetch(`${payments}/v1/refunds`, { ...init, hoop: { context: { ticket: 'OPS-12' } } });
    expect(await sent.json()).toEqual({ id: 're_1', object: 'refund' });
    expect(seen.at(-1)!.body).toBe('{"amount":7}');
  });

  test('is refused a URL until a connection serves it', async () => {
    const other = await serve((_request, response) => answerJson(response, 200, { other: true }));
    const late = createFetch({ url: hoop.url, token: () => hoop.identityToken() });
    expect(await failure(late(`${other}/x`))).toBeInstanceOf(HoopTargetError);
    await hoop.connect('other', other, [{ name: 'all', effect: 'allow' }]);
    const fresh = createFetch({ url: hoop.url, token: () => hoop.identityToken() });
    expect(await (await fresh(`${other}/x`)).json()).toEqual({ other: true });
  });

  test('meets a network error where the target cannot be reached', async () => {
    const gone = 'http://127.0.0.1:1';
    await hoop.connect('gone', gone, [{ name: 'all', effect: 'allow' }]);
    const error = (await failure(createFetch({ url: hoop.url, token: () => hoop.identityToken() })(`${gone}/x`))) as TypeError;
    expect([error.name, error.message]).toEqual(['TypeError', 'fetch failed']);
    expect(error.cause).toBeInstanceOf(HoopRelayError);
    expect(error.cause).toMatchObject({ code: 'target_unreachable' });
  });

  test('is told why its token is not taken', async () => {
    const call = async (claims: Record<string, unknown>): Promise<unknown> =>
      failure(createFetch({ url: hoop.url, token: () => hoop.identityToken(claims) })(`${payments}/v1/customers`));
    expect(await call({ repository: 'acme/other' })).toMatchObject({ name: 'HoopExchangeError', code: 'identity_unmatched' });
    expect(await call({ aud: 'elsewhere' })).toMatchObject({ name: 'HoopExchangeError', code: 'token_audience_mismatch' });
    expect(await call({ exp: Math.floor(Date.now() / 1000) - 3600 })).toMatchObject({ name: 'HoopExchangeError', code: 'token_expired' });
  });

  test('gets a new grant by itself where its grant was revoked', async () => {
    let grants = 0;
    const revoking = createFetch({
      url: hoop.url,
      token: async () => {
        grants++;
        return hoop.identityToken();
      },
    });
    expect((await revoking(`${payments}/v1/customers`)).status).toBe(200);
    await hoop.change('POST', '/v1/identities/nightly/revoke-grants');
    expect((await revoking(`${payments}/v1/customers`)).status).toBe(200);
    expect(grants).toBe(2);
  });
});

describe('client libraries', () => {
  test('OpenAI works, and takes a refusal for an error with its reason', async () => {
    const client = new OpenAI({ apiKey: 'held-by-hoop', baseURL: `${payments}/v1`, fetch, maxRetries: 0 });
    const completion = await client.chat.completions.create({ model: 'm', messages: [] });
    expect([completion.choices[0]!.message.content, seen.at(-1)!.authorization]).toEqual(['Hello', 'Bearer payments-secret']);
    const error = await failure(client.files.delete('file-1'));
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(error).toMatchObject({ status: 403, message: expect.stringContaining('Customers are closed in the back office.') });
  });

  test('Stripe works, and takes a refusal for an error with its reason', async () => {
    const { hostname, port } = new URL(payments);
    const client = new Stripe('sk_test_held_by_hoop', {
      host: hostname,
      port: Number(port),
      protocol: 'http',
      maxNetworkRetries: 0,
      telemetry: false,
      httpClient: Stripe.createFetchHttpClient(fetch),
    });
    expect((await client.customers.list()).data).toEqual([{ id: 'cus_1' }]);
    expect(await failure(client.customers.del('cus_1'))).toMatchObject({
      statusCode: 403,
      code: 'policy_denied',
      message: expect.stringContaining('Customers are closed in the back office.'),
    });
  });
});

test('HoopExchangeError is what the README says: a TypeError', () => {
  expect(new HoopExchangeError('x')).toBeInstanceOf(TypeError);
});
