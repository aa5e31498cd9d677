import { parseJson } from '@hoop/contract';
import type { OutcomeEntry, RecordedBody } from '@hoop/contract';

import type { CallModel } from '../generated/models.ts';
import { memberOf } from '../members.ts';
import { jsonForPostgres } from './json-for-postgres.ts';
import type { CallRecord } from './merge-entries.ts';

type JsonValue = CallModel['claims'];

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

export interface CallColumn {
  readonly name: string;
  readonly member: keyof NewCall;
  readonly type: 'text' | 'timestamptz' | 'boolean' | 'integer' | 'jsonb';
}

/** All columns that a call's entries fill. */
export const columnsOfCalls: readonly CallColumn[] = Object.entries({
  id: 'text',
  session_id: 'text',
  at: 'timestamptz',
  state: 'text',
  has_head: 'boolean',
  ...headColumns,
  ...outcomeColumns,
} as const).map(([name, type]) => ({ name, member: memberOf(name) as keyof NewCall, type }));

/** A call as it is written. Claims are those that the grant's exchange recorded. */
export type NewCall = Omit<CallModel, 'recordedAt' | 'previous' | 'purgedAt'>;

type Written<T> = { -readonly [Member in keyof T]: T[Member] };

/** The row that a call's entries make. */
export const toNewCall = (call: CallRecord, claims: unknown): NewCall =>
  ({ ...withHead(call, claims), ...withOutcome(call.outcome) }) as Written<NewCall>;

/** As Postgres holds it: NUL and lone surrogates, which may come from outside, are U+FFFD there. */
export function asHeld(row: NewCall): NewCall {
  const { at, concludedAt, ...rest } = row;
  return { ...(parseJson(jsonForPostgres(rest)) as typeof rest), at, concludedAt };
}

const noHead = {
  hasHead: false,
  relayId: null,
  remoteAddress: null,
  identityId: null,
  identityName: null,
  issuer: null,
  subject: null,
  grantId: null,
  claims: null,
  connectionId: null,
  connectionName: null,
  snapshotRevision: null,
  decision: null,
  rule: null,
  reason: null,
  policyId: null,
  policyRevision: null,
  approvalId: null,
  context: null,
  method: null,
  url: null,
  path: null,
  requestHeaders: null,
  traceId: null,
} as const;

function withHead({ callId, sessionId, head, outcome, repeats }: CallRecord, claims: unknown): Partial<NewCall> {
  if (!head) return { id: callId, sessionId, at: instant(outcome!.at), ...noHead, repeats };
  const { subject, decision } = head;
  return {
    id: callId,
    sessionId,
    at: instant(head.at),
    hasHead: true,
    relayId: head.relayId,
    remoteAddress: head.remoteAddress,
    identityId: subject.identityId,
    identityName: subject.identityName,
    issuer: subject.issuer,
    subject: subject.subject,
    grantId: subject.grantId,
    claims: json(claims),
    connectionId: head.connectionId,
    connectionName: head.connectionName,
    snapshotRevision: head.snapshotRevision,
    decision: decision?.effect ?? null,
    rule: decision?.rule ?? null,
    reason: decision?.reason ?? null,
    policyId: decision?.policyId ?? null,
    policyRevision: decision?.policyRevision ?? null,
    approvalId: head.approvalId ?? null,
    context: json(head.context),
    method: head.method,
    url: head.url,
    path: head.path,
    requestHeaders: json(head.requestHeaders),
    traceId: head.traceId,
    repeats,
  };
}

const noOutcome = {
  state: 'pending',
  concludedAt: null,
  status: null,
  targetStatus: null,
  error: null,
  errorDetail: null,
  responseHeaders: null,
  leaseFingerprint: null,
  targetAddress: null,
  targetTls: null,
  maskedCount: null,
  credentialReflected: null,
  timings: null,
  dataKeyId: null,
  requestBody: null,
  responseBody: null,
} as const;

function withOutcome(outcome: OutcomeEntry | null): Partial<NewCall> {
  if (!outcome) return noOutcome;
  return {
    state: outcome.state,
    concludedAt: instant(outcome.at),
    status: outcome.status,
    targetStatus: outcome.targetStatus,
    error: outcome.error,
    errorDetail: outcome.errorDetail,
    responseHeaders: json(outcome.responseHeaders),
    leaseFingerprint: outcome.leaseFingerprint,
    targetAddress: outcome.targetAddress,
    targetTls: json(outcome.targetTls),
    maskedCount: outcome.maskedCount,
    credentialReflected: outcome.credentialReflected,
    timings: json(outcome.timings),
    dataKeyId: outcome.dataKey?.id ?? null,
    requestBody: json(withoutContent(outcome.requestBody)),
    responseBody: json(withoutContent(outcome.responseBody)),
  };
}

const json = (value: unknown): JsonValue => (value ?? null) as JsonValue;

/** Everything that is known of a body but what is in it, which lies in `call_bodies`. */
function withoutContent(body: RecordedBody | null): Omit<RecordedBody, 'sealed'> | null {
  if (!body) return null;
  const { sealed: _, ...facts } = body;
  return facts;
}

/** @throws RangeError for a time that there is not */
export function instant(ms: number): Date {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw new RangeError('A time of a record is out of range.');
  return date;
}
