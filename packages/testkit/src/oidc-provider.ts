/** The real `oidc-provider`, set up to give machines JWT access tokens by client credentials (RFC 6749 §4.4, RFC 9068). */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { exportJWK, generateKeyPair } from 'jose';

export interface TestOidcProvider {
  readonly issuer: string;
  /** A JWT for `audience` with `claims` beside the standard ones. */
  token(claims?: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

export interface TestOidcProviderOptions {
  /** @default "hoop" */
  readonly audience?: string;
  /** @default 300 */
  readonly ttlSeconds?: number;
}

export async function startOidcProvider(options: TestOidcProviderOptions = {}): Promise<TestOidcProvider> {
  const { audience = 'hoop', ttlSeconds = 300 } = options;
  // Only some tests need the provider, and to load it costs each test file a third of a second.
  const { default: Provider } = await import('oidc-provider');
  const resource = 'urn:hoop:test';
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let claims: Record<string, unknown> = {};
  const clientSecret = crypto.randomUUID();

  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'machine',
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'only', alg: 'ES256', use: 'sig' }] },
    extraTokenClaims: () => claims,
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        getResourceServerInfo: () => ({
          audience,
          scope: 'machine',
          accessTokenTTL: ttlSeconds,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    scopes: ['machine'],
  });
  const handle = provider.callback();
  server.on('request', (request, response) => void handle(request, response));

  return {
    issuer,
    token: async (wanted = {}) => {
      claims = wanted;
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`machine:${clientSecret}`).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'machine' }),
      });
      const body = (await response.json()) as { access_token?: string };
      if (body.access_token === undefined) throw new Error(`The provider gave no token: ${JSON.stringify(body)}`);
      return body.access_token;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
