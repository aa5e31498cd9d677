import type { CallResource, CallSummary, Decision } from '@hoop/contract';

import type { CallModel } from '../generated/models.ts';

/** The columns of a summary: a page of calls does not read headers and claims. */
export const summaryColumns = {
  id: true,
  sessionId: true,
  at: true,
  state: true,
  identityId: true,
  identityName: true,
  connectionId: true,
  connectionName: true,
  method: true,
  url: true,
  path: true,
  decision: true,
  rule: true,
  reason: true,
  policyId: true,
  policyRevision: true,
  status: true,
  targetStatus: true,
  error: true,
  timings: true,
} as const;
type SummaryRow = Pick<CallModel, keyof typeof summaryColumns>;

const named = (id: string | null, name: string | null): { id: string; name: string | null } | null => (id === null ? null : { id, name });

export function toCallSummary(row: SummaryRow): CallSummary {
  return {
    id: row.id,
    sessionId: row.sessionId,
    at: row.at.toISOString(),
    state: row.state as CallSummary['state'],
    identity: named(row.identityId, row.identityName),
    connection: named(row.connectionId, row.connectionName),
    method: row.method,
    url: row.url,
    path: row.path,
    decision: toDecision(row),
    status: row.status,
    targetStatus: row.targetStatus,
    error: row.error,
    durationMs: (row.timings as CallResource['timings'])?.['end'] ?? null,
  };
}

function toDecision({ decision, rule, reason, policyId, policyRevision }: SummaryRow): Decision | null {
  return decision === null ? null : { effect: decision as Decision['effect'], rule, reason: reason ?? '', policyId, policyRevision };
}

export function toCall(row: CallModel): CallResource {
  return {
    ...toCallSummary(row),
    concludedAt: row.concludedAt?.toISOString() ?? null,
    relayId: row.relayId,
    remoteAddress: row.remoteAddress,
    issuer: row.issuer,
    subject: row.subject,
    grantId: row.grantId,
    claims: row.claims as CallResource['claims'],
    context: row.context as CallResource['context'],
    approvalId: row.approvalId,
    snapshotRevision: row.snapshotRevision,
    requestHeaders: row.requestHeaders as CallResource['requestHeaders'],
    responseHeaders: row.responseHeaders as CallResource['responseHeaders'],
    requestBody: row.requestBody as CallResource['requestBody'],
    responseBody: row.responseBody as CallResource['responseBody'],
    errorDetail: row.errorDetail,
    leaseFingerprint: row.leaseFingerprint,
    targetAddress: row.targetAddress,
    targetTls: row.targetTls as CallResource['targetTls'],
    maskedCount: row.maskedCount,
    credentialReflected: row.credentialReflected,
    timings: row.timings as CallResource['timings'],
    traceId: row.traceId,
    repeats: row.repeats,
    purgedAt: row.purgedAt?.toISOString() ?? null,
  };
}
