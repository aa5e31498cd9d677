/** What came of a call, as the record wants it. */
import type { AppError, OutcomeEntry, OutcomeState, RecordedBody } from '@hoop/contract';
import { maskHeaders } from '@hoop/masking';
import type { BodyCapture, PackedEntry } from '@hoop/recording';
import { sealBodyBytes } from '@hoop/sealing';
import { headerValue } from '@hoop/upstream';

import type { Call, Marks } from './call.ts';
import { bodyJson, headersJson, quoted, quotedOrNull } from './entry-lines.ts';
import type { Relay } from './relay.ts';
import { maskRequestBody } from './request-body.ts';

export interface Ending {
  readonly state: OutcomeState;
  /** What the caller got. */
  readonly status: number | null;
  readonly error: AppError | null;
}

/** The outcome as the contract has it. */
export function outcomeOf(relay: Relay, call: Call, ending: Ending): OutcomeEntry {
  const { line, shared } = packOutcome(relay, call, ending);
  return Object.assign(JSON.parse(line) as OutcomeEntry, ...shared!.map((part): unknown => JSON.parse(part)));
}

/** The outcome as it is recorded, written straight into its line (see entry-lines.ts). */
export function packOutcome(relay: Relay, call: Call, { state, status, error }: Ending): PackedEntry {
  const { exchange, connection, session, lease } = call;
  const sealed: Uint8Array[] = [];
  const recording = connection?.snapshot.settings.recording;
  const keepsHeads = recording !== undefined && recording.capture !== 'none' && call.targetStatus !== null;
  const requestBody = exchange?.request ? recordedBody(call, exchange.request, 'request', sealed) : null;
  const responseBody = exchange && exchange.response.bytes > 0 ? recordedBody(call, exchange.response, 'response', sealed) : null;
  const report = exchange?.masker?.report;
  const line =
    `{"type":"outcome","callId":"${call.id}","sessionId":"${session?.id ?? relay.strangers}","at":${relay.now()},"state":"${state}"` +
    `,"status":${status},"targetStatus":${call.targetStatus},"error":${error === null || call.isCallerGone ? 'null' : `"${error.code}"`}` +
    `,"errorDetail":${error === null ? 'null' : quoted(error.detail)},"responseHeaders":${keepsHeads ? headersJson(maskHeaders(call.responseHeaders)) : '[]'}` +
    `,"requestBody":${bodyJson(requestBody)},"responseBody":${bodyJson(responseBody)}` +
    `,"leaseFingerprint":${lease === null ? 'null' : `"${lease.fingerprint}"`},"targetAddress":${quotedOrNull(exchange?.peer.address ?? null)},"targetTls":${tlsJson(exchange?.peer.tls ?? null)}` +
    `,"maskedCount":${report?.maskedCount ?? 0},"credentialReflected":${report?.credentialReflected ?? false},"timings":${timingsJson(call)}}`;
  return { line, sealed, shared: requestBody || responseBody ? session!.keys!.shared : noDataKey };
}

const noDataKey: readonly string[] = ['{"dataKey":null}'];

function recordedBody(call: Call, capture: BodyCapture, half: 'request' | 'response', sealed: Uint8Array[]): RecordedBody {
  const headers = half === 'request' ? call.request!.headers : call.responseHeaders;
  const contentType = headerValue(headers, 'content-type') ?? null;
  const kept = half === 'request' ? maskRequestBody(call, capture) : capture.kept();
  let placeholder: string | null = null;
  if (kept.byteLength > 0) {
    const bytes = sealBodyBytes(call.session!.keys!.dataKey.key, kept, `${call.id}:${half}`);
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

/** The same object for all calls of a connection, so its JSON is made once. */
const tlsJsons = new WeakMap<object, string>();

function tlsJson(facts: OutcomeEntry['targetTls'] & object | null): string {
  if (facts === null) return 'null';
  let json = tlsJsons.get(facts);
  if (json === undefined) tlsJsons.set(facts, (json = JSON.stringify(facts)));
  return json;
}

function timingsJson(call: Call): string {
  const { marks } = call;
  let json = '{';
  for (const phase of phases) if (marks[phase] >= 0) json += `"${phase}":${rounded(marks[phase])},`;
  return `${json}"end":${rounded(call.elapsed())}}`;
}

const phases: readonly (keyof Marks)[] = ['authenticated', 'decided', 'approved', 'intended', 'credential', 'head', 'body'];

/** To the hundredth of a millisecond; put together from whole numbers, which become text far quicker. */
function rounded(ms: number): string {
  const hundredths = Math.round(ms * 100);
  const rest = hundredths % 100;
  return `${(hundredths - rest) / 100}${rest === 0 ? '' : rest < 10 ? `.0${rest}` : `.${rest}`}`;
}
