/** `Prefer: respond-async` (RFC 7240 §4.1): the request is kept sealed and sent later, after its approval where it needs one. */
import { AppError, headers as names } from '@hoop/contract';
import type { DeferredCallBody, HeaderList } from '@hoop/contract';
import type { Verdict } from '@hoop/policy';
import { headerValue } from '@hoop/upstream';

import type { Call } from '../call.ts';
import { requestApproval } from '../data-path/approve.ts';
import { inspect } from '../data-path/decide.ts';
import { readPreferences } from '../preferences.ts';
import type { Relay } from '../relay.ts';
import { sealForRelays } from './sealed-request.ts';

/** What would authenticate somebody, or ask for a deferral again, is not kept. */
const notKept = new Set<string>(['authorization', 'prefer', 'expect', 'content-length', 'transfer-encoding', names.grant, names.wait, names.session, names.withdrawOnAbort, names.channel, names.deferred]);

const keptHeaders = (list: HeaderList): HeaderList => list.filter(([name]) => !notKept.has(name));

/** @throws AppError `body_not_inspectable`, `approval_*`, `unavailable` */
export async function defer(relay: Relay, call: Call, verdict: Verdict): Promise<void> {
  const request = call.request!;
  const { webhookChannel } = readPreferences(request.headers);
  refuseUnknownChannel(webhookChannel);
  if (request.hasBody && call.body === null) await inspect(call);
  call.waiting ??= new AbortController();
  const approvalId = verdict.effect === 'require_approval' ? (await requestApproval(relay, call, verdict)).approvalId : null;
  const { identity, issuer, subject, claims, grantId, issuedAtSeconds, connectionIds, sessionName } = call.caller!;
  const sealed = await sealForRelays(relay.sealingKeys, call.id, 'deferred-request', {
    version: 1,
    caller: {
      identityId: identity.snapshot.id,
      issuer,
      subject,
      claims: { ...claims },
      grantId,
      issuedAtSeconds,
      connectionIds: connectionIds === null ? null : [...connectionIds],
      sessionName: headerValue(request.headers, names.session) ?? sessionName,
    },
    method: request.method,
    target: call.req.url!,
    headers: keptHeaders(request.headers),
    body: (call.body ?? Buffer.alloc(0)).toString('base64'),
  });
  const created = await relay.controlPlane.createDeferredCall({
    callId: call.id,
    identityId: identity.snapshot.id,
    connectionId: call.connection!.snapshot.id,
    approvalId,
    request: sealed,
    idempotencyKey: headerValue(request.headers, 'idempotency-key') ?? null,
    mayRetry: mayRetry(call, verdict),
    webhookChannel,
  });
  if (call.stage === 'concluded') {
    // The caller left before it learnt the id, so nobody could collect the result.
    await relay.controlPlane.withdrawDeferredCall(call.id, identity.snapshot.id).catch(() => undefined);
    return;
  }
  accept(relay, call, created);
}

/** RFC 7240 §4.1: 202, where to look, and that the preference was honoured. */
function accept(relay: Relay, call: Call, created: DeferredCallBody): void {
  call.stage = 'concluded';
  relay.calls.delete(call);
  call.siblings?.delete(call);
  sendDeferredState(call, created);
}

export function sendDeferredState(call: Call, { callId, approvalId, state }: DeferredCallBody): void {
  if (call.res.destroyed) return;
  const location = `/-/calls/${callId}`;
  const body = Buffer.from(JSON.stringify({ callId, approvalId, state, location }));
  call.res.writeHead(202, [
    'content-type', 'application/json',
    'content-length', String(body.length),
    'cache-control', 'no-store',
    'location', location,
    'preference-applied', 'respond-async',
    'retry-after', '5',
    names.call, callId,
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
