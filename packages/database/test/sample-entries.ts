/** Entries as a relay makes them, for tests and the benchmark. */
import { randomBytes } from 'node:crypto';

import { newId } from '@hoop/contract';
import type { CallHead, HeaderList, OutcomeEntry, RecordedBody, RecordEntry } from '@hoop/contract';

export interface SampleOptions {
  readonly at?: number;
  readonly sessionId?: string;
  /** Bytes of the response body; 0: none. @default 1024 */
  readonly bodyBytes?: number;
  readonly head?: Partial<CallHead>;
  readonly outcome?: Partial<OutcomeEntry>;
}

const identityId = newId('identity', Date.UTC(2026, 0, 1));
const connectionId = newId('connection', Date.UTC(2026, 0, 1));
const policyId = newId('policy', Date.UTC(2026, 0, 1));

const requestHeaders: HeaderList = [
  ['host', 'api.payments.example'],
  ['user-agent', 'nightly-billing/1.4 (+https://billing.example)'],
  ['accept', 'application/json'],
  ['accept-encoding', 'gzip, deflate, br'],
  ['authorization', '[redacted]'],
];
const responseHeaders: HeaderList = [
  ['content-type', 'application/json; charset=utf-8'],
  ['cache-control', 'no-store'],
  ['date', 'Tue, 24 Nov 2026 07:00:00 GMT'],
  ['x-request-id', '6f2c9b1e-5d0f-4e3e-9b6b-0f6b3c1d2e4f'],
];

export const sampleBody = (bytes: number): RecordedBody => ({
  bytes,
  digest: randomBytes(32).toString('hex'),
  sealed: randomBytes(bytes + 28).toString('base64'),
  keptBytes: bytes,
  truncated: false,
  contentType: 'application/json',
});

/** One completed call: its intent and its outcome. */
export function sampleCall(options: SampleOptions = {}): { intent: RecordEntry & { type: 'intent' }; outcome: OutcomeEntry } {
  const at = options.at ?? Date.now();
  const callId = newId('call', at);
  const sessionId = options.sessionId ?? newId('session', at);
  const bodyBytes = options.bodyBytes ?? 1024;
  const head: CallHead = {
    callId,
    sessionId,
    at,
    relayId: 'rly_01jd8m3v9k2t5x7y0a1b2c3d4e',
    remoteAddress: '127.0.0.1',
    subject: {
      identityId,
      identityName: 'nightly-billing',
      issuer: 'https://issuer.example',
      subject: 'repo:acme/billing:ref:refs/heads/main',
      grantId: newId('grant', at),
    },
    claims: null,
    connectionId,
    connectionName: 'payments',
    snapshotRevision: 17,
    decision: {
      effect: 'allow',
      rule: 'read customers',
      reason: 'The rule "read customers" allows this call.',
      policyId,
      policyRevision: 3,
    },
    context: null,
    method: 'GET',
    url: `https://api.payments.example/v1/customers/${callId}`,
    path: `/v1/customers/${callId}`,
    requestHeaders,
    traceId: null,
    ...options.head,
  };
  const outcome: OutcomeEntry = {
    type: 'outcome',
    callId,
    sessionId,
    at: at + 12,
    state: 'completed',
    status: 200,
    targetStatus: 200,
    error: null,
    errorDetail: null,
    responseHeaders,
    requestBody: null,
    responseBody: bodyBytes === 0 ? null : sampleBody(bodyBytes),
    dataKey: bodyBytes === 0 ? null : { id: `key_${sessionId}`, wrapped: `eyJhbGciOiJFQ0RILUVTIn0.${'a'.repeat(200)}` },
    leaseFingerprint: '0123456789abcdef',
    targetAddress: '203.0.113.7:443',
    maskedCount: 2,
    credentialReflected: false,
    timings: { read: 0.1, authenticate: 0.3, decide: 0.4, intend: 2.1, forward: 10.2, conclude: 12.1 },
    ...options.outcome,
  };
  return { intent: { type: 'intent', head }, outcome };
}
