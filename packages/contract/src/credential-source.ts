/**
 * How a target's credential is obtained at call time. The public part is stored as it is; secrets arrive once over
 * REST, are sealed at once to the relay's public key and are never returned.
 */
import { z } from 'zod';

const secretTextSchema = z.string().min(1).max(16_384);

/** Where a secret goes. `{secret}` in a template stands for it. */
export const injectionSchema = z.discriminatedUnion('into', [
  z.strictObject({
    into: z.literal('header'),
    name: z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/).default('authorization'),
    /** @default "Bearer {secret}" */
    template: z.string().max(1024).includes('{secret}').default('Bearer {secret}'),
  }),
  z.strictObject({ into: z.literal('query'), name: z.string().min(1).max(100), template: z.string().max(1024).includes('{secret}').default('{secret}') }),
  /** RFC 7617. The secret is the password. */
  z.strictObject({ into: z.literal('basic'), username: z.string().max(256).regex(/^[^:]*$/) }),
]);
export type Injection = z.infer<typeof injectionSchema>;

export const credentialSourceSettingsSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('static'), injection: injectionSchema }),
  z.strictObject({
    type: z.literal('oauth2_client_credentials'),
    tokenUrl: z.url({ protocol: /^https?$/ }).max(2048),
    clientId: z.string().min(1).max(256),
    /** How the client authenticates: RFC 6749 §2.3.1 or RFC 7523 §2.2. @default "client_secret_basic" */
    clientAuthentication: z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt']).default('client_secret_basic'),
    scope: z.string().max(1024).optional(),
    audience: z.string().max(1024).optional(),
    /** RFC 8707. */
    resource: z.string().max(2048).optional(),
    injection: injectionSchema.default(() => injectionSchema.parse({ into: 'header' })),
  }),
]);
export type CredentialSourceSettings = z.infer<typeof credentialSourceSettingsSchema>;

/** Write-only. Which member is needed follows from the settings. */
export const credentialSecretsSchema = z.strictObject({
  /** `static`. */
  secret: secretTextSchema.optional(),
  /** `client_secret_*`. */
  clientSecret: secretTextSchema.optional(),
  /** `private_key_jwt`: a private JWK (RFC 7517) with `alg`. */
  privateKey: z.record(z.string(), z.unknown()).optional(),
});
export type CredentialSecrets = z.infer<typeof credentialSecretsSchema>;
