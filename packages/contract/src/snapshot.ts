/**
 * The relay's knowledge: a revision of the control plane's configuration. Fetched whole once
 * (`GET /internal/relay/snapshot`), then as changes since a revision (`?since=N`), whenever the stream
 * `GET /internal/relay/changes` (SSE) announces a newer one. Carries no secret in the clear.
 */
import { z } from 'zod';

import { connectionSettingsSchema } from './connection.ts';
import { credentialSourceSettingsSchema } from './credential-source.ts';
import { identityProviderSettingsSchema } from './identity-provider.ts';
import { nothingUnmanaged, unmanagedSchema } from './unmanaged.ts';
import { idSchema } from './ids.ts';
import { maskRulesSchema } from './masking.ts';
import { rulesSchema } from './policy.ts';

const jwkSchema = z.record(z.string(), z.unknown());

export const providerSnapshotSchema = z.object({
  id: idSchema('identity_provider'),
  name: z.string(),
  disabled: z.boolean(),
  settings: identityProviderSettingsSchema,
});
export type ProviderSnapshot = z.infer<typeof providerSnapshotSchema>;

export const identitySnapshotSchema = z.object({
  id: idSchema('identity'),
  name: z.string(),
  providerId: idSchema('identity_provider'),
  /** A CEL condition over `claims`. */
  match: z.string(),
  owner: z.string(),
  labels: z.record(z.string(), z.string()),
  disabled: z.boolean(),
  /** Grants issued before this instant (seconds) are refused: set when grants of the identity are revoked. */
  grantsNotBefore: z.int(),
  unmanaged: unmanagedSchema.default(nothingUnmanaged),
});
export type IdentitySnapshot = z.infer<typeof identitySnapshotSchema>;

export const credentialSnapshotSchema = z.object({
  id: idSchema('credential_source'),
  revision: z.int(),
  settings: credentialSourceSettingsSchema,
  /** Compact JWE of the secrets, with connection id and hosts bound in (see @hoop/sealing). */
  sealed: z.string(),
});
export type CredentialSnapshot = z.infer<typeof credentialSnapshotSchema>;

export const connectionSnapshotSchema = z.object({
  id: idSchema('connection'),
  name: z.string(),
  disabled: z.boolean(),
  settings: connectionSettingsSchema,
  /** Ids of the identities that may use it. */
  identityIds: z.array(idSchema('identity')),
  credential: credentialSnapshotSchema.nullable(),
  policy: z.object({ id: idSchema('policy'), revision: z.int(), rules: rulesSchema, mask: maskRulesSchema }).nullable(),
});
export type ConnectionSnapshot = z.infer<typeof connectionSnapshotSchema>;

export const snapshotSchema = z.object({
  /** Rises by at least one with every change. */
  revision: z.int(),
  /** True: everything, replace what you have. False: changes since the revision that was asked for. */
  full: z.boolean(),
  /** `iss` of grants, and the keys that verify them. */
  grantIssuer: z.string(),
  grantAudience: z.string(),
  grantKeys: z.object({ keys: z.array(jwkSchema) }),
  /** Public JWK to which recorded bodies' data keys are wrapped. */
  recordingKey: jwkSchema,
  providers: z.array(providerSnapshotSchema),
  identities: z.array(identitySnapshotSchema),
  connections: z.array(connectionSnapshotSchema),
  /** Ids that are gone, of any of the three kinds. */
  removed: z.array(z.string()),
  /** Grants revoked before their end. */
  revokedGrants: z.array(z.object({ jti: z.string(), exp: z.int() })),
});
export type Snapshot = z.infer<typeof snapshotSchema>;
