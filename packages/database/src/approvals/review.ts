/** Decisions of people, and what ends an approval without one. */
import { refusalError, transition } from '@hoop/approvals';
import type { ApprovalEvent } from '@hoop/approvals';
import { AppError } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { Prisma } from '../generated/client.ts';
import type { BreakGlassReview as BreakGlassRow } from '../generated/client.ts';
import { guardOf } from '../row-signatures/guard.ts';
import { approvalsChannel, endDeferredCalls, lockApproval, writeTransition } from './approval.ts';
import type { ApprovalRecord } from './approval.ts';

export interface ApprovalChange {
  readonly before: ApprovalRecord;
  readonly after: ApprovalRecord;
  readonly changed: boolean;
}

/**
 * Applies one event under the row's lock. Throws `not_found`, and what `transition` refuses with.
 *
 * @param tokenId the admin token that acted, if one did
 */
export async function applyToApproval(
  tx: Transaction,
  id: string,
  event: ApprovalEvent,
  now: number,
  tokenId: string | null = null,
): Promise<ApprovalChange> {
  const before = await lockApproval(tx, id);
  if (before === null) throw new AppError('not_found', 'There is no such approval.');
  const result = transition(before, event, now);
  if (!result.ok) throw refusalError(result);
  if (result.changed) await writeTransition(tx, before, result.approval, tokenId, now);
  if (event.type === 'break_glass') {
    const data = {
      approvalId: id,
      userName: event.reviewer.user,
      reason: event.reason,
      openedAt: new Date(now),
      closedAt: null,
      closedBy: null,
      comment: null,
    };
    await tx.breakGlassReview.create({ data: { ...data, signature: guardOf(tx).sign('break_glass_review', data) } });
    await tx.outbox.create({ data: { topic: 'approval.break_glass', payload: { approvalId: id } } });
  }
  return { before, after: { ...before, ...result.approval }, changed: result.changed };
}

/**
 * Voids every approval that is pending or approved and unused, because what it depends on has changed. Call it in the
 * transaction of the change. Returns the ids.
 */
export async function voidApprovals(
  tx: Transaction,
  where: { readonly identityId: string } | { readonly connectionId: string },
  reason: string,
  now: number,
): Promise<string[]> {
  const column = 'identityId' in where ? Prisma.sql`identity_id = ${where.identityId}` : Prisma.sql`connection_id = ${where.connectionId}`;
  // A few statements for any number of approvals: a flood of them must not prevent disabling their identity.
  // Locked in one order by everybody, so that two changes cannot deadlock.
  const voided = await tx.$queryRaw<{ id: string }[]>`
    WITH open AS MATERIALIZED (
      SELECT id FROM approvals WHERE ${column} AND state IN ('pending', 'approved') ORDER BY id FOR UPDATE
    )
    UPDATE approvals SET state = 'voided', reason = ${reason}, version = version + 1 FROM open WHERE approvals.id = open.id RETURNING approvals.id`;
  if (voided.length === 0) return [];
  const ids = voided.map((row) => row.id);
  await tx.$executeRaw`SELECT count(pg_notify(${approvalsChannel}, json_build_object('id', id, 'state', 'voided')::text)) FROM unnest(${ids}::text[]) AS id`;
  await tx.outbox.createMany({ data: ids.map((approvalId) => ({ topic: 'approval.voided', payload: { approvalId } })) });
  await endDeferredCalls(tx, ids, 'voided', reason, now);
  return ids;
}

export interface BreakGlassRecord {
  readonly approvalId: string;
  readonly user: string;
  readonly reason: string;
  readonly openedAt: number;
  readonly closedAt: number | null;
  readonly closedBy: string | null;
  readonly comment: string | null;
}

/** Throws `not_found`; `conflict` where it is closed already; `reviewer_not_allowed` for the one who broke the glass. */
export async function closeBreakGlassReview(tx: Transaction, approvalId: string, by: string, comment: string, now: number): Promise<void> {
  await tx.$queryRaw`SELECT approval_id FROM break_glass_reviews WHERE approval_id = ${approvalId} FOR UPDATE`;
  const row = await tx.breakGlassReview.findUnique({ where: { approvalId } });
  if (row === null) throw new AppError('not_found', 'Nobody broke the glass for this approval.');
  const guard = guardOf(tx);
  guard.require('break_glass_review', row);
  if (row.closedAt !== null) throw new AppError('conflict', 'This review is closed already.');
  if (row.userName === by) throw new AppError('reviewer_not_allowed', 'The person who broke the glass cannot close its review.');
  const { signature: _, ...data } = { ...row, closedAt: new Date(now), closedBy: by, comment };
  await tx.breakGlassReview.update({ where: { approvalId }, data: { ...data, signature: guard.sign('break_glass_review', data) } });
}

/** A review that was changed outside of Hoop is open: nobody has closed it who may. */
function toBreakGlass(tx: Transaction, row: BreakGlassRow): BreakGlassRecord {
  const isAuthentic = guardOf(tx).isAuthentic('break_glass_review', row);
  return {
    approvalId: row.approvalId,
    user: row.userName,
    reason: row.reason,
    openedAt: row.openedAt.getTime(),
    closedAt: isAuthentic ? (row.closedAt?.getTime() ?? null) : null,
    closedBy: isAuthentic ? row.closedBy : null,
    comment: isAuthentic ? row.comment : null,
  };
}

export async function readBreakGlassReview(tx: Transaction, approvalId: string): Promise<BreakGlassRecord | null> {
  const row = await tx.breakGlassReview.findUnique({ where: { approvalId } });
  return row === null ? null : toBreakGlass(tx, row);
}

export interface BreakGlassFilter {
  /** Only those that are open (true) or closed (false). */
  readonly isOpen: boolean | undefined;
  readonly before: string | null;
  readonly limit: number;
}

export async function listBreakGlassReviews(tx: Transaction, filter: BreakGlassFilter): Promise<BreakGlassRecord[]> {
  const rows = await tx.breakGlassReview.findMany({
    where: {
      ...(filter.isOpen === undefined ? {} : { closedAt: filter.isOpen ? null : { not: null } }),
      ...(filter.before === null ? {} : { approvalId: { lt: filter.before } }),
    },
    orderBy: { approvalId: 'desc' },
    take: filter.limit,
  });
  return rows.map((row) => toBreakGlass(tx, row));
}

/** Adds the second group to those whom the approval is listed for. */
export async function escalateReviewers(tx: Transaction, id: string, reviewers: readonly string[]): Promise<void> {
  await tx.$executeRaw`
    UPDATE approvals SET reviewers = ARRAY(SELECT DISTINCT unnest(reviewers || ${[...reviewers]}::text[])) WHERE id = ${id} AND state = 'pending'`;
}
