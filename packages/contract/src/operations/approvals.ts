import { z } from 'zod';

import { approvalRequirementSchema, approvalStateSchema, approvalValiditySchema, reviewDecisionSchema } from '../approval.ts';
import { idSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { headerListSchema } from '../record.ts';
import { flagQuery, listQuery, namedSchema, pageOf, referenceSchema, timeSchema } from './wire.ts';

const tag = 'Approvals';
const path = '/v1/approvals/{approvalId}';
const params = z.object({ approvalId: idSchema('approval') });
/** Who may see what waits for a decision. */
const readers = ['admin', 'operator', 'approver', 'auditor', 'break_glass'] as const;
/** Who may see the request itself. */
const deciders = ['admin', 'approver', 'auditor', 'break_glass'] as const;
const nullableTime = timeSchema.nullable();
export const requestDigestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'must be the 64 hex digits of the digest that you were shown');

export const approvalReviewSchema = z.object({
  user: z.string(),
  decision: reviewDecisionSchema,
  comment: z.string().nullable(),
  validity: approvalValiditySchema.nullable(),
  via: z.enum(['rest', 'slack', 'break_glass']),
  at: timeSchema,
});

export const approvalSummarySchema = z.object({
  id: idSchema('approval'),
  state: approvalStateSchema,
  digest: requestDigestSchema,
  identity: namedSchema('identity').extend({ owner: z.string() }),
  connection: namedSchema('connection'),
  policy: z.object({ id: idSchema('policy'), revision: z.int() }),
  /** The rules that ask for it, with what each asks. */
  requirements: z.array(approvalRequirementSchema),
  /** The validities that an approver may grant. */
  validities: z.array(approvalValiditySchema),
  context: z.record(z.string(), z.string()).nullable(),
  method: z.string(),
  url: z.string(),
  bodyBytes: z.int(),
  callId: idSchema('call'),
  sessionId: idSchema('session'),
  requestedAt: timeSchema,
  expiresAt: timeSchema,
  validity: approvalValiditySchema.nullable(),
  usableUntil: nullableTime,
  consumedBy: idSchema('call').nullable(),
  decidedAt: nullableTime,
  reason: z.string().nullable(),
  reviews: z.array(approvalReviewSchema),
});
export type ApprovalResource = z.infer<typeof approvalSummarySchema>;

export const shownRequestSchema = z.object({
  method: z.string(),
  url: z.string(),
  /** As they will be sent, before the credential is injected; secrets masked. */
  headers: headerListSchema,
  /** `utf8` where the bytes are text, else `base64`. */
  encoding: z.enum(['utf8', 'base64']),
  /** The whole body, never a part of it. */
  body: z.string(),
});
export type ShownRequest = z.infer<typeof shownRequestSchema>;

export const approvalDetailSchema = approvalSummarySchema.extend({
  claims: z.record(z.string(), z.unknown()).nullable(),
  request: shownRequestSchema,
  /** Decisions on like requests (same identity, connection and rule), newest first, at most 10. */
  earlier: z.array(
    z.object({
      id: idSchema('approval'),
      state: approvalStateSchema,
      method: z.string(),
      url: z.string(),
      decidedAt: nullableTime,
      reviews: z.array(approvalReviewSchema),
    }),
  ),
});

export const listApprovals = defineOperation({
  id: 'listApprovals',
  method: 'GET',
  path: '/v1/approvals',
  tag,
  audience: readers,
  summary: 'List approvals, newest first',
  query: listQuery({
    state: approvalStateSchema.optional(),
    identity: referenceSchema('identity').optional(),
    connection: referenceSchema('connection').optional(),
    /** Only those that name the caller or a group of theirs. */
    mine: flagQuery.optional(),
  }),
  status: 200,
  response: pageOf(approvalSummarySchema),
  errors: [],
});
export const followApprovals = defineOperation({
  id: 'followApprovals',
  method: 'GET',
  path: '/v1/approvals/events',
  tag,
  audience: readers,
  summary: 'Every pending approval at once, and every change as it happens (server-sent events)',
  description: 'Each event is `event: approval` with the approval as `data`; `event: ping` every 15 seconds.',
  status: 200,
  response: z.string(),
  responseType: 'text/event-stream',
  errors: ['unavailable'],
});
export const getApproval = defineOperation({
  id: 'getApproval',
  method: 'GET',
  path,
  tag,
  audience: deciders,
  summary: 'Get the request that will be sent, its sender, and the rules that need a decision; each reading is an audit event',
  params,
  status: 200,
  response: approvalDetailSchema,
  errors: ['not_found'],
});
export const followApproval = defineOperation({
  id: 'followApproval',
  method: 'GET',
  path: `${path}/events`,
  tag,
  audience: readers,
  summary: 'The state of one approval at once and at every change, until it ends (server-sent events)',
  params,
  status: 200,
  response: z.string(),
  responseType: 'text/event-stream',
  errors: ['not_found', 'unavailable'],
});
export const showApprovalPage = defineOperation({
  id: 'showApprovalPage',
  method: 'GET',
  path: '/approvals/{approvalId}',
  tag,
  audience: 'public',
  summary: 'A page for people who follow the link in a message: the id, the state and the commands to use',
  description: 'Nothing of the request is on it. An id that does not exist gives the same page, with the state `unknown`.',
  params,
  status: 200,
  response: z.string(),
  responseType: 'text/html; charset=utf-8',
  errors: [],
});
export const reviewApproval = defineOperation({
  id: 'reviewApproval',
  method: 'POST',
  path: `${path}/reviews`,
  tag,
  audience: ['admin', 'approver'],
  summary: 'Approve or deny',
  description: 'The token must carry a user, and the rule must name that user or one of their groups.',
  params,
  body: z.strictObject({
    decision: reviewDecisionSchema,
    /** The digest that you were shown: a decision is about these bytes. */
    digest: requestDigestSchema,
    comment: z.string().min(1).max(2000).optional(),
    /** @default "once" */
    validity: approvalValiditySchema.optional(),
  }),
  status: 200,
  response: approvalSummarySchema,
  errors: [
    'not_found',
    'reviewer_not_allowed',
    'review_repeated',
    'review_comment_required',
    'review_validity_refused',
    'approval_expired',
    'approval_withdrawn',
    'approval_voided',
    'approval_decided',
    'approval_digest_mismatch',
  ],
});
export const breakGlass = defineOperation({
  id: 'breakGlass',
  method: 'POST',
  path: `${path}/break-glass`,
  tag,
  audience: ['break_glass'],
  summary: 'Break the glass: let the request proceed without a decision by the people whom the rule names',
  description: 'Needs a reason, is announced to every channel, and opens a review that somebody else has to close.',
  params,
  body: z.strictObject({ digest: requestDigestSchema, reason: z.string().min(10).max(2000) }),
  status: 200,
  response: approvalSummarySchema,
  errors: [
    'not_found',
    'reviewer_not_allowed',
    'approval_expired',
    'approval_withdrawn',
    'approval_voided',
    'approval_decided',
    'approval_digest_mismatch',
  ],
});
export const withdrawApproval = defineOperation({
  id: 'withdrawApproval',
  method: 'POST',
  path: `${path}/withdraw`,
  tag,
  audience: ['admin', 'operator'],
  summary: 'Withdraw a request in the name of its function',
  params,
  body: z.strictObject({ reason: z.string().min(1).max(2000) }),
  status: 200,
  response: approvalSummarySchema,
  errors: ['not_found'],
});

export const breakGlassReviewSchema = z.object({
  approvalId: idSchema('approval'),
  user: z.string(),
  reason: z.string(),
  openedAt: timeSchema,
  closedAt: nullableTime,
  closedBy: z.string().nullable(),
  comment: z.string().nullable(),
});
export const listBreakGlassReviews = defineOperation({
  id: 'listBreakGlassReviews',
  method: 'GET',
  path: '/v1/break-glass-reviews',
  tag,
  audience: ['admin', 'operator', 'approver', 'auditor'],
  summary: 'List break-glass approvals, newest first',
  query: listQuery({ open: flagQuery.optional() }),
  status: 200,
  response: pageOf(breakGlassReviewSchema),
  errors: [],
});
export const closeBreakGlassReview = defineOperation({
  id: 'closeBreakGlassReview',
  method: 'POST',
  path: '/v1/break-glass-reviews/{approvalId}/close',
  tag,
  audience: ['admin', 'auditor'],
  summary: 'Close the review of a break-glass approval; the person who broke the glass cannot close it',
  params,
  body: z.strictObject({ comment: z.string().min(1).max(2000) }),
  status: 200,
  response: breakGlassReviewSchema,
  errors: ['not_found', 'conflict', 'reviewer_not_allowed'],
});
