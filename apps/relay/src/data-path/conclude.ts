/** Step 10: the durable outcome, before the last byte is released (strict) or after it (relaxed). Every call ends here, once. */
import { inspect } from 'node:util';

import { AppError } from '@hoop/contract';
import type { HeaderList, OutcomeState } from '@hoop/contract';

import type { Call, CallStage } from '../call/call.ts';
import { leave } from '../caller/admission.ts';
import { outcomeOf, recordOutcome } from '../record/outcome.ts';
import { refusedBody } from '../record/refused-body.ts';
import { renderProblem, sendProblem } from '../call/problem.ts';
import type { Relay } from '../relay.ts';
import { discardRest } from '../transfer/upload.ts';
import { callHead } from './intend.ts';
import { tunnelOutcome } from './tunnel.ts';

/** The response is complete and masked. */
export function conclude(relay: Relay, call: Call, trailers: HeaderList): void {
  call.stage = 'concluded';
  call.delivery!.over();
  call.marks.body = call.elapsed();
  const durable = recordCompletion(relay, call);
  if (call.connection!.snapshot.settings.recording.durability === 'relaxed') {
    durable.catch((error: unknown) =>
      relay.log.error({ event: 'outcome_late', callId: call.id, error: String(error) }, 'an outcome is not durable yet'),
    );
    release(relay, call, trailers);
    return;
  }
  durable.then(
    () => release(relay, call, trailers),
    (error: unknown) => {
      call.delivery!.stop();
      answer(relay, call, notRecorded('The target answered this call', error));
    },
  );
}

/** No failure in making the record may leave the call hanging. */
function recordCompletion(relay: Relay, call: Call): Promise<void> {
  try {
    return recordOutcome(relay, call, { state: 'completed', status: call.targetStatus, error: null });
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Unlike `recorder_unavailable` this is no invitation to send the call again. */
function notRecorded(what: string, cause: unknown): AppError {
  const detail = `${what}, but what came of it could not be recorded in time, so the response is withheld. Look at the record of the call before sending it again.`;
  return new AppError('outcome_not_recorded', detail, { cause });
}

function release(relay: Relay, call: Call, trailers: HeaderList): void {
  call.delivery!.release(trailers);
  if (call.request!.hasBody) discardRest(call);
  leave(relay, call);
}

/**
 * The call ends without a complete response: refused, failed, revoked, or left by its caller. What a target got is
 * recorded as such; a head that was sent is followed by a cut and never by a clean end.
 */
export function fail(relay: Relay, call: Call, thrown: unknown): void {
  const { stage } = call;
  if (stage === 'concluded') return;
  call.stage = 'concluded';
  const cause = thrown instanceof AppError ? thrown : new AppError('internal', 'Something went wrong in the relay.', { cause: thrown });
  logFailure(relay, call, cause);
  const error = stage === 'sent' ? afterSending(cause) : cause;
  call.waiting?.abort(error);
  call.exchange?.abort(error);
  call.tunnel?.abort();
  if (call.res.headersSent) cut(call);
  Promise.try(() => record(relay, call, stage, error)).then(
    () => answer(relay, call, stage === 'sent' ? error : thrown),
    (unrecorded: unknown) =>
      answer(relay, call, stage === 'sent' ? notRecorded('The target may have carried out this call', unrecorded) : unrecorded),
  );
}

/** The same refusal for a call that a target may have got: it says so, and no client library sends the call again by itself. */
function afterSending({ code, detail, extras, headers: { 'retry-after': _, ...headers }, cause }: AppError): AppError {
  const sentence = 'The request was sent, and the target may have acted on it: find out before you send it again.';
  return new AppError(code, `${detail} ${sentence}`, { extras, headers, cause, isSent: true });
}

function record(relay: Relay, call: Call, stage: CallStage, error: AppError): Promise<void> {
  const status = call.res.headersSent ? call.targetStatus : call.isCallerGone ? null : error.status;
  const outcome = { state: endState(call, stage), status, error };
  if (stage !== 'open')
    return call.tunnel === null ? recordOutcome(relay, call, outcome) : relay.recorder.conclude(tunnelOutcome(relay, call, outcome));
  const head = callHead(relay, call);
  const refused = outcomeOf(relay, call, outcome);
  const share = call.caller?.identity.share ?? null;
  // A socket with too many requests is closed after this answer, and a new one brings as many: that once a second is enough.
  const isLate = call.socket?.isClosing === true;
  if (call.caller === null || !call.request!.hasBody) return relay.refusals.record(head, refused, share, isLate);
  return refusedBody(relay.refusedBodies, call).then((body) => relay.refusals.record(head, { ...refused, ...body }, share));
}

function endState(call: Call, stage: CallStage): OutcomeState {
  if (call.isBeingKept) return 'unknown';
  if (call.isCallerGone) return 'aborted';
  return stage === 'sent' ? 'failed' : 'refused';
}

function answer(relay: Relay, call: Call, error: unknown): void {
  const { res } = call;
  leave(relay, call);
  if (res.headersSent) {
    cut(call);
    return;
  }
  if (res.destroyed || call.tunnel?.isOpen === true) return;
  // A body that was not invited may never come, so this connection cannot carry another request.
  if (call.expectsContinue && !call.isInvited) res.shouldKeepAlive = false;
  // Inside of a CONNECT all requests have the token that was refused: a new connection brings a new one.
  if (call.door?.isInside && call.caller === null) res.shouldKeepAlive = false;
  sendProblem(res, renderProblem(error, call.id));
  if (!call.expectsContinue || call.isInvited) discardRest(call);
}

/** With a reset, as an orderly close could pass for the end of a body that has no length (RFC 9112 §6.3). */
function cut({ req, res }: Call): void {
  const { socket } = req;
  if (socket && !socket.destroyed) {
    if ('resetAndDestroy' in socket && !('encrypted' in socket)) socket.resetAndDestroy();
    else socket.destroy();
  }
  res.destroy();
}

/** Refusals are in the record; what went wrong around us, with its cause, is for the log. */
function logFailure({ log }: Relay, { id, connection }: Call, error: AppError): void {
  if (error.status < 500 && !error.isSent) return;
  const details = {
    event: 'call_failed',
    callId: id,
    connection: connection?.snapshot.name,
    code: error.code,
    cause: describe(error.cause),
  };
  if (error.code === 'internal')
    log.error({ ...details, stack: error.cause instanceof Error ? error.cause.stack : undefined }, 'unexpected error in the data path');
  else log.warn(details, error.detail);
}

function describe(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return cause === undefined ? undefined : inspect(cause);
  return cause instanceof AppError
    ? cause.message
    : `${cause.name}: ${cause.message}${(cause as NodeJS.ErrnoException).code ? ` (${(cause as NodeJS.ErrnoException).code})` : ''}`;
}
