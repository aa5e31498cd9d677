import { createHash } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { startPaymentsApi, type PaymentsApi } from './payments.ts';

let api: PaymentsApi;
let now = Date.UTC(2026, 0, 1);

beforeEach(async () => {
  api = await startPaymentsApi({
    host: '127.0.0.1',
    port: 0,
    clientId: 'hoop',
    clientSecretDigest: createHash('sha256').update('secret').digest('hex'),
    now: () => now,
  });
});
afterEach(() => api.close());

async function token(secret = 'secret'): Promise<Response> {
  return fetch(`${api.url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`hoop:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
}
const accessToken = async (): Promise<string> => ((await (await token()).json()) as { access_token: string }).access_token;
const customers = (credential: string): Promise<Response> => fetch(`${api.url}/v1/customers`, { headers: { authorization: credential } });

describe('the payments API', () => {
  test('accepts a token for 60 seconds and not one millisecond longer', async () => {
    const credential = `Bearer ${await accessToken()}`;
    now += 59_999;
    expect((await customers(credential)).status).toBe(200);
    now += 1;
    expect((await customers(credential)).status).toBe(401);
  });

  test('refuses everything else', async () => {
    expect((await token('wrong')).status).toBe(401);
    for (const credential of ['', 'Bearer nonsense', `Basic ${Buffer.from('hoop:secret').toString('base64')}`]) {
      expect((await customers(credential)).status, credential).toBe(401);
    }
  });

  test('shows what it received, the credential as a fingerprint', async () => {
    const credential = await accessToken();
    await customers(`Bearer ${credential}`);
    const text = await (await fetch(`${api.url}/received`)).text();
    expect(text).not.toContain(credential);
    expect(JSON.parse(text)).toMatchObject({
      count: 1,
      requests: [
        {
          method: 'GET',
          path: '/v1/customers',
          isAccepted: true,
          credentialFingerprint: createHash('sha256').update(credential).digest('hex').slice(0, 16),
        },
      ],
    });
  });
});
