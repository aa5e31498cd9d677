/** `Prefer: respond-async` (RFC 7240 §4.1): the request is kept sealed and sent later, after its approval where it needs one. */
import { setTimeout as delay } from 'node:timers/promises';

import { AppError, headers as names } from '@hoop/contract';
import type { DeferredCallBody, HeaderList } from '@hoop/contract';
import type { Verdict } from '@hoop/policy';
import { headerValue } from '@hoop/upstream';

import type { NewDeferredCall } from '../control-plane/client.ts';
import type { Call } from '../call/call.ts';
import { leave as leaveRelay } from '../caller/admission.ts';
import { requestApproval } from '../data-path/approve.ts';
import { holdBody } from '../data-path/inspect.ts';
import { readPreferences, withoutOwnPreferences } from '../call/preferences.ts';
import type { Relay } from '../relay.ts';
import { sealForRelays } from './sealed-request.ts';

/** Drops headers that would authenticate somebody or ask for a deferral again. */
const notKept = new Set<string>([
  'authorization',
  'expect',
  'content-length',
  'transfer-encoding',
  names.grant,
  names.wait,
  names.session,
  names.withdrawOnAbort,
  names.channel,
  names.deferred,
]);

const keptHeaders = (list: HeaderList): HeaderList => withoutOwnPreferences(list).filter(([name]) => !notKept.has(name));

/** @throws AppError `body_*`, `approval_*`, `too_many_approvals`, `unavailable`, `outcome_unknown` */
export async function defer(relay: Relay, call: Call, verdict: Verdict): Promise<void> {
  const request = call.request!;
  const { webhookChannel } = readPreferences(request.headers);
  refuseUnknownChannel(webhookChannel);
  if (request.hasBody && call.body === null) await holdBody(relay, call);
  call.waiting ??= new AbortController();
  const approvalId = verdict.effect === 'require_approval' ? (await requestApproval(relay, call, verdict)).approvalId : null;
  const { identity, issuer, subject, claims, claimNames, grantId, issuedAtSeconds, connectionIds, sessionName } = call.caller!;
  const sealed = await sealForRelays(relay.sealingKeys, call.id, 'deferred-request', {
    version: 1,
    caller: {
      identityId: identity.snapshot.id,
      issuer,
      subject,
      claims: { ...claims },
      claimNames: claimNames === null ? null : [...claimNames],
      grantId,
      issuedAtSeconds,
      connectionIds: connectionIds === null ? null : [...connectionIds],
      sessionName: headerValue(request.headers, names.session) ?? sessionName,
    },
    method: request.method,
    target: relayPath(call),
    headers: keptHeaders(request.headers),
    body: (call.body ?? Buffer.alloc(0)).toString('base64'),
  });
  if (isOver(call)) return;
  call.isBeingKept = true;
  const created = await keep(relay, call, {
    callId: call.id,
    identityId: identity.snapshot.id,
    connectionId: call.connection!.snapshot.id,
    approvalId,
    request: sealed,
    idempotencyKey: headerValue(request.headers, 'idempotency-key') ?? null,
    mayRetry: mayRetry(call, verdict),
    webhookChannel,
  });
  if (isOver(call)) {
    // The caller left before it learnt the id, so nobody could collect the result.
    await relay.controlPlane.withdrawDeferredCall(call.id, identity.snapshot.id).catch((error: unknown) => {
      relay.log.warn(
        { event: 'withdrawal_failed', callId: call.id, error: String(error) },
        'a deferred call of a caller that has left could not be withdrawn',
      );
    });
    return;
  }
  accept(relay, call, created);
}

/** The request line by which this process sends the call to itself. */
function relayPath({ req, request, door, targetPath }: Call): string {
  return door === null ? req.url! : `/${request!.connection}${targetPath}${request!.search}`;
}

const isOver = (call: Call): boolean => call.stage === 'concluded';

/** A control plane that starts again is back by then. */
const keepAgainMs = 8_000;

/**
 * Keeps it once, however often it has to be asked for. Where no answer comes at all, the call may be kept or not, and the
 * caller is told so: asking for its id says which.
 */
async function keep(relay: Relay, call: Call, kept: NewDeferredCall): Promise<DeferredCallBody> {
  const until = relay.now() + keepAgainMs;
  for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 1_000)) {
    try {
      return await relay.controlPlane.createDeferredCall(kept);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'unavailable') {
        call.isBeingKept = false;
        throw error;
      }
      if (isOver(call) || relay.now() + waitMs >= until) {
        const location = `/-/calls/${call.id}`;
        throw new AppError('outcome_unknown', `It is not known whether the call is kept. GET ${location} says it: 404 where it is not.`, {
          cause: error,
          extras: { deferredCallId: call.id, location },
        });
      }
      await delay(waitMs);
    }
  }
}

/** RFC 7240 §4.1: 202, where to look, and that the preference was honoured. */
function accept(relay: Relay, call: Call, created: DeferredCallBody): void {
  call.stage = 'concluded';
  leaveRelay(relay, call);
  sendDeferredState(call, created);
}

export function sendDeferredState(call: Call, { callId, approvalId, state }: DeferredCallBody): void {
  if (call.res.destroyed) return;
  const location = `/-/calls/${callId}`;
  const body = Buffer.from(JSON.stringify({ callId, approvalId, state, location }));
  call.res.writeHead(202, [
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
    'cache-control',
    'no-store',
    'location',
    location,
    'preference-applied',
    'respond-async',
    'retry-after',
    '5',
    names.call,
    callId,
  ]);
  call.res.end(body);
}

export const wantsDeferral = (call: Call): boolean => call.deferred === null && readPreferences(call.request!.headers).respondAsync;

/** Every rule that matched must allow it, and the caller must have given a key (RFC draft Idempotency-Key). */
function mayRetry(call: Call, { matchedRules }: Verdict): boolean {
  const rules = call.connection!.snapshot.policy!.rules.filter((rule) => matchedRules.includes(rule.name));
  return rules.length > 0 && rules.every((rule) => rule.retryUnknown === true);
}

function refuseUnknownChannel(name: string | null): void {
  if (name !== null && !/^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/.test(name)) {
    throw new AppError('invalid_request', `The ${names.channel} header must be the name of a notification channel.`);
  }
}
