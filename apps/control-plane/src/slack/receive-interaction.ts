import { AppError, idSchema, newId, receiveSlackInteraction as operation, requestDigestSchema } from '@hoop/contract';
import { acceptSlackSignature, applyToApproval, insertAuditEvent, readApproval, readSlackUser } from '@hoop/database';
import { z } from 'zod';

import { rawBodyOf } from '../http/read-body.ts';
import { route, type Call } from '../http/route.ts';
import { answerPress, decidedMessage, refusedMessage, type PressedMessage } from './answer-press.ts';
import { signatureWindowMs, verifySlackSignature } from './signature.ts';

/** Slack's message about a press of a button (block_actions). */
const interactionSchema = z.looseObject({
  type: z.literal('block_actions'),
  user: z.looseObject({ id: z.string().max(50) }),
  actions: z.array(z.looseObject({ action_id: z.enum(['hoop_approve', 'hoop_deny']), value: z.string().max(1000) })).length(1),
  response_url: z.string().max(2000).optional(),
  message: z
    .looseObject({
      blocks: z
        .array(z.looseObject({ type: z.string() }))
        .max(50)
        .default([]),
    })
    .optional(),
});
const buttonSchema = z.strictObject({ approvalId: idSchema('approval'), digest: requestDigestSchema });

async function refuse(
  call: Call<typeof operation>,
  code: 'unauthenticated' | 'forbidden',
  detail: string,
  subject: string | null,
): Promise<never> {
  const { context, remote, requestId } = call;
  await context.securityLog.record({
    kind: 'admin_authentication',
    code,
    detail: `Slack interaction: ${detail}`,
    verified: code === 'forbidden',
    issuer: 'slack',
    subject,
    claims: null,
    nearest: null,
    remote,
    requestId,
  });
  throw new AppError(code, detail);
}

interface Press {
  readonly slackUserId: string;
  readonly decision: 'approve' | 'deny';
  readonly approvalId: string;
  readonly digest: string;
  readonly pressed: PressedMessage;
}

function parse(payload: string): Press {
  try {
    const { user, actions, response_url: responseUrl = null, message } = interactionSchema.parse(JSON.parse(payload));
    const [action] = actions;
    return {
      slackUserId: user.id,
      decision: action!.action_id === 'hoop_approve' ? 'approve' : 'deny',
      ...buttonSchema.parse(JSON.parse(action!.value)),
      pressed: { responseUrl, blocks: message?.blocks ?? [] },
    };
  } catch (cause) {
    throw new AppError('invalid_request', 'This is not the press of a Hoop button.', { cause });
  }
}

export const receiveSlackInteraction = route(operation, async (call) => {
  const { context, body, request, remote, requestId } = call;
  const secret = context.keys.slackSigningSecret;
  if (secret === null) throw new AppError('unavailable', 'Slack is not configured: set HOOP_SLACK_SIGNING_SECRET_FILE.');

  // 1. authenticate: the signature is over the raw bytes, and each is accepted once
  const header = (name: string): string | undefined => (typeof request.headers[name] === 'string' ? request.headers[name] : undefined);
  const headers = { signature: header('x-slack-signature'), timestamp: header('x-slack-request-timestamp') };
  const verdict = verifySlackSignature(secret.reveal(), headers, rawBodyOf(request), context.now());
  if (!verdict.ok) return refuse(call, 'unauthenticated', verdict.why, null);
  const at = new Date(context.now());
  const isFirst = await context.database.inTransaction((tx) => acceptSlackSignature(tx, verdict.signature, at, 2 * signatureWindowMs));
  if (!isFirst) return refuse(call, 'unauthenticated', 'This request was accepted before: it is a replay.', null);

  // 2. validate
  const { slackUserId, decision, approvalId, digest, pressed } = parse(body.payload);

  // 3. permit: only Slack users that an administrator has named
  const user = await readSlackUser(context.database.prisma, slackUserId);
  if (user === null) {
    await answerPress(context, pressed, refusedMessage('You are not an approver here: an administrator has to add your Slack user.'));
    return refuse(call, 'forbidden', `The Slack user ${slackUserId} is not an approver.`, slackUserId);
  }

  // 4. act, with its audit event
  try {
    await context.database.inTransaction(async (tx) => {
      const reviewer = { user: user.userName, groups: user.groups, mayBreakGlass: false };
      const event = { type: 'review', reviewer, decision, digest, comment: null, validity: null, via: 'slack' } as const;
      const { before, after } = await applyToApproval(tx, approvalId, event, at.getTime());
      await insertAuditEvent(tx, {
        id: newId('audit_event', at.getTime()),
        at,
        actor: { id: slackUserId, name: user.userName, role: 'approver' },
        action: decision === 'approve' ? 'approval.approve' : 'approval.deny',
        target: { type: 'approval', id: approvalId, name: null },
        change: { before: { state: before.state }, after: { state: after.state, via: 'slack' } },
        requestId,
        remote,
      });
    });
  } catch (error) {
    // A refusal is an answer, not a failure of the delivery; of an outage Slack tells the person itself.
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    const approval = await readApproval(context.database.prisma, approvalId);
    const isOver = approval !== null && approval.digest === digest && approval.state !== 'pending';
    await answerPress(context, pressed, isOver ? decidedMessage(approval, pressed) : refusedMessage(error.detail));
    return { body: { text: error.detail } };
  }

  // 5. tell Slack
  const approval = await readApproval(context.database.prisma, approvalId);
  if (approval !== null) await answerPress(context, pressed, decidedMessage(approval, pressed));
  return { body: { text: decision === 'approve' ? 'Approved.' : 'Denied.' } };
});
