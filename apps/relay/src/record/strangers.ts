/** Records of those who never got as far as a request: all that is known of them is their address. */
import type { AppError, CallHead, OutcomeEntry } from '@hoop/contract';

import type { Relay } from '../relay.ts';

export function strangerHead(relay: Relay, known: Pick<CallHead, 'callId' | 'remoteAddress' | 'method' | 'url'>): CallHead {
  return {
    ...known,
    method: printable(known.method, 20),
    url: printable(known.url, 2048),
    sessionId: relay.strangers,
    at: relay.now(),
    relayId: relay.id,
    subject: { identityId: null, identityName: null, issuer: null, subject: null, grantId: null },
    claims: null,
    connectionId: null,
    connectionName: null,
    snapshotRevision: relay.configuration.revision,
    decision: null,
    context: null,
    path: '',
    requestHeaders: [],
    traceId: null,
  };
}

export function strangerOutcome(relay: Relay, callId: string, error: AppError): OutcomeEntry {
  return {
    type: 'outcome',
    callId,
    sessionId: relay.strangers,
    at: relay.now(),
    state: 'refused',
    status: error.status,
    targetStatus: null,
    error: error.code,
    errorDetail: error.detail,
    responseHeaders: [],
    requestBody: null,
    responseBody: null,
    dataKey: null,
    leaseFingerprint: null,
    targetAddress: null,
    maskedCount: 0,
    credentialReflected: false,
    timings: {},
  };
}

/** Makes unintelligible input safe to record: no terminal or page acts upon the result. */
export const printable = (text: string, length: number): string => text.slice(0, length).replace(/[^\x20-\x7e]/g, '?');
