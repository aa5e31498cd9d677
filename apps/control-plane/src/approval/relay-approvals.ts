import {
  claimRelayApproval as claimOperation,
  newId,
  readRelayApproval as readOperation,
  withdrawRelayApproval as withdrawOperation,
  type ApprovalAnswer,
} from '@hoop/contract';
import { applyToApproval, claimApproval, findGrant, insertAuditEvent, readApproval, type ApprovalRecord } from '@hoop/database';

import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

const answerOf = (approval: ApprovalRecord): ApprovalAnswer => ({
  approvalId: approval.id,
  state: approval.state,
  isConsumed: false,
  expiresAt: approval.expiresAt,
  validity: approval.validity,
  reason: approval.reason,
});

export const claimRelayApproval = route(claimOperation, async ({ context, body, requestId, remote }) => {
  const { shown, grantId, ...claim } = body;
  return context.database.inTransaction(async (tx) => {
    const at = new Date(context.now());
    // Approvers see all that the exchange recorded; the grant carries less.
    const grant = grantId == null ? null : await findGrant(tx, grantId);
    const claims = grant?.identityId === claim.identityId ? grant.claims : claim.claims;
    const sealed = Buffer.from(shown.sealed, 'base64');
    const { isNew: _, ...answer } = await claimApproval(
      tx,
      { ...claim, claims, newApprovalId: newId('approval', at.getTime()), shown: { wrappedKey: shown.wrappedKey, sealed } },
      at.getTime(),
      { requestId, remote },
    );
    return { body: answer };
  });
});

/** Another identity's approval looks like none. */
const ownApproval = (approval: ApprovalRecord | null, identityId: string): ApprovalRecord =>
  found(approval !== null && approval.identityId === identityId ? approval : null, 'approval');

export const readRelayApproval = route(readOperation, async ({ context, params, query, response }) => {
  const { prisma } = context.database;
  const read = async (): Promise<ApprovalRecord> => ownApproval(await readApproval(prisma, params.approvalId), query.identity);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  // Waiting starts before the look, so that no change falls between the two.
  const changed = query.wait > 0 ? context.subjectChanges.wait(params.approvalId, query.wait * 1000, gone.signal) : null;
  let approval = await read();
  if (approval.state === 'pending' && changed !== null) {
    await changed;
    approval = await read();
  }
  gone.abort();
  return { body: answerOf(approval) };
});

export const withdrawRelayApproval = route(withdrawOperation, async ({ context, params, body, requestId, remote }) =>
  context.database.inTransaction(async (tx) => {
    const at = new Date(context.now());
    ownApproval(await readApproval(tx, params.approvalId), body.identityId);
    const event = { type: 'withdraw', identityId: body.identityId, reason: body.reason } as const;
    const { after, changed } = await applyToApproval(tx, params.approvalId, event, at.getTime());
    if (changed) {
      await insertAuditEvent(tx, {
        id: newId('audit_event', at.getTime()),
        at,
        actor: { id: body.identityId, name: after.identityName, role: 'identity' },
        action: 'approval.withdraw',
        target: { type: 'approval', id: after.id, name: null },
        change: { after: { reason: body.reason } },
        requestId,
        remote,
      });
    }
    return { body: answerOf(after) };
  }),
);
