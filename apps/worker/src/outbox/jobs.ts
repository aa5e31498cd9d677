/** Which jobs an outbox row becomes. Ids are made from what happened, so that adding them twice changes nothing. */
import type { ApprovalRecord, OutboxRow } from '@hoop/database';
import { durationSeconds } from '@hoop/contract';

export type ApprovalJob =
  | { readonly version: 1; readonly kind: 'tell'; readonly approvalId: string; readonly event: string }
  | { readonly version: 1; readonly kind: 'remind' | 'escalate' | 'expire'; readonly approvalId: string };
export type NotificationJob =
  | { readonly version: 1; readonly kind: 'deliver'; readonly deliveryId: string }
  | { readonly version: 1; readonly kind: 'deferred_finished' | 'credential_reflected'; readonly callId: string };
export interface RelayJob {
  readonly version: 1;
  readonly callId: string;
}

export type OutboxJob =
  | { readonly queue: 'approvals'; readonly jobId: string; readonly payload: ApprovalJob; readonly delayMs: number }
  | { readonly queue: 'notifications'; readonly jobId: string; readonly payload: NotificationJob; readonly delayMs: number }
  | { readonly queue: 'relay'; readonly jobId: string; readonly payload: RelayJob; readonly delayMs: number };

const approvalJob = (approval: string, what: string, payload: ApprovalJob, delayMs = 0): OutboxJob => ({
  queue: 'approvals',
  jobId: `${approval}.${what}`,
  payload,
  delayMs: Math.max(0, delayMs),
});

const tell = (approvalId: string, event: string): OutboxJob =>
  approvalJob(approvalId, event, { version: 1, kind: 'tell', approvalId, event });

function requested(approval: ApprovalRecord, now: number): OutboxJob[] {
  const { id, requestedAt, expiresAt, requirements } = approval;
  const version = 1;
  const jobs = [tell(id, 'approval.requested')];
  jobs.push(approvalJob(id, 'remind', { version, kind: 'remind', approvalId: id }, requestedAt + (expiresAt - requestedAt) / 2 - now));
  const escalations = new Set(
    requirements.flatMap(({ approval: rule }) =>
      rule.escalateTo === undefined ? [] : [durationSeconds(rule.escalateAfter ?? rule.ttl) * 1000],
    ),
  );
  for (const after of escalations) {
    if (requestedAt + after < expiresAt)
      jobs.push(approvalJob(id, `escalate-${after}`, { version, kind: 'escalate', approvalId: id }, requestedAt + after - now));
  }
  jobs.push(approvalJob(id, 'expire', { version, kind: 'expire', approvalId: id }, expiresAt - now));
  return jobs;
}

/** `approval` is null where the row names none or it is gone. Unknown topics become nothing. */
export function outboxJobs(row: OutboxRow, approval: ApprovalRecord | null, now: number): OutboxJob[] {
  const { topic, payload } = row;
  if (topic === 'deferred.ready') {
    // The row's id makes a retry another job: the first one may still be kept as failed.
    return [{ queue: 'relay', jobId: `${payload['callId']}.${row.id}`, payload: { version: 1, callId: payload['callId']! }, delayMs: 0 }];
  }
  if (topic === 'deferred.finished') {
    const callId = payload['callId']!;
    return [
      { queue: 'notifications', jobId: `${callId}.finished`, payload: { version: 1, kind: 'deferred_finished', callId }, delayMs: 0 },
    ];
  }
  if (topic === 'credential.reflected') {
    const callId = payload['callId']!;
    return [
      { queue: 'notifications', jobId: `${callId}.reflected`, payload: { version: 1, kind: 'credential_reflected', callId }, delayMs: 0 },
    ];
  }
  if (topic === 'delivery.due') {
    const deliveryId = payload['deliveryId']!;
    return [{ queue: 'notifications', jobId: `${deliveryId}.${row.id}`, payload: { version: 1, kind: 'deliver', deliveryId }, delayMs: 0 }];
  }
  if (approval === null) return [];
  if (topic === 'approval.requested') return requested(approval, now);
  // The row's id makes it another job than the one that was lost.
  if (topic === 'approval.escalation_due')
    return [approvalJob(approval.id, `escalate.${row.id}`, { version: 1, kind: 'escalate', approvalId: approval.id })];
  if (topic === 'approval.approved') {
    const jobs = [tell(approval.id, topic)];
    if (approval.usableUntil !== null) {
      jobs.push(approvalJob(approval.id, 'unused', { version: 1, kind: 'expire', approvalId: approval.id }, approval.usableUntil - now));
    }
    return jobs;
  }
  return topic.startsWith('approval.') && topic !== 'approval.consumed' ? [tell(approval.id, topic)] : [];
}
