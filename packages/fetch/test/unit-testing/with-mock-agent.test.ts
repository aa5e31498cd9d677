import { createFetch } from '@hoop/fetch';
import { fetch as undiciFetch, MockAgent } from 'undici';
import { afterAll, expect, test } from 'vitest';

const agent = new MockAgent();
agent.disableNetConnect();
agent
  .get('https://hoop.test')
  .intercept({ path: '/oauth/token', method: 'POST' })
  .reply(
    200,
    {
      access_token: 'grant',
      expires_in: 300,
      hoop_relay_url: 'https://relay.test',
      hoop_connections: [{ name: 'payments', target: 'https://api.payments.example' }],
    },
    { headers: { 'content-type': 'application/json' } },
  );
agent
  .get('https://relay.test')
  .intercept({ path: '/payments/v1/customers', method: 'GET' })
  .reply(200, [{ id: 'cus_1' }], { headers: { 'content-type': 'application/json' } });

// The fetch of the same undici as the agent; with `setGlobalDispatcher(agent)` the platform's can do, where it is as new.
const carrier = ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher: agent })) as unknown as typeof globalThis.fetch;
const fetch = createFetch({ url: 'https://hoop.test', token: () => 'identity-token', fetch: carrier });

afterAll(() => agent.close());

test('the function reads customers', async () => {
  const customers = await fetch('https://api.payments.example/v1/customers');
  expect(await customers.json()).toEqual([{ id: 'cus_1' }]);
  agent.assertNoPendingInterceptors();
});
