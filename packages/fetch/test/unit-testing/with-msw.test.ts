import { fetch } from '@hoop/fetch';
import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, beforeAll, expect, test } from 'vitest';

const hoop = setupServer(
  // The token exchange: which connections there are, and where the relay is.
  http.post('https://hoop.test/oauth/token', () =>
    HttpResponse.json({
      access_token: 'grant',
      expires_in: 300,
      hoop_relay_url: 'https://relay.test',
      hoop_connections: [{ name: 'payments', target: 'https://api.payments.example' }],
    }),
  ),
  // The address that the function calls: https://api.payments.example/v1/… is RELAY/payments/v1/…
  http.get('https://relay.test/payments/v1/customers', () => HttpResponse.json([{ id: 'cus_1' }])),
  http.delete('https://relay.test/payments/v1/customers/cus_1', () =>
    HttpResponse.json({ code: 'policy_denied', status: 403 }, { status: 403, headers: { 'hoop-error': 'policy_denied' } }),
  ),
);

beforeAll(() => {
  process.env['HOOP_URL'] = 'https://hoop.test';
  process.env['HOOP_TOKEN'] = 'identity-token';
  hoop.listen({ onUnhandledFrame: 'error' });
});
afterAll(() => hoop.close());

test('the function reads customers, and may not delete one', async () => {
  const customers = await fetch('https://api.payments.example/v1/customers');
  expect(await customers.json()).toEqual([{ id: 'cus_1' }]);
  const denied = await fetch('https://api.payments.example/v1/customers/cus_1', { method: 'DELETE' });
  expect(denied.headers.get('hoop-error')).toBe('policy_denied');
});
