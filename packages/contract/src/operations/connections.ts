import { z } from 'zod';

import { connectionSettingsSchema } from '../connection.ts';
import { credentialSecretsSchema, credentialSourceSettingsSchema } from '../credential-source.ts';
import { idSchema, nameSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { editors, everyRole, flagQuery, listQuery, namedSchema, pageOf, patchOf, referenceSchema, registered, timeSchema } from './wire.ts';

const tag = 'Connections';
const path = '/v1/connections/{connection}';
export const connectionParamsSchema = z.object({ connection: referenceSchema('connection') });
const params = connectionParamsSchema;

export const connectionInputSchema = connectionSettingsSchema.extend({
  name: nameSchema,
  /** Ids or names of the identities that may use it. @default [] */
  identities: z.array(referenceSchema('identity')).max(1000).default([]),
  disabled: z.boolean().default(false),
});
export const connectionPatchSchema = patchOf(connectionInputSchema.shape);
export const connectionSchema = z.object({
  id: idSchema('connection'),
  name: z.string(),
  disabled: z.boolean(),
  ...connectionSettingsSchema.shape,
  identities: z.array(namedSchema('identity')),
  /** Whether it has them; each has a resource of its own. */
  credential: z.object({ id: idSchema('credential_source'), type: z.string() }).nullable(),
  policy: z.object({ id: idSchema('policy'), revision: z.int() }).nullable(),
  ...registered,
});
export type Connection = z.infer<typeof connectionSchema>;

export const createConnection = defineOperation({
  id: 'createConnection',
  method: 'POST',
  path: '/v1/connections',
  tag,
  audience: editors,
  summary: 'Register a target',
  description: 'Without a policy every call is denied; without a credential source nothing is injected.',
  body: connectionInputSchema,
  status: 201,
  returns: ['ETag', 'Location'],
  response: connectionSchema,
  idempotent: true,
  errors: ['name_taken', 'target_refused', 'not_found'],
});
export const listConnections = defineOperation({
  id: 'listConnections',
  method: 'GET',
  path: '/v1/connections',
  tag,
  audience: everyRole,
  summary: 'List connections',
  query: listQuery({ identity: referenceSchema('identity').optional(), disabled: flagQuery.optional() }),
  status: 200,
  response: pageOf(connectionSchema),
  errors: [],
});
export const getConnection = defineOperation({
  id: 'getConnection',
  method: 'GET',
  path,
  tag,
  audience: everyRole,
  summary: 'Get a connection',
  params,
  status: 200,
  returns: ['ETag'],
  response: connectionSchema,
  errors: ['not_found'],
});
export const updateConnection = defineOperation({
  id: 'updateConnection',
  method: 'PATCH',
  path,
  tag,
  audience: editors,
  summary: 'Change a connection',
  description:
    'While a credential is sealed to its hosts, the hosts and the scheme cannot change: delete the credential, change, and set it again.',
  params,
  body: connectionPatchSchema,
  status: 200,
  response: connectionSchema,
  conditional: true,
  errors: ['not_found', 'name_taken', 'target_refused', 'credential_bound_to_hosts'],
});
export const deleteConnection = defineOperation({
  id: 'deleteConnection',
  method: 'DELETE',
  path,
  tag,
  audience: editors,
  summary: 'Delete a connection that lists no identity; its credential goes with it, its policy revisions stay for the record',
  params,
  status: 204,
  errors: ['not_found', 'in_use'],
});
export const disableConnection = defineOperation({
  id: 'disableConnection',
  method: 'POST',
  path: `${path}/disable`,
  tag,
  audience: editors,
  summary: 'Disable a connection at once; its calls in flight are cut',
  params,
  status: 200,
  returns: ['ETag'],
  response: connectionSchema,
  errors: ['not_found'],
});
export const enableConnection = defineOperation({
  id: 'enableConnection',
  method: 'POST',
  path: `${path}/enable`,
  tag,
  audience: editors,
  summary: 'Enable a connection again',
  params,
  status: 200,
  returns: ['ETag'],
  response: connectionSchema,
  errors: ['not_found'],
});

const credentialTag = 'Credential sources';
export const credentialSourceInputSchema = z.strictObject({ settings: credentialSourceSettingsSchema, secrets: credentialSecretsSchema });
export const credentialSourceSchema = z.object({
  id: idSchema('credential_source'),
  connection: namedSchema('connection'),
  settings: credentialSourceSettingsSchema,
  /** The hosts that the secrets are sealed to. */
  hosts: z.array(z.string()),
  sealedAt: timeSchema,
  ...registered,
});
export type CredentialSource = z.infer<typeof credentialSourceSchema>;

export const putCredentialSource = defineOperation({
  id: 'putCredentialSource',
  method: 'PUT',
  path: `${path}/credential`,
  tag: credentialTag,
  audience: editors,
  summary: 'Set how the credential of a connection is obtained',
  description:
    'Secrets are write-only: sealed at once to the relay, never returned. Every change needs them again, so that nobody can redirect a secret that they do not know. `If-None-Match: *` for the first, `If-Match` after.',
  params,
  body: credentialSourceInputSchema,
  status: 200,
  response: credentialSourceSchema,
  conditional: true,
  errors: ['not_found', 'target_refused'],
});
export const getCredentialSource = defineOperation({
  id: 'getCredentialSource',
  method: 'GET',
  path: `${path}/credential`,
  tag: credentialTag,
  audience: everyRole,
  summary: 'Get the credential source of a connection, without its secrets',
  params,
  status: 200,
  returns: ['ETag'],
  response: credentialSourceSchema,
  errors: ['not_found'],
});
export const deleteCredentialSource = defineOperation({
  id: 'deleteCredentialSource',
  method: 'DELETE',
  path: `${path}/credential`,
  tag: credentialTag,
  audience: editors,
  summary: 'Delete the credential source of a connection',
  params,
  status: 204,
  errors: ['not_found'],
});
