/**
 * How a target's credential is obtained at call time. The public part is stored as it is; secrets arrive once over
 * REST, are sealed at once to the relay's public key and are never returned.
 */
import { z } from 'zod';

import { tokenAlgorithms } from './identity-provider.ts';

const secretTextSchema = z.string().min(1).max(16_384);

/** Visible ASCII and spaces: what a header's value may hold everywhere (RFC 9110 §5.5). */
const headerText = /^[\x20-\x7e]*$/;
/** Headers that frame or route the request, or are the relay's own. */
const notInjectable = /^(?:host|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|proxy-.*|hoop-.*)$/i;

/** Where a secret goes. `{secret}` in a template stands for it. */
export const injectionSchema = z.discriminatedUnion('into', [
  z.strictObject({
    into: z.literal('header'),
    name: z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/)
      .refine((name) => !notInjectable.test(name), 'is a header that a credential cannot be in')
      .default('authorization'),
    /** @default "Bearer {secret}" */
    template: z.string().max(1024).includes('{secret}').regex(headerText, 'must be visible ASCII').default('Bearer {secret}'),
  }),
  z.strictObject({
    into: z.literal('query'),
    name: z.string().min(1).max(100),
    template: z.string().max(1024).includes('{secret}').default('{secret}'),
  }),
  /** RFC 7617. The secret is the password. */
  z.strictObject({
    into: z.literal('basic'),
    username: z
      .string()
      .max(256)
      .regex(/^[^:]*$/),
  }),
]);
export type Injection = z.infer<typeof injectionSchema>;

const endpointSchema = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .refine((url) => !/#|\/\/[^/]*@/.test(url), 'must have no user info or fragment');

export const credentialSourceSettingsSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('static'), injection: injectionSchema }),
  z.strictObject({
    type: z.literal('oauth2_client_credentials'),
    tokenUrl: endpointSchema,
    /** Where access tokens are revoked once the relay needs them no more (RFC 7009). Absent: they live to their end. */
    revocationUrl: endpointSchema.optional(),
    clientId: z.string().min(1).max(256),
    /** How the client authenticates: RFC 6749 §2.3.1 or RFC 7523 §2.2. @default "client_secret_basic" */
    clientAuthentication: z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt']).default('client_secret_basic'),
    scope: z.string().max(1024).optional(),
    audience: z.string().max(1024).optional(),
    /** RFC 8707. */
    resource: z.string().max(2048).optional(),
    /** `private_key_jwt`: the `aud` of the assertion. @default the token URL */
    assertionAudience: z.string().min(1).max(2048).optional(),
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

/** Lists the faults of secrets under these settings; empty where there are none. Messages never quote a secret. */
export function findSecretProblems(
  settings: CredentialSourceSettings,
  secrets: CredentialSecrets,
): { path: keyof CredentialSecrets; message: string }[] {
  const wanted = wantedSecret(settings);
  const problems: { path: keyof CredentialSecrets; message: string }[] = [];
  for (const path of Object.keys(credentialSecretsSchema.shape) as (keyof CredentialSecrets)[]) {
    if (path === wanted && secrets[path] === undefined) problems.push({ path, message: 'is needed for this credential source' });
    if (path !== wanted && secrets[path] !== undefined) problems.push({ path, message: 'is not used by this credential source' });
  }
  const { secret, privateKey } = secrets;
  if (wanted === 'secret' && secret !== undefined) {
    if (settings.injection.into === 'header' && (!headerText.test(secret) || secret.trim() !== secret)) {
      problems.push({ path: 'secret', message: 'must be visible ASCII without spaces around it, as it goes into a header' });
    } else if (/[\0\r\n]/.test(secret)) {
      problems.push({ path: 'secret', message: 'must not have line ends or NULs in it' });
    }
  }
  if (wanted === 'privateKey' && privateKey !== undefined) {
    const { kty, alg, d } = privateKey;
    const isUsable =
      (kty === 'RSA' || kty === 'EC' || kty === 'OKP') && typeof d === 'string' && tokenAlgorithms.some((one) => one === alg);
    if (!isUsable)
      problems.push({
        path: 'privateKey',
        message: `must be a private JWK (RSA, EC or OKP) whose alg is one of ${tokenAlgorithms.join(', ')}`,
      });
  }
  return problems;
}

function wantedSecret(settings: CredentialSourceSettings): keyof CredentialSecrets {
  if (settings.type === 'static') return 'secret';
  return settings.clientAuthentication === 'private_key_jwt' ? 'privateKey' : 'clientSecret';
}
