/** The calls of README.md with the typed client: `npm run check` compiles them, and `readme-calls.test.ts` holds the two against each other. */
import type { Client } from '@hoop/client';

export async function readmeCalls(api: Client): Promise<void> {
  await api.call('createIdentity', {
    body: { name: 'my-function', provider: 'company', owner: 'me', match: 'claims.repository == "acme/my-function"' },
  });
  await api.call('createConnection', {
    body: { name: 'mine', target: 'http://127.0.0.1:9000', allowedCidrs: ['127.0.0.0/8'], identities: ['my-function'] },
  });
  await api.call('putCredentialSource', {
    params: { connection: 'mine' },
    headers: { 'if-none-match': '*' },
    body: {
      settings: { type: 'static', injection: { into: 'header', name: 'x-api-key', template: '{secret}' } },
      secrets: { secret: 'the-real-key' },
    },
  });
  await api.call('putPolicy', {
    params: { connection: 'mine' },
    headers: { 'if-none-match': '*' },
    body: {
      rules: [{ name: 'read', effect: 'allow', match: { methods: ['GET'] } }],
      mask: [{ key: 'email', action: 'redact' }],
    },
  });
  await api.call('listCalls', { query: { connection: 'mine' } });
  await api.call('createIdentityProvider', {
    body: { name: 'github-actions', issuer: 'https://token.actions.githubusercontent.com', audiences: ['https://hoop.example.com'] },
  });
}
