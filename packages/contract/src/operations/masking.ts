import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { maskActionSchema, maskRulesSchema, maskSuggestionSchema } from '../masking.ts';
import { defineOperation } from '../operation.ts';
import { connectionParamsSchema } from './connections.ts';
import { policySchema } from './policies.ts';
import { editors, everyRole, listQuery, namedSchema, pageOf, referenceSchema, timeSchema } from './wire.ts';

export const tryMasking = defineOperation({
  id: 'tryMasking',
  method: 'POST',
  path: '/v1/masking/try',
  tag: 'Masking',
  audience: everyRole,
  summary: 'Try masking rules on a sample: before and after',
  description: 'The sample is neither stored nor logged.',
  body: z.strictObject({
    rules: maskRulesSchema,
    contentType: z.string().min(1).max(200).default('application/json'),
    sample: z.string().max(1_048_576),
    /** For rules with `unless`. */
    identity: referenceSchema('identity').optional(),
  }),
  status: 200,
  response: z.object({
    before: z.string(),
    /** Null where the response would be blocked. */
    after: z.string().nullable(),
    /** The error code with which it would be blocked. */
    blocked: z.object({ code: z.string(), detail: z.string() }).nullable(),
    maskedCount: z.int(),
    /** Values that were hidden whole because to look into them would have cost too much. */
    hiddenValues: z.int(),
    /** Each rule in words, in their order. */
    rules: z.array(z.object({ index: z.int(), explanation: z.string() })),
  }),
  errors: ['policy_invalid', 'not_found', 'too_costly'],
});

const suggestionsPath = '/v1/connections/{connection}/mask-suggestions';
const suggestionParams = connectionParamsSchema.extend({ suggestionId: idSchema('mask_suggestion') });

export const maskSuggestionStateSchema = z.enum(['open', 'accepted', 'dismissed']);
/** A finding of discovery on a connection: where, by which detector and how often, never the value. */
export const foundMaskSuggestionSchema = z.object({
  id: idSchema('mask_suggestion'),
  connection: namedSchema('connection'),
  /** JSONPath; `[*]` for every element, and for keys that are ids. */
  path: z.string(),
  detector: z.string(),
  /** In the sample that was looked at: a share of what there is. */
  count: z.int(),
  firstSeen: timeSchema,
  lastSeen: timeSchema,
  state: maskSuggestionStateSchema,
  decidedBy: z.string().nullable(),
  decidedAt: timeSchema.nullable(),
});
export type FoundMaskSuggestion = z.infer<typeof foundMaskSuggestionSchema>;

export const listMaskSuggestions = defineOperation({
  id: 'listMaskSuggestions',
  method: 'GET',
  path: suggestionsPath,
  tag: 'Masking',
  audience: everyRole,
  summary: 'Sensitive fields that a connection answers with and no rule covers, newest first',
  description: 'From a sample of the responses. An accepted or dismissed one goes on being counted and is not suggested again.',
  params: connectionParamsSchema,
  query: listQuery({ state: maskSuggestionStateSchema.optional() }),
  status: 200,
  response: pageOf(foundMaskSuggestionSchema),
  errors: ['not_found'],
});
export const acceptMaskSuggestion = defineOperation({
  id: 'acceptMaskSuggestion',
  method: 'POST',
  path: `${suggestionsPath}/{suggestionId}/accept`,
  tag: 'Masking',
  audience: editors,
  summary: 'Mask the field from now on: writes the next revision of the policy, with a rule for its path',
  description: '`If-Match` is about the policy. Pending and unused approvals are voided, as by every change of the policy.',
  params: suggestionParams,
  body: z.strictObject({ action: maskActionSchema.default('redact'), comment: z.string().max(1000).optional() }),
  status: 200,
  response: policySchema,
  conditional: true,
  idempotent: true,
  errors: ['not_found', 'conflict', 'policy_invalid'],
});
export const dismissMaskSuggestion = defineOperation({
  id: 'dismissMaskSuggestion',
  method: 'POST',
  path: `${suggestionsPath}/{suggestionId}/dismiss`,
  tag: 'Masking',
  audience: editors,
  summary: 'Say that a suggested field need not be masked; it is not suggested again',
  params: suggestionParams,
  status: 200,
  response: foundMaskSuggestionSchema,
  errors: ['not_found', 'conflict'],
});

export const reportMaskObservations = defineOperation({
  id: 'reportMaskObservations',
  method: 'POST',
  path: '/internal/relay/mask-observations',
  tag: 'Masking',
  audience: 'relay',
  summary: 'Report the findings of a relay since its last report; later samples make up for a lost report',
  body: z.strictObject({
    observations: z
      .array(z.strictObject({ connectionId: idSchema('connection'), suggestions: z.array(maskSuggestionSchema.strict()).min(1).max(100) }))
      .min(1)
      .max(20),
  }),
  status: 200,
  /** Fields that were written down; those over a connection's limit, and of connections that are gone, are not. */
  response: z.object({ taken: z.int() }),
  errors: [],
});
