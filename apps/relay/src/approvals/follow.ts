/**
 * `/-/approvals/ID` and `/-/calls/ID`: where a function follows what it waits for. Authenticated like any call; what
 * belongs to another identity looks exactly like what does not exist.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { AppError, errorKinds, headers as names, idSchema } from '@hoop/contract';
import type { ApprovalAnswer, DeferredCallBody, ErrorCode } from '@hoop/contract';
import { readRequest } from '@hoop/upstream';

import { Call } from '../call/call.ts';
import { renderProblem, sendProblem } from '../call/problem.ts';
import { admit, leave as leaveRelay } from '../caller/admission.ts';
import { authenticate } from '../data-path/authenticate.ts';
import { fail } from '../data-path/conclude.ts';
import { sendDeferredState } from '../deferred/defer.ts';
import { deferredResponseSchema, openForRelays } from '../deferred/sealed-request.ts';
import type { Relay } from '../relay.ts';

const form = /^\/-\/(approvals|calls)\/([A-Za-z0-9_]{1,64})(?:\?wait=([0-9]{1,2}))?$/;
const maxWaitSeconds = 30;

const missing = (noun: string): AppError => new AppError('not_found', `There is no such ${noun}.`);

/** False where the path is none of these. */
export function answerFollow(relay: Relay, req: IncomingMessage, res: ServerResponse, register: (call: Call) => void): boolean {
  const match = form.exec(req.url!);
  if (match === null) return false;
  const call = new Call(req, res, relay.now(), false);
  register(call);
  follow(relay, call, match[1] as 'approvals' | 'calls', match[2]!, Math.min(Number(match[3] ?? 0), maxWaitSeconds)).catch(
    (error: unknown) => fail(relay, call, error),
  );
  return true;
}

async function follow(relay: Relay, call: Call, noun: 'approvals' | 'calls', id: string, waitSeconds: number): Promise<void> {
  const { req } = call;
  admit(relay, call);
  // The head is read by the same rules as that of a call; its path names no connection.
  call.request = {
    ...readRequest({ method: req.method!, url: '/follow', rawHeaders: req.rawHeaders, httpVersion: req.httpVersion }),
    connection: '-',
    path: `/${noun}/${id}`,
  };
  const verification = authenticate(relay, call);
  if (verification) await verification;
  if (call.stage === 'concluded') return;
  call.waiting = new AbortController();
  if (noun === 'approvals') await followApproval(relay, call, id, waitSeconds);
  else await followCall(relay, call, id, waitSeconds);
}

async function followApproval(relay: Relay, call: Call, id: string, waitSeconds: number): Promise<void> {
  if (!idSchema('approval').safeParse(id).success) throw missing('approval');
  const identityId = call.caller!.identity.snapshot.id;
  let answer: ApprovalAnswer;
  if (call.req.method === 'GET') answer = await relay.controlPlane.readApproval(id, identityId, waitSeconds, call.waiting!.signal);
  else if (call.req.method === 'DELETE') answer = await relay.controlPlane.withdrawApproval(id, identityId, 'withdrawn by the function');
  else
    throw new AppError('method_not_allowed', 'An approval can be read (GET) and withdrawn (DELETE).', {
      headers: { allow: 'GET, DELETE' },
    });
  const { approvalId, state, expiresAt, validity, reason } = answer;
  sendJson(relay, call, 200, { approvalId, state, expiresAt: new Date(expiresAt).toISOString(), validity, reason });
}

async function followCall(relay: Relay, call: Call, id: string, waitSeconds: number): Promise<void> {
  if (!idSchema('call').safeParse(id).success) throw missing('deferred call');
  const identityId = call.caller!.identity.snapshot.id;
  if (call.req.method === 'DELETE') {
    const { callId, state } = await relay.controlPlane.withdrawDeferredCall(id, identityId);
    sendJson(relay, call, 200, { callId, state });
    return;
  }
  if (call.req.method !== 'GET')
    throw new AppError('method_not_allowed', 'A deferred call can be collected (GET) and withdrawn (DELETE).', {
      headers: { allow: 'GET, DELETE' },
    });
  const deferred = await relay.controlPlane.readDeferredCall(id, identityId, waitSeconds, call.waiting!.signal);
  if (call.stage === 'concluded') return;
  const isOpen = deferred.state === 'waiting' || deferred.state === 'ready' || deferred.state === 'running';
  if (isOpen) {
    leave(relay, call);
    sendDeferredState(call, deferred);
  } else if (deferred.response !== null) {
    await sendResponse(relay, call, deferred);
  } else {
    leave(relay, call);
    sendProblem(call.res, renderProblem(endError(deferred), deferred.callId));
  }
}

/** Its answer names the deferred call in `hoop-call`, as the response does: an answer that names another call is about the question. */
function endError({ state, error, errorDetail, approvalId, callId }: DeferredCallBody): AppError {
  const code: ErrorCode = error !== null && Object.hasOwn(errorKinds, error) ? (error as ErrorCode) : 'outcome_unknown';
  const sentence = errorDetail ?? `The deferred call ended as ${state}.`;
  return new AppError(code, sentence, { extras: { deferredCallId: callId, state, ...(approvalId === null ? {} : { approvalId }) } });
}

async function sendResponse(relay: Relay, call: Call, deferred: DeferredCallBody): Promise<void> {
  const stored = deferredResponseSchema.parse(
    await openForRelays(relay.sealingKeys, deferred.callId, 'deferred-response', deferred.response!),
  );
  if (call.stage === 'concluded') return;
  leave(relay, call);
  const body = Buffer.from(stored.body, 'base64');
  const list = stored.headers.filter(([name]) => name !== 'content-length' && name !== names.call);
  call.res.writeHead(stored.status, [...list.flat(), 'content-length', String(body.length), names.call, deferred.callId]);
  call.res.end(body);
}

function sendJson(relay: Relay, call: Call, status: number, value: unknown): void {
  if (call.stage === 'concluded') return;
  leave(relay, call);
  const body = Buffer.from(JSON.stringify(value));
  call.res.writeHead(status, ['content-type', 'application/json', 'content-length', String(body.length), 'cache-control', 'no-store']);
  call.res.end(body);
}

/** Following is no call to a target: nothing of it is recorded but its refusal. */
function leave(relay: Relay, call: Call): void {
  call.stage = 'concluded';
  leaveRelay(relay, call);
}
