/** The rows of an approval, read and written. Nothing outside this folder sees them. */
import { asProven } from '@hoop/approvals';
import { errorKinds } from '@hoop/contract';
import type { Approval, ApprovalRequirement, ApprovalState, ApprovalValidity, Review } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { Approval as ApprovalRow, ApprovalReview as ReviewRow } from '../generated/client.ts';
import { Prisma } from '../generated/client.ts';
import { guardOf } from '../row-signatures/guard.ts';

/** The Postgres channel that announces every change of an approval, as `{"id","state"}`. */
export const approvalsChannel = 'hoop_approvals';

/** The Postgres channel that announces every change of a deferred call, as `{"id","state"}`. */
export const deferredChannel = 'hoop_deferred';

/** An approval with what is around it; what is shown of the request stays sealed. */
export interface ApprovalRecord extends Approval {
  readonly identityName: string;
  readonly connectionName: string;
  readonly credential: { readonly id: string; readonly revision: number } | null;
  readonly context: Record<string, string> | null;
  readonly claims: Record<string, unknown> | null;
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly bodyBytes: number;
  readonly callId: string;
  readonly sessionId: string;
  readonly version: number;
}

export type RowWithReviews = ApprovalRow & { reviews: ReviewRow[] };

export const withReviews = { reviews: { orderBy: { at: 'asc' } } } as const;

const milliseconds = (date: Date | null): number | null => (date === null ? null : date.getTime());

const toReview = (row: ReviewRow): Review => ({
  user: row.userName,
  groups: row.groups,
  decision: row.decision as Review['decision'],
  comment: row.comment,
  validity: row.validity as ApprovalValidity | null,
  at: row.at.getTime(),
  via: row.via as Review['via'],
});

/**
 * Reads a row with its reviews, leaving out reviews that cannot be trusted.
 * @throws AppError `row_not_authentic` where the request itself cannot be trusted
 */
export function toRecord(tx: Transaction, row: RowWithReviews): ApprovalRecord {
  const guard = guardOf(tx);
  guard.require('approval', row);
  const stored = asStored({ ...row, reviews: row.reviews.filter((review) => guard.isAuthentic('approval_review', review)) });
  const proven = asProven(stored);
  const isUnproven = proven.state !== stored.state || (stored.state === 'consumed' && proven.consumedBy !== stored.consumedBy);
  if (isUnproven) {
    guard.report({
      kind: 'approval',
      id: row.id,
      detail: `The row ${row.id} (approval) in the database says "${row.state}", and its reviews do not: it was changed outside of Hoop, and counts as ${proven.state === 'consumed' ? 'used by no call' : proven.state}.`,
    });
  }
  return { ...stored, ...proven };
}

/** As `toRecord`, of many: without those that cannot be trusted. */
export async function toRecords(tx: Transaction, rows: readonly RowWithReviews[]): Promise<ApprovalRecord[]> {
  return (await guardOf(tx).authentic('approval', rows)).map((row) => toRecord(tx, row));
}

const asStored = (row: RowWithReviews): ApprovalRecord => ({
  id: row.id,
  state: row.state as ApprovalState,
  digest: row.digest,
  identityId: row.identityId,
  identityName: row.identityName,
  identityOwner: row.identityOwner,
  connectionId: row.connectionId,
  connectionName: row.connectionName,
  policyId: row.policyId,
  policyRevision: row.policyRevision,
  credential:
    row.credentialSourceId === null || row.credentialRevision === null
      ? null
      : { id: row.credentialSourceId, revision: row.credentialRevision },
  requirements: row.requirements as unknown as ApprovalRequirement[],
  context: row.context as Record<string, string> | null,
  claims: row.claims as Record<string, unknown> | null,
  method: row.method,
  url: row.url,
  path: row.path,
  bodyBytes: row.bodyBytes,
  callId: row.callId,
  sessionId: row.sessionId,
  requestedAt: row.requestedAt.getTime(),
  expiresAt: row.expiresAt.getTime(),
  validity: row.validity as ApprovalValidity | null,
  usableUntil: milliseconds(row.usableUntil),
  consumedBy: row.consumedBy,
  decidedAt: milliseconds(row.decidedAt),
  reason: row.reason,
  version: row.version,
  reviews: row.reviews.map(toReview),
});

/**
 * Locks the row until the transaction ends, so that events on one approval happen one after the other.
 * @throws AppError `row_not_authentic`
 */
export async function lockApproval(tx: Transaction, id: string): Promise<ApprovalRecord | null> {
  const locked = await tx.$queryRaw<{ id: string }[]>`SELECT id FROM approvals WHERE id = ${id} FOR UPDATE`;
  if (locked.length === 0) return null;
  const row = await tx.approval.findUniqueOrThrow({ where: { id }, include: withReviews });
  return toRecord(tx, row);
}

const date = (instant: number | null): Date | null => (instant === null ? null : new Date(instant));

/** Writes what `transition` returned, tells everybody who listens, and moves the deferred calls that wait for it. */
export async function writeTransition(
  tx: Transaction,
  before: ApprovalRecord,
  after: Approval,
  tokenId: string | null,
  now: number,
): Promise<void> {
  await tx.approval.update({
    where: { id: after.id },
    data: {
      state: after.state,
      validity: after.validity,
      usableUntil: date(after.usableUntil),
      consumedBy: after.consumedBy,
      ...(after.state === 'consumed' ? { consumedAt: new Date(now) } : {}),
      decidedAt: date(after.decidedAt),
      reason: after.reason,
      version: { increment: 1 },
    },
  });
  for (const review of after.reviews.slice(before.reviews.length)) {
    const data = {
      approvalId: after.id,
      userName: review.user,
      groups: [...review.groups],
      decision: review.decision,
      comment: review.comment,
      validity: review.validity,
      via: review.via,
      tokenId,
      at: new Date(review.at),
    };
    await tx.approvalReview.create({ data: { ...data, signature: guardOf(tx).sign('approval_review', data) } });
  }
  if (after.state === before.state) return;
  await announce(tx, after.id, after.state);
  await tx.outbox.create({ data: { topic: `approval.${after.state}`, payload: { approvalId: after.id } } });
  await moveDeferredCalls(tx, after, now);
}

/** NOTIFY is delivered when the transaction commits. */
export async function announce(tx: Transaction, id: string, state: ApprovalState): Promise<void> {
  await tx.$executeRaw`SELECT pg_notify(${approvalsChannel}, ${JSON.stringify({ id, state })})`;
}

/** Error codes of deferred calls whose approval ended without a yes. */
const refusals = {
  denied: 'approval_denied',
  expired: 'approval_expired',
  withdrawn: 'approval_withdrawn',
  voided: 'approval_voided',
} as const;

async function moveDeferredCalls(tx: Transaction, approval: Approval, now: number): Promise<void> {
  if (approval.state === 'approved') {
    const ready = await tx.$queryRaw<{ call_id: string }[]>`
      UPDATE deferred_calls SET state = 'ready' WHERE approval_id = ${approval.id} AND state = 'waiting' RETURNING call_id`;
    await announceDeferredCalls(tx, ready, 'ready');
    return;
  }
  if (approval.state === 'pending' || approval.state === 'consumed') return;
  await endDeferredCalls(tx, [approval.id], approval.state, approval.reason, now);
}

/** Ends the deferred calls that wait for these approvals, none of which was given. */
export async function endDeferredCalls(
  tx: Transaction,
  approvalIds: readonly string[],
  end: keyof typeof refusals,
  reason: string | null,
  now: number,
): Promise<void> {
  const state = end === 'expired' || end === 'withdrawn' ? end : 'refused';
  const error = refusals[end];
  const ended = await tx.$queryRaw<{ call_id: string }[]>`
    UPDATE deferred_calls SET state = ${state}, error = ${error}, error_detail = ${reason}, status = ${errorKinds[error].status}, finished_at = ${new Date(now)}
    WHERE approval_id = ANY(${[...approvalIds]}) AND state = 'waiting' RETURNING call_id`;
  await announceDeferredCalls(tx, ended, state);
}

/** Wakes those who collect, and lets the worker do what follows. */
async function announceDeferredCalls(
  tx: Transaction,
  calls: readonly { readonly call_id: string }[],
  state: 'ready' | 'expired' | 'withdrawn' | 'refused',
): Promise<void> {
  if (calls.length === 0) return;
  const ids = calls.map((call) => call.call_id);
  await tx.$executeRaw`SELECT count(pg_notify(${deferredChannel}, json_build_object('id', id, 'state', ${state}::text)::text)) FROM unnest(${ids}::text[]) AS id`;
  const topic = state === 'ready' ? 'deferred.ready' : 'deferred.finished';
  await tx.outbox.createMany({ data: ids.map((callId) => ({ topic, payload: { callId } })) });
}

/** JSON null where a nullable column has none. */
export const jsonOrNull = (value: unknown): Prisma.InputJsonValue | typeof Prisma.DbNull =>
  value === null ? Prisma.DbNull : (value as Prisma.InputJsonValue);
