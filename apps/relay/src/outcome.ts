/** What came of a call, as the record wants it. */
import type { AppError, HeaderList, OutcomeEntry, OutcomeState, RecordedBody } from '@hoop/contract';
import { maskHeaders } from '@hoop/masking';
import type { BodyCapture, PackedEntry } from '@hoop/recording';
import { sealBody } from '@hoop/sealing';
import { headerValue } from '@hoop/upstream';

import type { Call, Marks } from './call.ts';
import type { Relay } from './relay.ts';
import { maskRequestBody } from './request-body.ts';

export interface Ending {
  readonly state: OutcomeState;
  /** What the caller got. */
  readonly status: number | null;
  readonly error: AppError | null;
}

const noHeaders: HeaderList = [];

export function outcomeOf(relay: Relay, call: Call, { state, status, error }: Ending): PackedEntry & { readonly outcome: OutcomeEntry } {
  const { exchange, connection, session } = call;
  const sealed: Uint8Array[] = [];
  const recording = connection?.snapshot.settings.recording;
  const keepsHeads = recording !== undefined && recording.capture !== 'none';
  const requestBody = exchange?.request ? recordedBody(call, exchange.request, 'request', sealed) : null;
  const responseBody = exchange && exchange.response.bytes > 0 ? recordedBody(call, exchange.response, 'response', sealed) : null;
  const outcome: OutcomeEntry = {
    type: 'outcome',
    callId: call.id,
    sessionId: session?.id ?? relay.strangers,
    at: relay.now(),
    state,
    status,
    targetStatus: call.targetStatus,
    error: call.isCallerGone ? null : (error?.code ?? null),
    errorDetail: error?.detail ?? null,
    responseHeaders: keepsHeads && call.targetStatus !== null ? maskHeaders(call.responseHeaders) : noHeaders,
    requestBody,
    responseBody,
    dataKey: sealed.length > 0 || requestBody || responseBody ? session!.keys!.record : null,
    leaseFingerprint: call.lease?.fingerprint ?? null,
    targetAddress: exchange?.peer.address ?? null,
    maskedCount: exchange?.masker?.report.maskedCount ?? 0,
    credentialReflected: exchange?.masker?.report.credentialReflected ?? false,
    timings: timings(call),
  };
  return { outcome, line: JSON.stringify(outcome), sealed };
}

function recordedBody(call: Call, capture: BodyCapture, half: 'request' | 'response', sealed: Uint8Array[]): RecordedBody {
  const headers = half === 'request' ? call.request!.headers : call.responseHeaders;
  const contentType = headerValue(headers, 'content-type') ?? null;
  const kept = half === 'request' ? maskRequestBody(call, capture) : capture.kept();
  let placeholder: string | null = null;
  if (kept.byteLength > 0) {
    const bytes = Buffer.from(sealBody(call.session!.keys!.dataKey.key, kept, `${call.id}:${half}`), 'base64');
    sealed.push(bytes);
    placeholder = `@${bytes.length}`;
  }
  return {
    bytes: capture.bytes,
    digest: capture.digest(),
    sealed: placeholder,
    keptBytes: kept.byteLength,
    truncated: capture.isTruncated,
    contentType,
  };
}

function timings(call: Call): Record<string, number> {
  const { marks } = call;
  const result: Record<string, number> = {};
  for (const phase of phases) if (marks[phase] >= 0) result[phase] = rounded(marks[phase]);
  result['end'] = rounded(call.elapsed());
  return result;
}

const phases: readonly (keyof Marks)[] = ['authenticated', 'decided', 'intended', 'credential', 'head', 'body'];

/** To the hundredth of a millisecond. */
const rounded = (ms: number): number => Math.round(ms * 100) / 100;
