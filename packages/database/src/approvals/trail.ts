/**
 * Checks an approval against the audit trail. The state of an approval is an unsigned column: that it was given
 * follows from its reviews, and that it was used, denied, withdrawn or voided since, from events that are signed and in
 * the log. To set the row back, one would have to remove those too, and that shows in the log.
 */
import { newId, type ApprovalState } from '@hoop/contract';

import { insertAuditEvent } from '../audit-event/store.ts';
import type { Transaction } from '../database.ts';
import { guardOf } from '../row-signatures/guard.ts';
import type { ApprovalRecord } from './approval.ts';

/** Whose request made the claim. */
export interface ClaimOrigin {
  readonly requestId: string;
  readonly remote: string;
}

/** The members of a claim that its event has. */
interface AuditedClaim {
  readonly identityId: string;
  readonly callId: string;
  readonly digest: string;
  readonly requirements: readonly { readonly rule: string }[];
}

/** Tells of an approval that a relay asked for or used. */
export function auditClaim(
  tx: Transaction,
  action: 'approval.request' | 'approval.consume',
  approvalId: string,
  claim: AuditedClaim,
  now: number,
  origin: ClaimOrigin,
): Promise<void> {
  return insertAuditEvent(tx, {
    id: newId('audit_event', now),
    at: new Date(now),
    actor: { id: claim.identityId, name: claim.identityId, role: 'identity' },
    action,
    target: { type: 'approval', id: approvalId, name: null },
    change: { after: { callId: claim.callId, digest: claim.digest, rules: claim.requirements.map((one) => one.rule) } },
    ...origin,
  });
}

const endings: Readonly<Record<string, ApprovalState>> = {
  'approval.consume': 'consumed',
  'approval.deny': 'denied',
  'approval.withdraw': 'withdrawn',
};
/** Changes that void approvals; those of the policy and the credential show by their revisions. */
const voiding = ['connection.update', 'connection.disable', 'connection.delete', 'identity.update', 'identity.disable', 'identity.delete'];

/**
 * How an approval that its row permits has ended by the audit trail; null: it has not. Differences are reported.
 *
 * @param callId the call that asks: an approval that this call used up is still its own
 */
export async function endedByTrail(tx: Transaction, approval: ApprovalRecord, callId?: string): Promise<ApprovalState | null> {
  if (approval.state !== 'approved' && approval.state !== 'consumed') return null;
  const events = await tx.auditEvent.findMany({
    where: {
      OR: [
        { targetId: approval.id, action: { in: Object.keys(endings) } },
        {
          targetId: { in: [approval.identityId, approval.connectionId] },
          action: { in: voiding },
          at: { gt: new Date(approval.requestedAt) },
          // Ids begin with the time: the index goes by them.
          id: { gte: newId('audit_event', approval.requestedAt).slice(0, -16) },
        },
      ],
    },
    orderBy: { id: 'asc' },
  });
  const guard = guardOf(tx);
  const uses = events.filter((event) => event.action === 'approval.consume');
  const usedBy = uses.map((event) => (event.change as { after?: { callId?: unknown } }).after?.callId);
  if (approval.state === 'consumed') {
    // Its row names the call that used it; so must an event that can be trusted.
    const isOwn = uses.some((event, at) => usedBy[at] === approval.consumedBy && guard.isAuthentic('audit_event', event));
    if (approval.consumedBy !== callId || isOwn) return null;
  } else {
    const ending = events.find((event) => event.action !== 'approval.consume' || !usedBy.includes(callId));
    if (ending === undefined) return null;
  }
  const state = approval.state === 'consumed' ? 'consumed' : (endings[events[0]!.action] ?? 'voided');
  guard.report({
    kind: 'approval',
    id: approval.id,
    detail: `The row ${approval.id} (approval) in the database says "${approval.state}"${approval.consumedBy === null ? '' : ` by ${approval.consumedBy}`}, and the audit trail does not: it was set back outside of Hoop, and permits nothing.`,
  });
  return state;
}
