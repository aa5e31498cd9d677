/** A call as a relay and the worker would have recorded it. */
import { newId, type CallHead, type OutcomeEntry } from '@hoop/contract';
import { recordEntries } from '@hoop/database';
import { createDataKey, sealBody, toPublicJwks } from '@hoop/sealing';

import type { Harness } from './harness.ts';

export interface RecordedCall {
  readonly callId: string;
  readonly sessionId: string;
}

export async function recordCall(
  h: Harness,
  over: { head?: Partial<CallHead>; outcome?: Partial<OutcomeEntry>; request?: string; response?: string } = {},
): Promise<RecordedCall> {
  const at = Date.now();
  const callId = newId('call', at);
  const sessionId = over.head?.sessionId ?? newId('session', at);
  const dataKey = await createDataKey(toPublicJwks(h.recordingKeys).keys[0]!);
  const body = (side: 'request' | 'response', text: string) => ({
    bytes: text.length,
    digest: 'd'.repeat(64),
    sealed: sealBody(dataKey.key, Buffer.from(text), `${callId}:${side}`),
    keptBytes: text.length,
    truncated: false,
    contentType: 'application/json',
  });
  const head: CallHead = {
    callId,
    sessionId,
    at,
    relayId: newId('relay'),
    remoteAddress: '127.0.0.1',
    subject: {
      identityId: newId('identity'),
      identityName: 'nightly',
      issuer: 'https://issuer.example',
      subject: 'machine',
      grantId: newId('grant'),
    },
    claims: { ref: 'refs/heads/main' },
    connectionId: newId('connection'),
    connectionName: 'payments',
    snapshotRevision: 1,
    decision: { effect: 'allow', rule: 'read', reason: 'r', policyId: null, policyRevision: null },
    context: {},
    method: 'POST',
    url: 'https://api.payments.example/v1/refunds?q=1',
    path: '/v1/refunds',
    requestHeaders: [['content-type', 'application/json']],
    traceId: null,
    ...over.head,
  } as CallHead;
  const outcome: OutcomeEntry = {
    type: 'outcome',
    callId,
    sessionId,
    at: at + 20,
    state: 'completed',
    status: 200,
    targetStatus: 200,
    error: null,
    errorDetail: null,
    responseHeaders: [['content-type', 'application/json']],
    requestBody: body('request', over.request ?? '{"amount":5}'),
    responseBody: body('response', over.response ?? '{"id":"re_1","card":"[redacted]"}'),
    dataKey: { id: dataKey.id, wrapped: dataKey.wrapped },
    leaseFingerprint: 'a'.repeat(16),
    targetAddress: '203.0.113.7',
    maskedCount: 1,
    credentialReflected: false,
    timings: { end: 20 },
    ...over.outcome,
  };
  const rejected = await recordEntries(h.database.pool, [{ type: 'intent', head }, outcome]);
  if (rejected.length > 0) throw new Error(rejected[0]!.reason);
  return { callId, sessionId };
}
