import { z } from 'zod';

/** Asymmetric signature algorithms that may be allow-listed (RFC 7518 §3.1, RFC 8037); never `none`, never HMAC. */
export const tokenAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export const identityProviderSettingsSchema = z.strictObject({
  kind: z.literal('oidc').default('oidc'),
  /** The exact `iss` of its tokens. */
  issuer: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .refine((issuer) => !/[?#]|\/\/[^/]*@/.test(issuer), 'must have no user info, query or fragment'),
  /** Where its keys are; absent: found by discovery at `issuer/.well-known/openid-configuration`. */
  jwksUri: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional(),
  /** `aud` must contain one of these. */
  audiences: z.array(z.string().min(1).max(512)).min(1).max(20),
  /** @default ["RS256","ES256"] */
  algorithms: z.array(z.enum(tokenAlgorithms)).min(1).default(['RS256', 'ES256']),
  /** A token issued longer ago is refused, even before its `exp`. @default 3600 */
  maxAgeSeconds: z.int().min(30).max(86_400).default(3600),
  /** Clock difference that is tolerated. @default 30 */
  clockToleranceSeconds: z.int().min(0).max(300).default(30),
  /** Private address ranges in which its endpoints may be. @default [] */
  allowedCidrs: z.array(z.string().max(64)).max(20).default([]),
});
export type IdentityProviderSettings = z.infer<typeof identityProviderSettingsSchema>;
