/** The identity provider of a company: gives each registered machine a signed JWT that says what it is. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import Provider from 'oidc-provider';
import type { Configuration } from 'oidc-provider';

export interface Machine {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Claims of its tokens beyond the standard ones, e.g. `repository` and `ref`. */
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface IdentityProviderOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly machines: readonly Machine[];
  /** Private JWKs (ES256) that sign tokens; kept by the caller, so that tokens outlive a restart. */
  readonly jwks: NonNullable<Configuration['jwks']>;
  /** Whom tokens may be meant for (`aud`): the values that a machine may ask for with `resource` (RFC 8707). The first is the default. */
  readonly audiences: readonly [string, ...string[]];
  /** @default 300 */
  readonly ttlSeconds?: number;
}

export interface IdentityProvider {
  readonly issuer: string;
  close(): Promise<void>;
}

export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const server = http.createServer();
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const issuer = `http://${options.host}:${(server.address() as AddressInfo).port}`;
  const claimsOf = new Map(options.machines.map(({ clientId, claims }) => [clientId, claims]));
  const ttlSeconds = options.ttlSeconds ?? 300;

  const provider = new Provider(issuer, {
    clients: options.machines.map(({ clientId, clientSecret }) => ({
      client_id: clientId,
      client_secret: clientSecret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
    })),
    jwks: options.jwks,
    scopes: ['machine'],
    ttl: { ClientCredentials: ttlSeconds },
    extraTokenClaims: (_context, token) => ({ ...claimsOf.get(token.clientId ?? '') }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => options.audiences[0],
        getResourceServerInfo: (_context, resource) => {
          if (!options.audiences.includes(resource)) throw new Error(`No token is issued for ${resource}.`);
          return {
            audience: resource,
            scope: 'machine',
            accessTokenTTL: ttlSeconds,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
    },
  });
  const handle = provider.callback();
  server.on('request', (request, response) => void handle(request, response));
  return {
    issuer,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
