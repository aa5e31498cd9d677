/** Approvals: a request for a person's decision on exactly one request digest. */
import { z } from 'zod';

import { idSchema } from './ids.ts';
import { approvalRuleSchema, durationSchema } from './policy.ts';

/**
 * `pending` -> `approved` | `denied` | `expired` | `withdrawn` | `voided`;
 * `approved` -> `consumed` (once, by one call) | `expired` (not used in time) | `voided`.
 */
export const approvalStateSchema = z.enum(['pending', 'approved', 'denied', 'expired', 'withdrawn', 'voided', 'consumed']);
export type ApprovalState = z.infer<typeof approvalStateSchema>;

/** One `require_approval` rule that matched; all of an approval's requirements must be met. */
export const approvalRequirementSchema = z.object({ rule: z.string(), approval: approvalRuleSchema });
export type ApprovalRequirement = z.infer<typeof approvalRequirementSchema>;

/** `once`, or a window for any request of the same identity and connection under the same rules. */
export const approvalValiditySchema = z.union([z.literal('once'), durationSchema]);
export type ApprovalValidity = z.infer<typeof approvalValiditySchema>;

export const reviewDecisionSchema = z.enum(['approve', 'deny']);

export const reviewSchema = z.object({
  /** The person: the `user` of the token that reviewed. */
  user: z.string(),
  groups: z.array(z.string()),
  decision: reviewDecisionSchema,
  comment: z.string().nullable(),
  validity: approvalValiditySchema.nullable(),
  /** Unix milliseconds. */
  at: z.int(),
  via: z.enum(['rest', 'slack', 'break_glass']),
});
export type Review = z.infer<typeof reviewSchema>;

/** An approval's state and rules, without the request that approvers are shown. Times are Unix milliseconds. */
export const approvalSchema = z.object({
  id: idSchema('approval'),
  state: approvalStateSchema,
  /** SHA-256, hex, of the request's canonical form (see @hoop/recording request-digest). */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  identityId: idSchema('identity'),
  identityOwner: z.string(),
  connectionId: idSchema('connection'),
  policyId: idSchema('policy'),
  policyRevision: z.int(),
  requirements: z.array(approvalRequirementSchema).min(1),
  requestedAt: z.int(),
  /** A review at or after this instant is refused. */
  expiresAt: z.int(),
  /** Set when approved. */
  validity: approvalValiditySchema.nullable(),
  /** Until when (exclusive) an approved one may be used. */
  usableUntil: z.int().nullable(),
  /** The call that used a `once` approval. */
  consumedBy: idSchema('call').nullable(),
  decidedAt: z.int().nullable(),
  /** Why it was denied, withdrawn or voided. */
  reason: z.string().nullable(),
  reviews: z.array(reviewSchema),
});
export type Approval = z.infer<typeof approvalSchema>;
