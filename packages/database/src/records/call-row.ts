import type { RecordedBody } from '@hoop/contract';

import type { CallRecord } from './merge-entries.ts';

/** Columns of `calls` that an intent fills, with their types. */
export const headColumns = {
  relay_id: 'text',
  remote_address: 'text',
  identity_id: 'text',
  identity_name: 'text',
  issuer: 'text',
  subject: 'text',
  grant_id: 'text',
  claims: 'jsonb',
  connection_id: 'text',
  connection_name: 'text',
  snapshot_revision: 'integer',
  decision: 'text',
  rule: 'text',
  reason: 'text',
  policy_id: 'text',
  policy_revision: 'integer',
  approval_id: 'text',
  context: 'jsonb',
  method: 'text',
  url: 'text',
  path: 'text',
  request_headers: 'jsonb',
  trace_id: 'text',
  repeats: 'integer',
} as const;

/** Columns of `calls` that an outcome fills. */
export const outcomeColumns = {
  concluded_at: 'timestamptz',
  status: 'integer',
  target_status: 'integer',
  error: 'text',
  error_detail: 'text',
  response_headers: 'jsonb',
  lease_fingerprint: 'text',
  target_address: 'text',
  target_tls: 'jsonb',
  masked_count: 'integer',
  credential_reflected: 'boolean',
  timings: 'jsonb',
  data_key_id: 'text',
  request_body: 'jsonb',
  response_body: 'jsonb',
} as const;

type Row = Record<string, unknown>;

/** The row that a call's entries make. Members that are absent are null. */
export function toCallRow(call: CallRecord): Row {
  return {
    id: call.callId,
    session_id: call.sessionId,
    at: instant((call.head ?? call.outcome!).at),
    ...headRow(call),
    ...outcomeRow(call),
  };
}

function headRow({ head, repeats }: CallRecord): Row {
  if (!head) return { has_head: false };
  const { subject, decision } = head;
  return {
    has_head: true,
    relay_id: head.relayId,
    remote_address: head.remoteAddress,
    identity_id: subject.identityId,
    identity_name: subject.identityName,
    issuer: subject.issuer,
    subject: subject.subject,
    grant_id: subject.grantId,
    claims: head.claims,
    connection_id: head.connectionId,
    connection_name: head.connectionName,
    snapshot_revision: head.snapshotRevision,
    decision: decision?.effect,
    rule: decision?.rule,
    reason: decision?.reason,
    policy_id: decision?.policyId,
    policy_revision: decision?.policyRevision,
    approval_id: head.approvalId,
    context: head.context,
    method: head.method,
    url: head.url,
    path: head.path,
    request_headers: head.requestHeaders,
    trace_id: head.traceId,
    repeats,
  };
}

function outcomeRow({ outcome }: CallRecord): Row {
  if (!outcome) return { state: 'pending' };
  return {
    state: outcome.state,
    concluded_at: instant(outcome.at),
    status: outcome.status,
    target_status: outcome.targetStatus,
    error: outcome.error,
    error_detail: outcome.errorDetail,
    response_headers: outcome.responseHeaders,
    lease_fingerprint: outcome.leaseFingerprint,
    target_address: outcome.targetAddress,
    target_tls: outcome.targetTls,
    masked_count: outcome.maskedCount,
    credential_reflected: outcome.credentialReflected,
    timings: outcome.timings,
    data_key_id: outcome.dataKey?.id,
    request_body: withoutContent(outcome.requestBody),
    response_body: withoutContent(outcome.responseBody),
  };
}

/** Everything that is known of a body but what is in it, which lies in `call_bodies`. */
function withoutContent(body: RecordedBody | null): Omit<RecordedBody, 'sealed'> | null {
  if (!body) return null;
  const { sealed: _, ...facts } = body;
  return facts;
}

export const instant = (ms: number): string => new Date(ms).toISOString();
