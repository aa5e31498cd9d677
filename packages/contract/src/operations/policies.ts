import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { maskRuleSchema, maskRulesSchema } from '../masking.ts';
import { defineOperation } from '../operation.ts';
import { approvalRuleSchema, decisionEffectSchema, rulesSchema } from '../policy.ts';
import { connectionParamsSchema } from './connections.ts';
import { editors, everyRole, listQuery, namedSchema, pageOf, referenceSchema, timeSchema } from './wire.ts';

const tag = 'Policies';
const path = '/v1/connections/{connection}/policy';
const params = connectionParamsSchema;

export const policyInputSchema = z.strictObject({
  rules: rulesSchema,
  /** @default [] */
  mask: maskRulesSchema.default([]),
  /** Why it changes; kept with the revision. */
  comment: z.string().max(1000).optional(),
});
export const policySchema = z.object({
  id: idSchema('policy'),
  connection: namedSchema('connection'),
  /** The ETag. */
  revision: z.int(),
  rules: rulesSchema,
  mask: maskRulesSchema,
  comment: z.string().nullable(),
  createdBy: z.string(),
  createdAt: timeSchema,
});
export type Policy = z.infer<typeof policySchema>;

export const putPolicy = defineOperation({
  id: 'putPolicy',
  method: 'PUT',
  path,
  tag,
  audience: editors,
  summary: 'Write the next revision of the policy of a connection',
  description: 'Conditions are type-checked. `If-None-Match: *` for the first, `If-Match` with the current revision after.',
  params,
  body: policyInputSchema,
  status: 200,
  response: policySchema,
  conditional: true,
  errors: ['not_found', 'policy_invalid', 'too_costly'],
});
export const getPolicy = defineOperation({
  id: 'getPolicy',
  method: 'GET',
  path,
  tag,
  audience: everyRole,
  summary: 'Get the policy in force',
  params,
  status: 200,
  returns: ['ETag'],
  response: policySchema,
  errors: ['not_found'],
});
export const listPolicyRevisions = defineOperation({
  id: 'listPolicyRevisions',
  method: 'GET',
  path: `${path}/revisions`,
  tag,
  audience: everyRole,
  summary: 'List the revisions of a policy, newest first',
  params,
  query: listQuery({}),
  status: 200,
  response: pageOf(policySchema),
  errors: ['not_found'],
});
export const getPolicyRevision = defineOperation({
  id: 'getPolicyRevision',
  method: 'GET',
  path: `${path}/revisions/{revision}`,
  tag,
  audience: everyRole,
  summary: 'Get one revision of a policy',
  params: params.extend({ revision: z.coerce.number().int().min(1).max(2_147_483_647) }),
  status: 200,
  response: policySchema,
  errors: ['not_found'],
});

export const policyErrorSchema = z.object({ path: z.string(), message: z.string() });
export const validatePolicy = defineOperation({
  id: 'validatePolicy',
  method: 'POST',
  path: '/v1/policies/validate',
  tag,
  audience: everyRole,
  summary: 'Check a policy without saving it',
  body: policyInputSchema.omit({ comment: true }),
  status: 200,
  response: z.object({ valid: z.boolean(), errors: z.array(policyErrorSchema) }),
  errors: ['too_costly'],
});

export const findingSchema = z.object({
  code: z.string(),
  /** `warning`: probably a mistake or a risk; `notice`: worth a look. */
  severity: z.enum(['warning', 'notice']),
  /** The rules that it is about, by name; empty where it is about the whole. */
  rules: z.array(z.string()),
  /** e.g. `rules[2]`, or `rules`. */
  path: z.string(),
  /** A sentence that says what to do. */
  message: z.string(),
});
const policyOrConnection = z.union([
  z.strictObject({ connection: referenceSchema('connection') }),
  policyInputSchema.omit({ comment: true }),
]);
export const lintPolicy = defineOperation({
  id: 'lintPolicy',
  method: 'POST',
  path: '/v1/policies/lint',
  tag,
  audience: everyRole,
  summary: 'Find probable mistakes: allow-all, unreachable rules, writes without an approval',
  body: policyOrConnection,
  status: 200,
  response: z.object({ findings: z.array(findingSchema) }),
  errors: ['not_found', 'policy_invalid', 'too_costly'],
});

const textMap = z.record(z.string(), z.string());
export const describedRequestSchema = z.strictObject({
  connection: referenceSchema('connection'),
  /** A registered identity; absent: nobody in particular, with the claims that are given. */
  identity: referenceSchema('identity').optional(),
  /** Claims, issuer and subject as the token would carry them. */
  claims: z.record(z.string(), z.unknown()).default({}),
  issuer: z.string().max(2048).default(''),
  subject: z.string().max(2048).default(''),
  request: z.strictObject({
    method: z.string().regex(/^[A-Z]{1,20}$/, 'must be an upper-case HTTP method'),
    path: z.string().startsWith('/').max(8192),
    query: z.record(z.string(), z.array(z.string())).default({}),
    headers: textMap.default({}),
    /** JSON; absent: no body. */
    body: z.unknown().optional(),
  }),
  context: textMap.default({}),
  /** @default now */
  at: z.iso.datetime({ offset: true }).optional(),
  /** A policy to try instead of the one in force. */
  rules: rulesSchema.optional(),
  /** The masking of a policy that is tried; goes with `rules`. @default [] */
  mask: maskRulesSchema.optional(),
});
export const conditionPartSchema = z.object({
  /** As it is written in the condition. */
  expression: z.string(),
  outcome: z.enum(['true', 'false', 'error']),
  /** The value of each side that is not a literal; for bodies, headers and queries only the type. */
  seen: z.array(z.object({ expression: z.string(), value: z.string() })),
  error: z.string().optional(),
});
export const explainedRuleSchema = z.object({
  rule: z.string(),
  effect: decisionEffectSchema,
  outcome: z.enum(['matched', 'method_differs', 'path_differs', 'condition_false', 'condition_failed']),
  /** A sentence. */
  because: z.string(),
  /** Of the path pattern that matched. */
  params: z.record(z.string(), z.string()),
  condition: z.array(conditionPartSchema),
  context: z.array(z.object({ key: z.string(), pattern: z.string(), met: z.boolean() })),
});
export const appliedMaskSchema = z.object({
  /** The policy rule that it belongs to; null: the policy itself. */
  rule: z.string().nullable(),
  mask: maskRuleSchema,
  /** In words. */
  explanation: z.string(),
  /** False: the identity is exempt by its `unless`. */
  applies: z.boolean(),
});
export const explanationSchema = z.object({
  effect: decisionEffectSchema,
  rule: z.string().nullable(),
  reason: z.string(),
  /** A sentence: what would allow it. */
  allowedBy: z.string(),
  policyId: idSchema('policy').nullable(),
  policyRevision: z.int().nullable(),
  matchedRules: z.array(z.string()),
  missingContext: z.array(z.object({ key: z.string(), pattern: z.string() })),
  approvals: z.array(z.object({ rule: z.string(), approval: approvalRuleSchema })),
  /** Why it is refused although no rule says so. */
  error: z.string().nullable(),
  rules: z.array(explainedRuleSchema),
  /** The masking of the response, if the call were sent: by the policy, and by the rules that match the call. */
  masking: z.array(appliedMaskSchema),
  /** Values that are not known, e.g. a recorded body that was masked. */
  caveats: z.array(z.string()),
});
export type Explanation = z.infer<typeof explanationSchema>;
export const explainDecision = defineOperation({
  id: 'explainDecision',
  method: 'POST',
  path: '/v1/policies/explain',
  tag,
  audience: everyRole,
  summary: 'Explain a decision: by which rule, why, and what would allow the request',
  description:
    'For a described request, or for a recorded call (`{"call": "call_…"}`), which is explained by the policy revision that decided it.',
  body: z.union([z.strictObject({ call: idSchema('call') }), describedRequestSchema]),
  status: 200,
  response: explanationSchema,
  errors: ['not_found', 'policy_invalid', 'too_costly'],
});
