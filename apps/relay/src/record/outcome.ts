/** Builds the outcome of a call for the record. */
import type { AppError, OutcomeEntry, OutcomeState, RecordedBody } from '@hoop/contract';
import { maskHeaders } from '@hoop/masking';
import { joinParts, timingMembers } from '@hoop/recording';
import type { BodyCapture, PackedEntry, PlainBody } from '@hoop/recording';
import { sealBodyBytes, sealOverhead } from '@hoop/sealing';
import { headerValue } from '@hoop/upstream';

import type { Call } from '../call/call.ts';
import { bodyJson, completionPart, responseHeadersPart, targetPart } from './entry-lines.ts';
import type { Relay } from '../relay.ts';
import { keepAsItIs, keepRequestBody } from './kept-body.ts';
import type { KeptBody } from './kept-body.ts';
import { heldCapture } from './refused-body.ts';
import { strangerOutcome } from './strangers.ts';

export interface Ending {
  readonly state: OutcomeState;
  /** The status that the caller got. */
  readonly status: number | null;
  readonly error: AppError | null;
}

/** The outcome of a call that did not get as far as a target. */
export function outcomeOf(relay: Relay, call: Call, { state, status, error }: Ending & { readonly error: AppError }): OutcomeEntry {
  const timings = Object.fromEntries(
    timingMembers.map((name): [string, number] => [name, name === 'end' ? call.elapsed() : call.marks[name]]),
  );
  return {
    ...strangerOutcome(relay, call.id, error),
    sessionId: call.session?.id ?? relay.strangers,
    state,
    status,
    error: recordedError(call, error),
    timings: Object.fromEntries(Object.entries(timings).filter(([, ms]) => ms > 0)),
  };
}

/** Of a call that may be kept for later it says that nothing was sent, also where the caller has left. */
const recordedError = (call: Call, error: AppError | null): string | null =>
  call.isCallerGone && !call.isBeingKept ? null : (error?.code ?? null);

/** Bodies up to here are sealed at once: to wait for a turn would cost as much. */
const lightBytes = 16 * 1024;
/** Bytes of bodies that are masked, sealed and packed in a millisecond. */
const bytesPerMs = 400_000;

/** Resolves once what came of a call that was intended is durable. Large bodies are sealed when it is their identity's turn. */
export function recordOutcome(relay: Relay, call: Call, ending: Ending): Promise<void> {
  const keptBytes = (call.exchange?.response.keptBytes ?? 0) + (call.exchange?.request?.keptBytes ?? call.body?.length ?? 0);
  const turn = keptBytes > lightBytes ? call.caller!.identity.share.lane.step(keptBytes / bytesPerMs) : undefined;
  return turn ? turn.then(() => addOutcome(relay, call, ending)) : addOutcome(relay, call, ending);
}

function addOutcome(relay: Relay, call: Call, ending: Ending): Promise<void> {
  const capture = call.exchange === null ? heldBody(call) : call.exchange.request;
  const kept = capture === null ? null : keepRequestBody(call, capture);
  if (kept instanceof Promise) return kept.then((body) => relay.recorder.add(packOutcome(relay, call, ending, capture, body)));
  return relay.recorder.add(packOutcome(relay, call, ending, capture, kept));
}

/** Of a call that ended before it was sent, where a condition or a person had to see the body. */
function heldBody({ body, session, connection }: Call): BodyCapture | null {
  const keys = session?.keys ?? null;
  if (body === null || keys === null) return null;
  const { capture, maxBodyBytes } = connection!.snapshot.settings.recording;
  return heldCapture(capture === 'full' ? maxBodyBytes : 0, keys, body);
}

/** The bodies of an outcome: sealed here or, where a journal is sealed as a whole, as they are. */
interface RecordedBytes {
  readonly sealed: Uint8Array[];
  readonly plain: PlainBody[] | null;
}

/** As recorder-pack.ts wants it. */
function packOutcome(
  relay: Relay,
  call: Call,
  { state, status, error }: Ending,
  capture: BodyCapture | null,
  requestKept: KeptBody | null,
): PackedEntry {
  const { exchange, connection, session, lease } = call;
  const bodies: RecordedBytes = { sealed: [], plain: relay.journal === null ? null : [] };
  const keepsHeads = connection!.snapshot.settings.recording.capture !== 'none' && call.targetStatus !== null;
  const requestBody = requestKept === null ? null : recordedBody(call, 'request', capture!, requestKept, bodies);
  const responseBody =
    exchange && exchange.response.bytes > 0
      ? recordedBody(call, 'response', exchange.response, keepAsItIs(exchange.response), bodies)
      : null;
  const report = exchange?.masker?.report;
  const detail = detailOf(error, exchange?.isResent ?? false, report?.hiddenValues ?? 0);
  const line =
    `["o","${call.id}",${relay.now()},${bodyJson(requestBody)},${bodyJson(responseBody)}` +
    `,${report?.maskedCount ?? 0},${report?.credentialReflected ?? false},${timingsJson(call)}]`;
  const shared = [
    session!.part,
    ...(requestBody || responseBody ? [session!.keys!.wrappingPart, session!.keys!.part] : [noDataKey]),
    targetPart(lease, exchange?.peer.address ?? null, exchange?.peer.tls ?? null),
    keepsHeads ? responseHeadersPart(connection!, maskHeaders(call.responseHeaders)) : noResponseHeaders,
    state === 'completed' && error === null && status !== null && status === call.targetStatus && detail === null
      ? completionPart(status)
      : JSON.stringify({
          state,
          status,
          targetStatus: call.targetStatus,
          error: recordedError(call, error),
          errorDetail: detail,
        }),
  ];
  return bodies.plain === null ? { line, sealed: bodies.sealed, shared } : { line, sealed: bodies.sealed, plain: bodies.plain, shared };
}

const resent = 'The request was sent twice: the target had closed the first connection before anything came back.';

/** The reason of a failure, and what an investigator has to know of the call beside it. */
function detailOf(error: AppError | null, isResent: boolean, hiddenValues: number): string | null {
  const sentences = error === null ? [] : [error.detail];
  if (isResent) sentences.push(resent);
  if (hiddenValues > 0)
    sentences.push(`${hiddenValues} values of the response were hidden whole: to look into them would have cost more than a body may.`);
  return sentences.length === 0 ? null : sentences.join(' ');
}

const noResponseHeaders = '{"responseHeaders":[]}';
const noDataKey = '{"dataKey":null}';

function recordedBody(call: Call, half: 'request' | 'response', capture: BodyCapture, kept: KeptBody, bodies: RecordedBytes): RecordedBody {
  const headers = half === 'request' ? call.request!.headers : call.responseHeaders;
  const contentType = headerValue(headers, 'content-type') ?? null;
  let placeholder: string | null = null;
  if (kept.bytes > 0) {
    const { key } = call.session!.keys!.dataKey;
    const owner = `${call.id}:${half}`;
    if (bodies.plain === null) bodies.sealed.push(sealBodyBytes(key, joinParts(kept.parts), owner));
    else bodies.plain.push({ parts: kept.parts, bytes: kept.bytes, key, owner });
    placeholder = `@${kept.bytes + sealOverhead}`;
  }
  return {
    bytes: capture.bytes,
    digest: capture.digest(),
    sealed: placeholder,
    keptBytes: kept.bytes,
    truncated: kept.isTruncated,
    contentType,
    ...(half === 'response' && call.exchange?.parts ? { parts: call.exchange.parts } : {}),
    ...(kept.isDecoded ? { decoded: true } : {}),
    ...(kept.isWithheld ? { withheld: true } : {}),
  };
}

/** The values of `timingMembers`. */
function timingsJson(call: Call): string {
  const { marks } = call;
  return (
    `[${rounded(marks.authenticated)},${rounded(marks.decided)},${rounded(marks.approved)},${rounded(marks.intended)}` +
    `,${rounded(marks.credential)},${rounded(marks.head)},${rounded(marks.body)},${rounded(call.elapsed())}]`
  );
}

/** To the hundredth of a millisecond; put together from whole numbers, which become text far quicker. */
function rounded(ms: number): string {
  if (ms <= 0) return '0';
  const hundredths = Math.round(ms * 100);
  const rest = hundredths % 100;
  return `${(hundredths - rest) / 100}${rest === 0 ? '' : rest < 10 ? `.0${rest}` : `.${rest}`}`;
}
