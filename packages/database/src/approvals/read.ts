/** Reading approvals: one, a page of them, what is shown, and earlier decisions on like requests. */
import { hasEscalated } from '@hoop/approvals';
import type { ApprovalState } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { guardOf } from '../row-signatures/guard.ts';
import { toRecord, toRecords, withReviews } from './approval.ts';
import type { ApprovalRecord } from './approval.ts';

export async function readApproval(tx: Transaction, id: string): Promise<ApprovalRecord | null> {
  const row = await tx.approval.findUnique({ where: { id }, include: withReviews });
  return row === null ? null : toRecord(tx, row);
}

/** Reads the request that an approver is shown, still sealed. */
export async function readShown(tx: Transaction, id: string): Promise<{ wrappedKey: string; sealed: Buffer } | null> {
  const row = await tx.approval.findUnique({ where: { id } });
  if (row !== null) guardOf(tx).require('approval', row);
  return row === null ? null : { wrappedKey: row.shownKey, sealed: Buffer.from(row.shown) };
}

export interface ApprovalFilter {
  readonly state?: ApprovalState;
  readonly identityId?: string;
  readonly connectionId?: string;
  /** Only those that name one of these (`user:NAME`, `group:NAME`). */
  readonly reviewers?: readonly string[];
  /** Ids before this one: the page goes from the newest to the oldest. */
  readonly before?: string;
  readonly limit: number;
}

export async function listApprovals(tx: Transaction, filter: ApprovalFilter): Promise<ApprovalRecord[]> {
  const rows = await tx.approval.findMany({
    where: {
      ...(filter.state === undefined ? {} : { state: filter.state }),
      ...(filter.identityId === undefined ? {} : { identityId: filter.identityId }),
      ...(filter.connectionId === undefined ? {} : { connectionId: filter.connectionId }),
      ...(filter.reviewers === undefined ? {} : { reviewers: { hasSome: [...filter.reviewers] } }),
      ...(filter.before === undefined ? {} : { id: { lt: filter.before } }),
    },
    include: withReviews,
    orderBy: { id: 'desc' },
    take: filter.limit,
  });
  return toRecords(tx, rows);
}

/** The last decisions on requests of the same identity, connection and a common rule. */
export async function earlierDecisions(tx: Transaction, approval: ApprovalRecord, limit: number): Promise<ApprovalRecord[]> {
  const rows = await tx.approval.findMany({
    where: {
      connectionId: approval.connectionId,
      identityId: approval.identityId,
      rules: { hasSome: approval.requirements.map((one) => one.rule) },
      decidedAt: { not: null },
      id: { lt: approval.id },
    },
    include: withReviews,
    orderBy: { id: 'desc' },
    take: limit,
  });
  return toRecords(tx, rows);
}

/** Ids of approvals that are over by `now` and still marked open. */
export async function overdueApprovals(tx: Transaction, now: number, limit: number): Promise<string[]> {
  const instant = new Date(now);
  const rows = await tx.$queryRaw<{ id: string }[]>`
    (SELECT id FROM approvals WHERE state = 'pending' AND expires_at <= ${instant} LIMIT ${limit})
    UNION ALL
    (SELECT id FROM approvals WHERE state = 'approved' AND usable_until <= ${instant} LIMIT ${limit})`;
  return rows.map((row) => row.id).slice(0, limit);
}

/** Ids of pending approvals whose second group should have been asked by `now` and was not: their job was lost, or came too early. */
export async function overdueEscalations(tx: Transaction, now: number, limit: number): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string; requested_at: Date; requirements: ApprovalRecord['requirements'] }[]>`
    SELECT id, requested_at, requirements FROM approvals
    WHERE state = 'pending'
      AND NOT reviewers @> ARRAY(SELECT jsonb_array_elements_text(jsonb_path_query_array(requirements, '$[*].approval.escalateTo[*]')))
    ORDER BY id LIMIT ${limit}`;
  return rows.filter((row) => row.requirements.some((one) => hasEscalated(one, row.requested_at.getTime(), now))).map((row) => row.id);
}
