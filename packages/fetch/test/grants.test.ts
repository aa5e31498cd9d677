/** Grants on the product: many connections, large tokens, and a policy that begins to read another claim. */
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createFetch, type HoopFetch } from '../src/index.ts';
import { type RealHoop, startRealHoop } from './real-hoop.ts';
import { answerJson, closeServers, serve } from './servers.ts';

let hoop: RealHoop;
let payments: string;
let exchanges = 0;
/** About 11 KB as a token. */
const large = { groups: Array.from({ length: 420 }, (_, i) => `group-${i}-xxxxxxxxxx`), team: 'billing', ref: 'main' };
const makeFetch = (): HoopFetch =>
  createFetch({
    url: hoop.url,
    token: async () => {
      exchanges++;
      const token = await hoop.identityToken(large);
      expect(token.length).toBeGreaterThan(11_000);
      return token;
    },
  });
const readAs = (when?: string) => [{ name: 'read', effect: 'allow' as const, ...(when === undefined ? {} : { when }) }];

beforeAll(async () => {
  payments = await serve((request, response) => answerJson(response, 200, { url: request.url }));
  hoop = await startRealHoop();
  await hoop.connect('payments', payments, readAs('identity.claims.team == "billing"'));
});
afterAll(async () => {
  await hoop.close();
  await closeServers();
});

test('an 11 KB token works, and an identity with more than 100 connections', async () => {
  for (let i = 0; i < 105; i++)
    await hoop.ask('POST', '/v1/connections', {
      name: `many-${i}`,
      target: `${payments}/many/${i}`,
      identities: ['nightly'],
      allowedCidrs: ['127.0.0.0/8'],
    });
  await hoop.connect('last', `${payments}/many/last`, readAs());
  const fetch = makeFetch();
  for (const path of ['/v1/customers', '/many/last/x', '/v1/customers', '/many/last/x'])
    expect(await (await fetch(payments + path)).json()).toEqual({ url: path });
  // One that lists the connections of the origin, and one for each connection that was called.
  expect(exchanges).toBe(3);
});

test('a policy that begins to read another claim makes the next call exchange again, and no call fails', async () => {
  const fetch = makeFetch();
  const read = async (init: RequestInit = {}): Promise<number> =>
    (await fetch(`${payments}/v1/customers`, { ...init, hoop: { connection: 'payments' } } as RequestInit)).status;
  expect(await read()).toBe(200);
  const before = exchanges;
  await hoop.change('PUT', '/v1/connections/payments/policy', { rules: readAs('identity.claims.ref == "main"') }, { 'if-match': '*' });
  expect(await Promise.all([read(), read({ method: 'POST', body: 'text' }), read()])).toEqual([200, 200, 200]);
  expect(exchanges).toBe(before + 1);
  await hoop.change('PUT', '/v1/connections/payments/policy', { rules: readAs('identity.claims.ref == "dev"') }, { 'if-match': '*' });
  expect(await read()).toBe(403);
  expect(exchanges).toBe(before + 1);
});
