import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { everyRole, flagQuery, listQuery, pageOf, timeSchema } from './wire.ts';

const tag = 'Admin tokens';
const path = '/v1/admin-tokens/{tokenId}';
const params = z.object({ tokenId: idSchema('admin_token') });
const principalSchema = z.string().regex(/^[A-Za-z0-9._@-]{1,100}$/, 'must be 1 to 100 of A-Z a-z 0-9 . _ @ -');

export const roleSchema = z.enum(['admin', 'operator', 'approver', 'auditor', 'break_glass']);
export const adminTokenInputSchema = z.strictObject({
  name: z.string().min(1).max(100),
  role: roleSchema,
  /** The person behind it, as in `user:NAME` of approval rules. */
  user: principalSchema.optional(),
  /** As in `group:NAME` of approval rules. @default [] */
  groups: z.array(principalSchema).max(50).default([]),
  /** Seconds from now. @default 90 days */
  expiresInSeconds: z.int().min(60).max(31_622_400).default(7_776_000),
});
export const adminTokenSchema = z.object({
  id: idSchema('admin_token'),
  name: z.string(),
  role: roleSchema,
  user: z.string().nullable(),
  groups: z.array(z.string()),
  createdBy: z.string(),
  createdAt: timeSchema,
  /** Null: the bootstrap token, which does not expire. */
  expiresAt: timeSchema.nullable(),
  revokedAt: timeSchema.nullable(),
  lastUsedAt: timeSchema.nullable(),
});
export type AdminToken = z.infer<typeof adminTokenSchema>;
export const createdAdminTokenSchema = adminTokenSchema.extend({
  /** Shown this once; null where the answer is repeated for the same `Idempotency-Key`. */
  token: z.string().nullable(),
});

export const createAdminToken = defineOperation({
  id: 'createAdminToken',
  method: 'POST',
  path: '/v1/admin-tokens',
  tag,
  audience: ['admin'],
  summary: 'Make a token for a person or a program',
  body: adminTokenInputSchema,
  status: 201,
  returns: ['Location'],
  response: createdAdminTokenSchema,
  idempotent: true,
  errors: [],
});
export const listAdminTokens = defineOperation({
  id: 'listAdminTokens',
  method: 'GET',
  path: '/v1/admin-tokens',
  tag,
  audience: ['admin'],
  summary: 'List tokens, without the tokens themselves',
  query: listQuery({ role: roleSchema.optional(), revoked: flagQuery.optional() }),
  status: 200,
  response: pageOf(adminTokenSchema),
  errors: [],
});
export const getCurrentAdminToken = defineOperation({
  id: 'getCurrentAdminToken',
  method: 'GET',
  path: '/v1/admin-tokens/current',
  tag,
  audience: everyRole,
  summary: 'Get the caller of this request',
  status: 200,
  response: adminTokenSchema,
  errors: [],
});
export const getAdminToken = defineOperation({
  id: 'getAdminToken',
  method: 'GET',
  path,
  tag,
  audience: ['admin'],
  summary: 'Get a token, without the token itself',
  params,
  status: 200,
  response: adminTokenSchema,
  errors: ['not_found'],
});
export const revokeAdminToken = defineOperation({
  id: 'revokeAdminToken',
  method: 'POST',
  path: `${path}/revoke`,
  tag,
  audience: ['admin'],
  summary: 'Revoke a token; the last that can administer cannot be revoked',
  params,
  status: 200,
  response: adminTokenSchema,
  errors: ['not_found', 'conflict'],
});
