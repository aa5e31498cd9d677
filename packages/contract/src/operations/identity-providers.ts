import { z } from 'zod';

import { identityProviderSettingsSchema } from '../identity-provider.ts';
import { idSchema, nameSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { editors, everyRole, flagQuery, listQuery, pageOf, patchOf, referenceSchema, registered } from './wire.ts';

const tag = 'Identity providers';
const path = '/v1/identity-providers/{provider}';
const params = z.object({ provider: referenceSchema('identity_provider') });

export const identityProviderInputSchema = identityProviderSettingsSchema.extend({
  name: nameSchema,
  disabled: z.boolean().default(false),
});
export const identityProviderPatchSchema = patchOf(identityProviderInputSchema.shape);
export const identityProviderSchema = z.object({
  id: idSchema('identity_provider'),
  name: z.string(),
  disabled: z.boolean(),
  ...identityProviderSettingsSchema.shape,
  ...registered,
});
export type IdentityProvider = z.infer<typeof identityProviderSchema>;

export const createIdentityProvider = defineOperation({
  id: 'createIdentityProvider',
  method: 'POST',
  path: '/v1/identity-providers',
  tag,
  audience: editors,
  summary: 'Register an issuer whose tokens are accepted',
  body: identityProviderInputSchema,
  status: 201,
  returns: ['ETag', 'Location'],
  response: identityProviderSchema,
  idempotent: true,
  errors: ['name_taken', 'conflict', 'target_refused'],
});
export const listIdentityProviders = defineOperation({
  id: 'listIdentityProviders',
  method: 'GET',
  path: '/v1/identity-providers',
  tag,
  audience: everyRole,
  summary: 'List identity providers',
  query: listQuery({ disabled: flagQuery.optional() }),
  status: 200,
  response: pageOf(identityProviderSchema),
  errors: [],
});
export const getIdentityProvider = defineOperation({
  id: 'getIdentityProvider',
  method: 'GET',
  path,
  tag,
  audience: everyRole,
  summary: 'Get an identity provider',
  params,
  status: 200,
  returns: ['ETag'],
  response: identityProviderSchema,
  errors: ['not_found'],
});
export const updateIdentityProvider = defineOperation({
  id: 'updateIdentityProvider',
  method: 'PATCH',
  path,
  tag,
  audience: editors,
  summary: 'Change an identity provider',
  params,
  body: identityProviderPatchSchema,
  status: 200,
  response: identityProviderSchema,
  conditional: true,
  errors: ['not_found', 'name_taken', 'conflict', 'target_refused'],
});
export const deleteIdentityProvider = defineOperation({
  id: 'deleteIdentityProvider',
  method: 'DELETE',
  path,
  tag,
  audience: editors,
  summary: 'Delete an identity provider that no identity uses',
  params,
  status: 204,
  errors: ['not_found', 'in_use'],
});
