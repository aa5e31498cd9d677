import { z } from 'zod';

import { accessTokenType, idTokenType, jwtTokenType, tokenExchangeGrantType } from '../grant.ts';
import { idSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { editors, everyRole, timeSchema } from './wire.ts';

const tag = 'OAuth';
const oneOrMore = z.union([z.string().max(2048), z.array(z.string().max(2048)).max(100)]).optional();

/** RFC 8693 §2.1. Other parameters are ignored, as RFC 6749 §3.2 asks. */
export const tokenRequestSchema = z.object({
  /** `urn:ietf:params:oauth:grant-type:token-exchange` */
  grant_type: z.string().max(200),
  /** The token that the platform or the identity provider gave the function. */
  subject_token: z.string().max(16_384).optional(),
  /** `…:jwt`, `…:id_token` or `…:access_token` (a JWT). */
  subject_token_type: z.string().max(200).optional(),
  requested_token_type: z.string().max(200).optional(),
  /** Names of connections, separated by spaces: narrows the grant. */
  scope: z.string().max(8192).optional(),
  /** URLs under a target, or above some (an origin: all targets at it), or connections' names: narrows the grant (RFC 8707). */
  resource: oneOrMore,
  /** The relay's audience, where it is given. */
  audience: oneOrMore,
  actor_token: z.string().max(16_384).optional(),
});
export const subjectTokenTypes: readonly string[] = [jwtTokenType, idTokenType, accessTokenType];

/** Connections that the identity may use, for clients that have to choose among them. */
export const knownConnectionsSchema = z.object({
  /** By name; the first 1000. */
  connections: z.array(z.object({ name: z.string(), target: z.string() })),
  /** False: there are more than are listed. */
  isComplete: z.boolean(),
});
export type KnownConnections = z.infer<typeof knownConnectionsSchema>;

/** RFC 8693 §2.2.1, and what the SDK needs to find its way. */
export const tokenResponseSchema = z.object({
  access_token: z.string(),
  issued_token_type: z.literal(jwtTokenType),
  token_type: z.literal('Bearer'),
  expires_in: z.int(),
  /** Names of the connections that the grant is good for, separated by spaces. */
  scope: z.string(),
  hoop_connections: z.array(z.object({ name: z.string(), target: z.string() })),
  /** All that the identity may use. Where `resource` narrowed the grant; refusals of a choice carry it too. */
  hoop_known_connections: knownConnectionsSchema.optional(),
  /** Where the relay is. */
  hoop_relay_url: z.url(),
});
export type TokenResponse = z.infer<typeof tokenResponseSchema>;

export const exchangeToken = defineOperation({
  id: 'exchangeToken',
  method: 'POST',
  path: '/oauth/token',
  tag,
  audience: 'public',
  summary: 'Exchange a token of an identity provider for a grant (RFC 8693)',
  description:
    'Refusals carry `error` and `error_description` (RFC 6749 §5.2) beside the members of a problem document; `code` names what failed. Their status is 400, or 503 where a dependency is down.',
  body: tokenRequestSchema,
  bodyType: 'application/x-www-form-urlencoded',
  status: 200,
  response: tokenResponseSchema,
  errors: [
    'unsupported_grant_type',
    'token_missing',
    'token_malformed',
    'token_algorithm_refused',
    'token_issuer_unknown',
    'token_audience_mismatch',
    'token_expired',
    'token_not_yet_valid',
    'token_too_old',
    'token_signature_invalid',
    'token_key_unknown',
    'token_key_ambiguous',
    'token_claim_missing',
    'identity_unmatched',
    'identity_ambiguous',
    'identity_disabled',
    'provider_disabled',
    'provider_unavailable',
    'connection_unknown',
    'too_many_connections',
  ],
});
export const revokeToken = defineOperation({
  id: 'revokeToken',
  method: 'POST',
  path: '/oauth/revoke',
  tag,
  audience: 'public',
  summary: 'Revoke a grant (RFC 7009)',
  description: 'Answers 200 for a token that is not a grant or is over already, as RFC 7009 §2.2 asks.',
  body: z.object({ token: z.string().min(1).max(16_384), token_type_hint: z.string().max(200).optional() }),
  bodyType: 'application/x-www-form-urlencoded',
  status: 200,
  errors: [],
});
/** A grant as it was issued. */
export const issuedGrantSchema = z.object({
  id: idSchema('grant'),
  identityId: idSchema('identity'),
  issuer: z.string(),
  subject: z.string(),
  /** All claims of the token that was exchanged; the grant itself carries those that policies read. */
  claims: z.record(z.string(), z.unknown()),
  connectionIds: z.array(idSchema('connection')),
  issuedAt: timeSchema,
  expiresAt: timeSchema,
});
export type IssuedGrant = z.infer<typeof issuedGrantSchema>;

export const getGrant = defineOperation({
  id: 'getGrant',
  method: 'GET',
  path: '/v1/grants/{grantId}',
  tag,
  audience: everyRole,
  summary: 'Get a grant by its id (`jti`), as calls show it, with all claims of the token that was exchanged for it',
  params: z.object({ grantId: idSchema('grant') }),
  status: 200,
  response: issuedGrantSchema,
  errors: ['not_found'],
});
export const revokeGrant = defineOperation({
  id: 'revokeGrant',
  method: 'POST',
  path: '/v1/grants/{grantId}/revoke',
  tag,
  audience: editors,
  summary: 'Revoke a grant by its id (`jti`), as calls show it',
  params: z.object({ grantId: idSchema('grant') }),
  status: 204,
  errors: [],
});

/** RFC 8414 §2. */
export const authorizationServerMetadataSchema = z.object({
  issuer: z.url(),
  token_endpoint: z.url(),
  revocation_endpoint: z.url(),
  jwks_uri: z.url(),
  grant_types_supported: z.tuple([z.literal(tokenExchangeGrantType)]),
  response_types_supported: z.array(z.string()),
  token_endpoint_auth_methods_supported: z.array(z.string()),
  revocation_endpoint_auth_methods_supported: z.array(z.string()),
  service_documentation: z.url(),
  hoop_relay_url: z.url(),
  /** Of the forward proxy, where it is told. */
  hoop_proxy_url: z.url().optional(),
});
export const getAuthorizationServerMetadata = defineOperation({
  id: 'getAuthorizationServerMetadata',
  method: 'GET',
  path: '/.well-known/oauth-authorization-server',
  tag,
  audience: 'public',
  summary: 'Authorization server metadata (RFC 8414)',
  status: 200,
  response: authorizationServerMetadataSchema,
  errors: [],
});
export const getJwks = defineOperation({
  id: 'getJwks',
  method: 'GET',
  path: '/.well-known/jwks.json',
  tag,
  audience: 'public',
  summary: 'The public keys that verify grants (RFC 7517)',
  status: 200,
  response: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
  responseType: 'application/jwk-set+json',
  errors: [],
});
