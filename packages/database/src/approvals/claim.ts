/**
 * A claim is a relay's question before it sends a call that needs approval: may the call go on now? One transaction finds or makes the
 * approval and, where it is approved once, hands it to this call and to no other.
 */
import { expiryOf, transition, windowCovers } from '@hoop/approvals';
import { AppError } from '@hoop/contract';
import type { ApprovalRequirement, ApprovalState, ApprovalValidity } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { guardOf } from '../row-signatures/guard.ts';
import { connectionParts } from '../row-signatures/kinds.ts';
import { announce, jsonOrNull, lockApproval, toRecords, withReviews, writeTransition } from './approval.ts';
import type { ApprovalRecord } from './approval.ts';
import { auditClaim, endedByTrail } from './trail.ts';
import type { ClaimOrigin } from './trail.ts';

export interface ApprovalClaim {
  /** For a new approval. */
  readonly newApprovalId: string;
  /** The approval that the call has been waiting for, if any. */
  readonly approvalId: string | null;
  readonly callId: string;
  readonly sessionId: string;
  readonly digest: string;
  readonly identityId: string;
  readonly connectionId: string;
  readonly policyId: string;
  readonly policyRevision: number;
  readonly credential: { readonly id: string; readonly revision: number } | null;
  readonly requirements: readonly ApprovalRequirement[];
  readonly context: Readonly<Record<string, string>> | null;
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly bodyBytes: number;
  readonly shown: { readonly wrappedKey: string; readonly sealed: Uint8Array };
}

export interface ClaimAnswer {
  readonly approvalId: string;
  /** `approved`: go on. */
  readonly state: ApprovalState;
  /** True where this call used the approval up. */
  readonly isConsumed: boolean;
  readonly expiresAt: number;
  readonly validity: ApprovalValidity | null;
  readonly reason: string | null;
  /** True where the claim made the approval. */
  readonly isNew: boolean;
}

const answer = (approval: ApprovalRecord, changes: Partial<ClaimAnswer> = {}): ClaimAnswer => ({
  approvalId: approval.id,
  state: approval.state,
  isConsumed: false,
  expiresAt: approval.expiresAt,
  validity: approval.validity,
  reason: approval.reason,
  isNew: false,
  ...changes,
});

/** Checks that the claim's identity is still as the relay saw it; a share lock keeps it so until the commit. */
async function currentIdentity(tx: Transaction, claim: ApprovalClaim): Promise<{ name: string; owner: string; connectionName: string }> {
  await tx.$queryRaw`
    SELECT 1 AS locked FROM identities i JOIN connection_identities ci ON ci.identity_id = i.id JOIN connections c ON c.id = ci.connection_id
    WHERE i.id = ${claim.identityId} AND c.id = ${claim.connectionId}
    FOR SHARE OF i, c, ci`;
  const identity = await tx.identity.findUnique({ where: { id: claim.identityId } });
  const connection = await tx.connection.findUnique({
    where: { id: claim.connectionId },
    include: connectionParts,
  });
  if (identity === null || connection?.identities.some((one) => one.identityId === identity.id) !== true)
    throw new AppError('connection_unknown', 'The identity may not use this connection any more.');
  const guard = guardOf(tx);
  guard.require('identity', identity);
  guard.require('connection', connection);
  if (identity.disabled) throw new AppError('identity_disabled', 'The identity was disabled; ask its owner or an operator.');
  if (connection.disabled) throw new AppError('connection_unknown', 'The connection was disabled; ask an operator.');
  const { policy, credential } = connection;
  const isCurrent =
    policy?.id === claim.policyId &&
    policy.currentRevision === claim.policyRevision &&
    (credential?.id ?? null) === (claim.credential?.id ?? null) &&
    (credential?.version ?? null) === (claim.credential?.revision ?? null);
  if (!isCurrent)
    throw new AppError('approval_voided', 'The policy or the credential has changed since the call was decided. Send the call again.');
  return { name: identity.name, owner: identity.owner, connectionName: connection.name };
}

async function coveringWindow(tx: Transaction, claim: ApprovalClaim, now: number): Promise<ApprovalRecord | null> {
  const rows = await tx.approval.findMany({
    where: {
      state: 'approved',
      connectionId: claim.connectionId,
      identityId: claim.identityId,
      policyRevision: claim.policyRevision,
      validity: { not: 'once' },
      usableUntil: { gt: new Date(now) },
      rules: { hasEvery: claim.requirements.map((one) => one.rule) },
    },
    include: withReviews,
    orderBy: { id: 'desc' },
    take: 5,
  });
  const call = { ...claim, rules: claim.requirements.map((one) => one.rule) };
  for (const approval of await toRecords(tx, rows)) {
    if (windowCovers(approval, call, now) && (await endedByTrail(tx, approval)) === null) return approval;
  }
  return null;
}

/** As JSON would bring it back. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

async function insert(
  tx: Transaction,
  claim: ApprovalClaim,
  names: { name: string; owner: string; connectionName: string },
  now: number,
): Promise<void> {
  const signed = {
    id: claim.newApprovalId,
    digest: claim.digest,
    identityId: claim.identityId,
    identityName: names.name,
    identityOwner: names.owner,
    connectionId: claim.connectionId,
    connectionName: names.connectionName,
    policyId: claim.policyId,
    policyRevision: claim.policyRevision,
    credentialSourceId: claim.credential?.id ?? null,
    credentialRevision: claim.credential?.revision ?? null,
    requirements: plain(claim.requirements) as never,
    rules: claim.requirements.map((one) => one.rule),
    context: plain(claim.context),
    claims: plain(claim.claims),
    method: claim.method,
    url: claim.url,
    path: claim.path,
    bodyBytes: claim.bodyBytes,
    callId: claim.callId,
    sessionId: claim.sessionId,
    shownKey: claim.shown.wrappedKey,
    shown: Buffer.from(claim.shown.sealed),
    requestedAt: new Date(now),
    expiresAt: new Date(expiryOf(claim.requirements, now)),
  };
  await tx.approval.create({
    data: {
      ...signed,
      context: jsonOrNull(signed.context),
      claims: jsonOrNull(signed.claims),
      reviewers: [...new Set(claim.requirements.flatMap((one) => one.approval.reviewers))],
      signature: guardOf(tx).sign('approval', signed),
    },
  });
  await tx.outbox.create({ data: { topic: 'approval.requested', payload: { approvalId: claim.newApprovalId } } });
  await announce(tx, claim.newApprovalId, 'pending');
}

/** Approvals of one identity on one connection that may wait at a time: what floods its approvers helps nobody. */
export const maxPendingApprovals = 1000;

async function refuseFlood(tx: Transaction, claim: ApprovalClaim): Promise<void> {
  const [row] = await tx.$queryRaw<{ count: number }[]>`
    SELECT count(*)::integer AS count FROM (
      SELECT 1 FROM approvals WHERE connection_id = ${claim.connectionId} AND identity_id = ${claim.identityId} AND state = 'pending' LIMIT ${maxPendingApprovals}
    ) AS waiting`;
  if (row!.count < maxPendingApprovals) return;
  throw new AppError(
    'too_many_approvals',
    `${maxPendingApprovals} calls of this identity wait for an approval on this connection. Withdraw some, or wait until they are decided.`,
  );
}

/** The approval that the claim is about: the one it waited for, else the newest of this request that still says something. */
async function knownApproval(tx: Transaction, claim: ApprovalClaim, now: number): Promise<ApprovalRecord | null> {
  if (claim.approvalId !== null) {
    const approval = await lockApproval(tx, claim.approvalId);
    if (approval === null || approval.identityId !== claim.identityId) throw new AppError('not_found', 'There is no such approval.');
    return approval;
  }
  // Serialises claims for one request, so that two of them cannot both find nothing and insert.
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`${claim.identityId} ${claim.digest}`}, 72707371))`;
  const latest = await tx.approval.findFirst({
    where: { identityId: claim.identityId, digest: claim.digest },
    orderBy: { id: 'desc' },
    select: { id: true },
  });
  const approval = latest === null ? null : await lockApproval(tx, latest.id);
  if (approval === null) return null;
  const isOpen =
    (approval.state === 'pending' && now < approval.expiresAt) ||
    (approval.state === 'approved' && approval.usableUntil !== null && now < approval.usableUntil) ||
    // A no holds for as long as the question would have stayed open; then the function may ask again.
    (approval.state === 'denied' && now < approval.expiresAt) ||
    (approval.state === 'consumed' && approval.consumedBy === claim.callId);
  return isOpen ? approval : null;
}

/**
 * One claim, with the audit event of what it made or used up.
 *
 * Throws `identity_disabled`, `connection_unknown`, `approval_voided` where what the relay saw is no longer so,
 * `not_found` for an `approvalId` that is not the identity's, `too_many_approvals`, and `row_not_authentic` where the
 * approval, the identity or the connection was changed outside of Hoop.
 */
export async function claimApproval(tx: Transaction, claim: ApprovalClaim, now: number, origin: ClaimOrigin): Promise<ClaimAnswer> {
  const given = await answerClaim(tx, claim, now);
  if (given.isNew) await auditClaim(tx, 'approval.request', given.approvalId, claim, now, origin);
  else if (given.isFirstUse) await auditClaim(tx, 'approval.consume', given.approvalId, claim, now, origin);
  const { isFirstUse: _, ...rest } = given;
  return rest;
}

async function answerClaim(tx: Transaction, claim: ApprovalClaim, now: number): Promise<ClaimAnswer & { isFirstUse?: boolean }> {
  const names = await currentIdentity(tx, claim);
  const window = await coveringWindow(tx, claim, now);
  if (window !== null) return answer(window, { state: 'approved' });

  const approval = await knownApproval(tx, claim, now);
  if (approval === null) {
    // One that timed out but that nobody has marked yet would collide with the new one.
    const overdue = await tx.approval.findFirst({
      where: { identityId: claim.identityId, digest: claim.digest, state: 'pending' },
      select: { id: true },
    });
    if (overdue !== null) await expireApproval(tx, overdue.id, now);
    await refuseFlood(tx, claim);
    await insert(tx, claim, names, now);
    return {
      approvalId: claim.newApprovalId,
      state: 'pending',
      isConsumed: false,
      expiresAt: expiryOf(claim.requirements, now),
      validity: null,
      reason: null,
      isNew: true,
    };
  }
  const end = await endedByTrail(tx, approval, claim.callId);
  if (end !== null) return answer(approval, { state: end, validity: null, reason: 'the audit trail says so' });
  // A window that was granted between the look for one and the lock.
  if (windowCovers(approval, { ...claim, rules: claim.requirements.map((one) => one.rule) }, now))
    return answer(approval, { state: 'approved' });
  const event = {
    type: 'consume',
    callId: claim.callId,
    digest: claim.digest,
    identityId: claim.identityId,
    policyRevision: claim.policyRevision,
  } as const;
  const result = transition(approval, event, now);
  if (result.ok) {
    if (result.changed) await writeTransition(tx, approval, result.approval, null, now);
    return { ...answer(approval, { state: 'approved', isConsumed: true }), isFirstUse: result.changed };
  }
  if (approval.state === 'consumed') return answer(approval);
  const isOver = approval.state === 'pending' ? now >= approval.expiresAt : approval.state === 'approved';
  return answer(approval, { state: isOver ? 'expired' : approval.state });
}

/** Marks what nobody decided or used in time. Safe to repeat. Returns true where it changed something. */
export async function expireApproval(tx: Transaction, id: string, now: number): Promise<boolean> {
  let approval: ApprovalRecord | null;
  try {
    approval = await lockApproval(tx, id);
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'row_not_authentic')) throw error;
    // Nothing is done by it, and nothing has to wait for it.
    return (await tx.$executeRaw`UPDATE approvals SET state = 'expired' WHERE id = ${id} AND state IN ('pending', 'approved')`) > 0;
  }
  if (approval === null) return false;
  const result = transition(approval, { type: 'expire' }, now);
  if (!result.ok || !result.changed) return false;
  await writeTransition(tx, approval, result.approval, null, now);
  return true;
}
