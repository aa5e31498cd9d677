/** The steps of an approval that time takes: tell, remind, escalate, expire. Each may run twice and does its work once. */
import { hasEscalated } from '@hoop/approvals';
import { channelsFor, createDeliveries, escalateReviewers, expireApproval, readApproval } from '@hoop/database';
import type { ApprovalRecord, Database } from '@hoop/database';
import type { JobQueue } from '@hoop/queue';

import type { ApprovalJob, NotificationJob } from '../outbox/jobs.ts';

export interface ApprovalJobContext {
  readonly db: Database;
  readonly notifications: JobQueue<NotificationJob>;
  readonly now: () => number;
  /** Base URL of the control plane, for links that show an approval. */
  readonly publicUrl: string;
}

/** The part of an approval that messages show: never the body, never a header. */
export const notificationData = (approval: ApprovalRecord, publicUrl: string): Record<string, unknown> => ({
  approvalId: approval.id,
  state: approval.state,
  digest: approval.digest,
  identity: { id: approval.identityId, name: approval.identityName, owner: approval.identityOwner },
  connection: { id: approval.connectionId, name: approval.connectionName },
  rules: approval.requirements.map((one) => one.rule),
  reviewers: [...new Set(approval.requirements.flatMap((one) => one.approval.reviewers))],
  method: approval.method,
  url: approval.url,
  bodyBytes: approval.bodyBytes,
  context: approval.context,
  reason: approval.reason,
  requestedAt: new Date(approval.requestedAt).toISOString(),
  expiresAt: new Date(approval.expiresAt).toISOString(),
  // A page that needs no sign-in and says how to decide; deciding needs the approver's token.
  link: new URL(`/approvals/${approval.id}`, publicUrl).href,
});

/** Everyone who is asked, the second group included once it has been. */
function askedReviewers(approval: ApprovalRecord, now: number): string[] {
  return approval.requirements.flatMap((one) => [
    ...one.approval.reviewers,
    ...(hasEscalated(one, approval.requestedAt, now) ? (one.approval.escalateTo ?? []) : []),
  ]);
}

async function fanOut(context: ApprovalJobContext, approval: ApprovalRecord, event: string): Promise<void> {
  const { db, now, notifications, publicUrl } = context;
  const at = new Date(now());
  const deliveryIds = await db.inTransaction(async (tx) => {
    const channels = await channelsFor(tx, event, askedReviewers(approval, at.getTime()));
    return createDeliveries(tx, event, approval.id, channels, notificationData(approval, publicUrl), at);
  });
  for (const deliveryId of deliveryIds) await notifications.add(`${deliveryId}.0`, { version: 1, kind: 'deliver', deliveryId });
}

export async function handleApprovalJob(context: ApprovalJobContext, job: ApprovalJob): Promise<void> {
  const { db, now } = context;
  if (job.kind === 'expire') {
    await db.inTransaction((tx) => expireApproval(tx, job.approvalId, now()));
    return;
  }
  const approval = await readApproval(db.prisma, job.approvalId);
  if (approval === null) return;
  if (job.kind === 'tell') return fanOut(context, approval, job.event);
  if (approval.state !== 'pending') return;
  if (job.kind === 'remind') return fanOut(context, approval, 'approval.reminder');
  const escalatedTo = approval.requirements
    .filter((one) => hasEscalated(one, approval.requestedAt, now()))
    .flatMap((one) => one.approval.escalateTo ?? []);
  // A job that comes a moment too early leaves it to the sweep.
  if (escalatedTo.length === 0) return;
  await escalateReviewers(db.prisma, approval.id, escalatedTo);
  await fanOut(context, approval, 'approval.escalated');
}
