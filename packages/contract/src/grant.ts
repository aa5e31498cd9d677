/** The grant: a signed JWT (EdDSA, `typ` `hoop-grant+jwt`) that an identity gets by token exchange and presents to the relay. */
import { z } from 'zod';

import { idSchema } from './ids.ts';

export const grantType = 'hoop-grant+jwt';
/** RFC 8693 §2.1. */
export const tokenExchangeGrantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const jwtTokenType = 'urn:ietf:params:oauth:token-type:jwt';
export const idTokenType = 'urn:ietf:params:oauth:token-type:id_token';
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** Seconds that a grant lives at most; never beyond its subject token. */
export const grantMaxSeconds = 300;

export const grantClaimsSchema = z.object({
  iss: z.string(),
  /** The relay's audience. */
  aud: z.string(),
  /** The identity's id. */
  sub: idSchema('identity'),
  jti: idSchema('grant'),
  iat: z.int(),
  exp: z.int(),
  /** Ids of the connections that it is good for, 1–100. */
  connections: z.array(idSchema('connection')).min(1).max(100),
  /** Issuer, subject and claims of the subject token: what conditions see as `identity.*`. */
  subject: z.object({
    issuer: z.string(),
    subject: z.string(),
    claims: z.record(z.string(), z.unknown()),
    /**
     * The claims that policies of these connections read when the grant was issued: `claims` has those of them that the
     * token has, and no others. Absent: `claims` is all claims of the token.
     */
    claimNames: z.array(z.string()).optional(),
  }),
});
export type GrantClaims = z.infer<typeof grantClaimsSchema>;
