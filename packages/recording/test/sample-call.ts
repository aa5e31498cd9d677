import { callSchema, newId } from '@hoop/contract';
import type { CallResource, SessionResource } from '@hoop/contract';

import type { StoredCall } from '../src/call-digest.ts';

/** A completed call as the REST API gives it. */
export function sampleCallResource(changes: Partial<CallResource> = {}): CallResource {
  const id = newId('call');
  return callSchema.parse({
    id,
    sessionId: newId('session'),
    at: '2026-11-24T07:00:00.123Z',
    state: 'completed',
    identity: { id: newId('identity'), name: 'nightly-billing' },
    connection: { id: newId('connection'), name: 'payments' },
    method: 'POST',
    url: 'https://api.payments.example/v1/refunds?expand=a&expand=b%20c&empty=',
    path: '/v1/refunds',
    decision: {
      effect: 'require_context',
      rule: 'small refunds name a ticket',
      reason: 'Allowed.',
      policyId: newId('policy'),
      policyRevision: 3,
    },
    status: 201,
    targetStatus: 201,
    error: null,
    durationMs: 42.42,
    concludedAt: '2026-11-24T07:00:00.165Z',
    relayId: newId('relay'),
    remoteAddress: '127.0.0.1',
    issuer: 'https://issuer.example',
    subject: 'repo:acme/billing',
    grantId: newId('grant'),
    claims: { repository: 'acme/billing' },
    context: { ticket: 'OPS-12' },
    snapshotRevision: 17,
    requestHeaders: [
      ['content-type', 'application/json'],
      ['authorization', '[redacted]'],
    ],
    responseHeaders: [
      ['content-type', 'application/json'],
      ['location', '/v1/refunds/1'],
      ['set-cookie', '[redacted]'],
    ],
    requestBody: { bytes: 15, digest: 'a'.repeat(64), keptBytes: 15, truncated: false, contentType: 'application/json' },
    responseBody: { bytes: 9, digest: 'b'.repeat(64), keptBytes: 9, truncated: false, contentType: 'application/json' },
    errorDetail: null,
    leaseFingerprint: '0123456789abcdef',
    targetAddress: '203.0.113.7:443',
    targetTls: {
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      fingerprint: 'AA:BB',
      subject: 'CN=api.payments.example',
      issuer: 'CN=Test CA',
      validTo: 'Nov 24 07:00:00 2027 GMT',
    },
    maskedCount: 1,
    credentialReflected: false,
    timings: { authenticated: 0.4, decided: 0.6, intended: 3.1, credential: 3.4, head: 30.25, body: 41, end: 42.42 },
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    approvalId: null,
    repeats: null,
    purgedAt: null,
    ...changes,
  });
}

export const sampleSession = (call: CallResource): SessionResource => ({
  id: call.sessionId,
  startedAt: call.at,
  lastCallAt: call.at,
  identity: call.identity,
  issuer: call.issuer,
  subject: call.subject,
  claims: call.claims,
  callCount: 1,
  refusedCount: 0,
  failedCount: 0,
});

export function sampleStoredCall(changes: Partial<CallResource> = {}, rest: Partial<StoredCall> = {}): StoredCall {
  const call = sampleCallResource(changes);
  return {
    call,
    hasHead: true,
    previous: 'pending',
    recordedAt: '2026-11-24T07:00:00.200Z',
    sealed: { request: '1'.repeat(64), response: '2'.repeat(64) },
    dataKey: { id: 'key_1', wrapped: '3'.repeat(64) },
    identity: { id: call.identity?.id ?? null, name: call.identity?.name ?? null },
    connection: { id: call.connection?.id ?? null, name: call.connection?.name ?? null },
    decision: call.decision ?? { effect: null, rule: null, reason: null, policyId: null, policyRevision: null },
    ...rest,
  };
}
