/** Operations of relays on approvals and deferred calls. */
import { z } from 'zod';

import { approvalRequirementSchema, approvalStateSchema, approvalValiditySchema } from '../approval.ts';
import { idSchema, nameSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';

const tag = 'Relay approvals';
/** Seconds that an answer may be held back until something changes. */
const waitQuery = z.coerce.number().int().min(0).max(30).default(0);
const ownerQuery = z.strictObject({ identity: idSchema('identity'), wait: waitQuery });
const base64 = z.base64().max(34_000_000);

/** AES-256-GCM (base64 of nonce ‖ ciphertext ‖ tag) under a data key that is wrapped as a compact JWE. */
export const sealedBlobSchema = z.object({ wrappedKey: z.string().max(4096), sealed: base64 });

export const approvalClaimSchema = z.strictObject({
  /** The approval that the call has been waiting for; null at first. */
  approvalId: idSchema('approval').nullable(),
  callId: idSchema('call'),
  sessionId: idSchema('session'),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  identityId: idSchema('identity'),
  connectionId: idSchema('connection'),
  policyId: idSchema('policy'),
  policyRevision: z.int(),
  credential: z.object({ id: idSchema('credential_source'), revision: z.int() }).nullable(),
  requirements: z.array(approvalRequirementSchema).min(1).max(100),
  context: z.record(z.string(), z.string()).nullable(),
  /** Those that the relay knows: of a grant, the ones that it carries. */
  claims: z.record(z.string(), z.unknown()).nullable(),
  /** The grant under whose id the exchange recorded all claims; null where a provider's own token was presented. */
  grantId: idSchema('grant').nullish(),
  method: z.string().max(20),
  url: z.string().max(16_384),
  path: z.string().max(8192),
  bodyBytes: z.int().min(0),
  /** JSON of `shownRequestSchema`, sealed to the recording key with the call's id and `:approval` as associated data. */
  shown: sealedBlobSchema,
});
export type ApprovalClaimBody = z.infer<typeof approvalClaimSchema>;

export const approvalAnswerSchema = z.object({
  approvalId: idSchema('approval'),
  /** `approved`: the call may go on. */
  state: approvalStateSchema,
  isConsumed: z.boolean(),
  /** Unix milliseconds. */
  expiresAt: z.int(),
  validity: approvalValiditySchema.nullable(),
  reason: z.string().nullable(),
});
export type ApprovalAnswer = z.infer<typeof approvalAnswerSchema>;

export const claimRelayApproval = defineOperation({
  id: 'claimRelayApproval',
  method: 'POST',
  path: '/internal/relay/approvals',
  tag,
  audience: 'relay',
  summary: 'Claim an approval for a call: finds, creates or uses up the approval',
  body: approvalClaimSchema,
  status: 200,
  response: approvalAnswerSchema,
  errors: ['identity_disabled', 'connection_unknown', 'approval_voided', 'not_found', 'too_many_approvals'],
});

const approvalParams = z.object({ approvalId: idSchema('approval') });
export const readRelayApproval = defineOperation({
  id: 'readRelayApproval',
  method: 'GET',
  path: '/internal/relay/approvals/{approvalId}',
  tag,
  audience: 'relay',
  summary: 'The state of an approval of this identity; waits for a change while it is pending',
  params: approvalParams,
  query: ownerQuery,
  status: 200,
  response: approvalAnswerSchema,
  errors: ['not_found'],
});
export const withdrawRelayApproval = defineOperation({
  id: 'withdrawRelayApproval',
  method: 'POST',
  path: '/internal/relay/approvals/{approvalId}/withdraw',
  tag,
  audience: 'relay',
  summary: 'Report that the function gave up waiting',
  params: approvalParams,
  body: z.strictObject({ identityId: idSchema('identity'), reason: z.string().max(200) }),
  status: 200,
  response: approvalAnswerSchema,
  errors: ['not_found'],
});

export const deferredStateSchema = z.enum(['waiting', 'ready', 'running', 'done', 'refused', 'unknown', 'expired', 'withdrawn']);
const callParams = z.object({ callId: idSchema('call') });

/** A deferred call as its sender may see it. */
export const deferredCallSchema = z.object({
  callId: idSchema('call'),
  state: deferredStateSchema,
  approvalId: idSchema('approval').nullable(),
  status: z.int().nullable(),
  error: z.string().nullable(),
  errorDetail: z.string().nullable(),
  /** Sealed to the relay's own key; only where the state is `done`. */
  response: sealedBlobSchema.nullable(),
  createdAt: z.int(),
  finishedAt: z.int().nullable(),
  expiresAt: z.int(),
});
export type DeferredCallBody = z.infer<typeof deferredCallSchema>;

export const createRelayDeferredCall = defineOperation({
  id: 'createRelayDeferredCall',
  method: 'POST',
  path: '/internal/relay/deferred-calls',
  tag,
  audience: 'relay',
  summary: 'Keep a sealed request until it may be sent',
  body: z.strictObject({
    callId: idSchema('call'),
    identityId: idSchema('identity'),
    connectionId: idSchema('connection'),
    approvalId: idSchema('approval').nullable(),
    /** Sealed to the relay's own key: nobody else can open it. */
    request: sealedBlobSchema,
    idempotencyKey: z.string().max(255).nullable(),
    mayRetry: z.boolean(),
    /** Name of the notification channel for the call's end: functions do not choose where Hoop connects to. */
    webhookChannel: nameSchema.nullable(),
  }),
  status: 201,
  response: deferredCallSchema,
  errors: ['not_found', 'approval_decided', 'too_many_approvals'],
});
export const claimRelayDeferredCall = defineOperation({
  id: 'claimRelayDeferredCall',
  method: 'POST',
  path: '/internal/relay/deferred-calls/{callId}/claim',
  tag,
  audience: 'relay',
  summary: 'Take a ready call; only one relay ever gets it',
  params: callParams,
  body: z.strictObject({ relayId: z.string().max(100) }),
  status: 200,
  response: z.object({
    request: sealedBlobSchema.nullable(),
    approvalId: idSchema('approval').nullable(),
    identityId: idSchema('identity').nullable(),
  }),
  errors: [],
});
export const finishRelayDeferredCall = defineOperation({
  id: 'finishRelayDeferredCall',
  method: 'POST',
  path: '/internal/relay/deferred-calls/{callId}/result',
  tag,
  audience: 'relay',
  summary: 'Report the outcome of a deferred call; the first report counts',
  params: callParams,
  body: z.strictObject({
    relayId: z.string().max(100),
    state: z.enum(['done', 'refused', 'unknown']),
    status: z.int().nullable(),
    error: z.string().max(100).nullable(),
    errorDetail: z.string().max(2000).nullable(),
    response: sealedBlobSchema.nullable(),
  }),
  status: 200,
  response: z.object({ isAccepted: z.boolean() }),
  errors: [],
});
export const readRelayDeferredCall = defineOperation({
  id: 'readRelayDeferredCall',
  method: 'GET',
  path: '/internal/relay/deferred-calls/{callId}',
  tag,
  audience: 'relay',
  summary: 'A deferred call of this identity; waits for a change while it is not finished',
  params: callParams,
  query: ownerQuery,
  status: 200,
  response: deferredCallSchema,
  errors: ['not_found'],
});
export const withdrawRelayDeferredCall = defineOperation({
  id: 'withdrawRelayDeferredCall',
  method: 'POST',
  path: '/internal/relay/deferred-calls/{callId}/withdraw',
  tag,
  audience: 'relay',
  summary: 'Withdraw a deferred call that has not been sent',
  params: callParams,
  body: z.strictObject({ identityId: idSchema('identity') }),
  status: 200,
  response: deferredCallSchema,
  errors: ['not_found', 'conflict'],
});
