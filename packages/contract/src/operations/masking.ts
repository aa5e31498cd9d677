import { z } from 'zod';

import { maskRulesSchema } from '../masking.ts';
import { defineOperation } from '../operation.ts';
import { everyRole, referenceSchema } from './wire.ts';

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
    /** Each rule in words, in their order. */
    rules: z.array(z.object({ index: z.int(), explanation: z.string() })),
  }),
  errors: ['policy_invalid', 'not_found'],
});
