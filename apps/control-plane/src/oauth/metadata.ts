import { getAuthorizationServerMetadata as metadataOperation, getJwks as jwksOperation, tokenExchangeGrantType } from '@hoop/contract';

import { route } from '../http/route.ts';

const cacheable = { 'cache-control': 'public, max-age=300' };

/** RFC 8414 §3.2. */
export const getAuthorizationServerMetadata = route(metadataOperation, async ({ context }) => {
  const issuer = context.publicUrl();
  return {
    headers: cacheable,
    body: {
      issuer,
      token_endpoint: `${issuer}/oauth/token`,
      revocation_endpoint: `${issuer}/oauth/revoke`,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      grant_types_supported: [tokenExchangeGrantType] as [typeof tokenExchangeGrantType],
      response_types_supported: [],
      // The subject token is the caller's credential, and a grant is its own.
      token_endpoint_auth_methods_supported: ['none'],
      revocation_endpoint_auth_methods_supported: ['none'],
      service_documentation: `${issuer}/openapi.json`,
      hoop_relay_url: context.config.relayPublicUrl,
      ...(context.config.proxyPublicUrl === undefined ? {} : { hoop_proxy_url: context.config.proxyPublicUrl }),
    },
  };
});

export const getJwks = route(jwksOperation, async ({ context }) => ({
  headers: cacheable,
  body: context.keys.grantPublic as { keys: Record<string, unknown>[] },
}));
