import { z } from 'zod';

import { idSchema, nameSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { nothingUnmanaged, unmanagedSchema } from '../unmanaged.ts';
import { editors, everyRole, flagQuery, listQuery, namedSchema, pageOf, patchOf, referenceSchema, registered } from './wire.ts';

const tag = 'Identities';
const path = '/v1/identities/{identity}';
const params = z.object({ identity: referenceSchema('identity') });

const labelsSchema = z
  .record(z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,62})$/), z.string().max(256))
  .refine((labels) => Object.keys(labels).length <= 50, { message: 'must have at most 50 labels' });

export const identityInputSchema = z.strictObject({
  name: nameSchema,
  /** Id or name of an identity provider. */
  provider: referenceSchema('identity_provider'),
  /** A CEL condition of type bool over `claims`, `issuer` and `subject`. */
  match: z.string().min(1).max(4096),
  /** Who answers for it; as in `user:NAME` of approval rules. */
  owner: z.string().min(1).max(200),
  labels: labelsSchema.default({}),
  disabled: z.boolean().default(false),
  /** What the forward proxy does with hosts that no connection of the identity is for. */
  unmanaged: unmanagedSchema.default(nothingUnmanaged),
});
export const identityPatchSchema = patchOf(identityInputSchema.shape);
export const identitySchema = z.object({
  id: idSchema('identity'),
  name: z.string(),
  provider: namedSchema('identity_provider'),
  match: z.string(),
  owner: z.string(),
  labels: z.record(z.string(), z.string()),
  disabled: z.boolean(),
  /** Unix seconds: grants issued before are refused. */
  grantsNotBefore: z.int(),
  unmanaged: unmanagedSchema,
  ...registered,
});
export type Identity = z.infer<typeof identitySchema>;

export const createIdentity = defineOperation({
  id: 'createIdentity',
  method: 'POST',
  path: '/v1/identities',
  tag,
  audience: editors,
  summary: 'Register a machine identity',
  body: identityInputSchema,
  status: 201,
  returns: ['ETag', 'Location'],
  response: identitySchema,
  idempotent: true,
  errors: ['name_taken', 'policy_invalid', 'not_found'],
});
export const listIdentities = defineOperation({
  id: 'listIdentities',
  method: 'GET',
  path: '/v1/identities',
  tag,
  audience: everyRole,
  summary: 'List identities',
  query: listQuery({
    provider: referenceSchema('identity_provider').optional(),
    owner: z.string().max(200).optional(),
    disabled: flagQuery.optional(),
  }),
  status: 200,
  response: pageOf(identitySchema),
  errors: [],
});
export const getIdentity = defineOperation({
  id: 'getIdentity',
  method: 'GET',
  path,
  tag,
  audience: everyRole,
  summary: 'Get an identity',
  params,
  status: 200,
  returns: ['ETag'],
  response: identitySchema,
  errors: ['not_found'],
});
export const updateIdentity = defineOperation({
  id: 'updateIdentity',
  method: 'PATCH',
  path,
  tag,
  audience: editors,
  summary: 'Change an identity',
  params,
  body: identityPatchSchema,
  status: 200,
  response: identitySchema,
  conditional: true,
  errors: ['not_found', 'name_taken', 'policy_invalid'],
});
export const deleteIdentity = defineOperation({
  id: 'deleteIdentity',
  method: 'DELETE',
  path,
  tag,
  audience: editors,
  summary: 'Delete an identity that no connection lists',
  params,
  status: 204,
  errors: ['not_found', 'in_use'],
});
export const disableIdentity = defineOperation({
  id: 'disableIdentity',
  method: 'POST',
  path: `${path}/disable`,
  tag,
  audience: editors,
  summary: 'Disable an identity at once: its grants stop working and its calls in flight are cut',
  params,
  status: 200,
  returns: ['ETag'],
  response: identitySchema,
  errors: ['not_found'],
});
export const enableIdentity = defineOperation({
  id: 'enableIdentity',
  method: 'POST',
  path: `${path}/enable`,
  tag,
  audience: editors,
  summary: 'Enable an identity again',
  params,
  status: 200,
  returns: ['ETag'],
  response: identitySchema,
  errors: ['not_found'],
});
export const revokeIdentityGrants = defineOperation({
  id: 'revokeIdentityGrants',
  method: 'POST',
  path: `${path}/revoke-grants`,
  tag,
  audience: editors,
  summary: 'Revoke every grant that the identity holds now; it may get new ones',
  params,
  status: 200,
  returns: ['ETag'],
  response: identitySchema,
  errors: ['not_found'],
});
