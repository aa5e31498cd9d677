import type { ApprovalEvent, Reviewer } from '@hoop/approvals';
import {
  AppError,
  breakGlass as breakGlassOperation,
  reviewApproval as reviewOperation,
  withdrawApproval as withdrawOperation,
  type Operation,
} from '@hoop/contract';
import { applyToApproval, readApproval } from '@hoop/database';

import type { Actor } from '../access/actor.ts';
import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route, type Call, type Reply } from '../http/route.ts';
import { toApprovalResource } from './resource.ts';

type Deciding = typeof reviewOperation | typeof breakGlassOperation | typeof withdrawOperation;

/** A person decides, not a program: the token must say who it is. */
export function reviewerOf(actor: Actor): Reviewer {
  const { token, role } = actor;
  if (token === null || token.user === null) {
    throw new AppError('reviewer_not_allowed', 'This token names no user. Decide with a token that was made with `user`.');
  }
  return { user: token.user, groups: token.groups, mayBreakGlass: role === 'break_glass' };
}

async function decide<O extends Deciding & Operation>(
  call: Call<O>,
  action: string,
  approvalId: string,
  event: ApprovalEvent,
): Promise<Reply<O>> {
  return mutate(call as Call<Operation>, { action, isConfiguration: false }, async ({ tx, at }) => {
    const { before, after } = await applyToApproval(tx, approvalId, event, at.getTime(), call.actor.id);
    const resource = toApprovalResource(after);
    return {
      reply: { body: resource },
      target: { type: 'approval', id: approvalId, name: null },
      before: toApprovalResource(before),
      after: resource,
    };
  }) as Promise<Reply<O>>;
}

export const reviewApproval = route(reviewOperation, async (call) => {
  const { decision, digest, comment, validity } = call.body;
  const reviewer = reviewerOf(call.actor);
  const action = decision === 'approve' ? 'approval.approve' : 'approval.deny';
  return decide(call, action, call.params.approvalId, {
    type: 'review',
    reviewer,
    decision,
    digest,
    comment: comment ?? null,
    validity: validity ?? null,
    via: 'rest',
  });
});

/** Loud: its own audit action, a warning in the log, a message to every channel, and a review that stays open. */
export const breakGlass = route(breakGlassOperation, async (call) => {
  const { digest, reason } = call.body;
  const reviewer = reviewerOf(call.actor);
  const { approvalId } = call.params;
  const reply = await decide(call, 'approval.break_glass', approvalId, { type: 'break_glass', reviewer, reason, digest });
  call.context.log.warn({ event: 'break_glass', approvalId, user: reviewer.user, requestId: call.requestId }, 'the glass was broken');
  return reply;
});

export const withdrawApproval = route(withdrawOperation, async (call) => {
  const { approvalId } = call.params;
  const { identityId } = found(await readApproval(call.context.database.prisma, approvalId), 'approval');
  return decide(call, 'approval.withdraw', approvalId, { type: 'withdraw', identityId, reason: call.body.reason });
});
