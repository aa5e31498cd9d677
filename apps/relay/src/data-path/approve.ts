/**
 * Step 5: what a rule wants a person to decide. The approval is bound to the digest of exactly what will be sent; the
 * control plane hands it to this call or to none. Until it is there the request is held, within a limit.
 */
import { setTimeout as delay } from 'node:timers/promises';

import { AppError } from '@hoop/contract';
import type { ApprovalAnswer, ApprovalClaimBody, ApprovalState, ErrorCode } from '@hoop/contract';
import type { Verdict } from '@hoop/policy';
import { requestDigest } from '@hoop/recording';
import { headerValue } from '@hoop/upstream';

import { sealShown } from '../approvals/shown.ts';
import type { Call } from '../call/call.ts';
import { readPreferences } from '../call/preferences.ts';
import type { Relay } from '../relay.ts';
import { explanation } from './decide.ts';
import { holdBody } from './inspect.ts';
import { sentHeaders } from './sent-headers.ts';

const nothing = new Uint8Array(0);
/** Polls as a fallback, in case an event was missed. */
const lookEveryMs = 5_000;
/** How long the control plane is asked again at least, however short the call may wait: most restarts are over by then. */
const askAgainMs = 8_000;
/** Nobody waits for a deferred call at the relay, and to refuse one throws away what a person has approved. */
const askAgainForDeferredMs = 60_000;

const refusals: Partial<Record<ApprovalState, [code: ErrorCode, sentence: string]>> = {
  denied: ['approval_denied', 'A reviewer denied this call'],
  expired: ['approval_expired', 'Nobody decided about this call in time'],
  withdrawn: ['approval_withdrawn', 'The request for approval was withdrawn'],
  voided: ['approval_voided', 'The request for approval was voided'],
  consumed: [
    'approval_decided',
    'The approval was used by another call with the same bytes. Send the call again to ask for one of its own',
  ],
};

/** Holds the call until it may go on. @throws AppError `approval_*`, `body_*`, `unavailable` */
export async function approve(relay: Relay, call: Call, verdict: Verdict): Promise<void> {
  if (call.request!.hasBody && call.body === null) await holdBody(relay, call);
  const claim = await claimOf(relay, call, verdict);
  if (isOver(call)) return;
  const answer = await decisionOn(relay, call, claim, waitMs(call));
  if (isOver(call)) return;
  settle(call, answer, verdict);
}

/** Asks once, without waiting: for a call that is sent later. */
export async function requestApproval(relay: Relay, call: Call, verdict: Verdict): Promise<ApprovalAnswer> {
  const answer = await ask(relay, await claimOf(relay, call, verdict), call.waiting!.signal, askAgainMs);
  if (answer.state !== 'pending') settle(call, answer, verdict);
  return answer;
}

function settle(call: Call, answer: ApprovalAnswer, verdict: Verdict): void {
  const { approvalId, state, reason } = answer;
  if (state === 'approved') {
    call.approvalId = approvalId;
    return;
  }
  const about = { ...explanation(verdict), approvalId, follow: `/-/approvals/${approvalId}` };
  const refused = refusals[state];
  if (refused) {
    throw new AppError(refused[0], `${refused[1]}${reason === null ? '' : `: ${reason}`}.`, { extras: about });
  }
  throw new AppError(
    'approval_pending',
    `${verdict.reason} The call waits for a person. Send the same request again once it is approved.`,
    {
      extras: { ...about, expiresAt: new Date(answer.expiresAt).toISOString() },
      headers: { 'retry-after': '5' },
    },
  );
}

/** The caller left, or something that the call depends on was revoked. */
const isOver = (call: Call): boolean => call.stage === 'concluded';

function waitMs(call: Call): number {
  if (call.deferred !== null) return 0;
  const limit = call.connection!.snapshot.settings.limits.approvalWaitSeconds;
  return Math.min(limit, readPreferences(call.request!.headers).waitSeconds ?? limit) * 1000;
}

async function claimOf(relay: Relay, call: Call, verdict: Verdict): Promise<ApprovalClaimBody> {
  const request = call.request!;
  if (headerValue(request.headers, 'content-encoding') !== undefined) {
    throw new AppError('body_not_inspectable', 'An approver has to see the body: send it without content-encoding.');
  }
  // Its secrets must be readable for the one who decides, so the session's key has to be there.
  const keys = call.session!.keys ?? (await call.session!.opening);
  if (keys === null) throw new AppError('recorder_unavailable', 'The key for recorded bodies could not be made.');
  const { snapshot } = call.connection!;
  const body = call.body ?? nothing;
  const headers = sentHeaders(call, true);
  const credential = snapshot.credential === null ? null : { id: snapshot.credential.id, revision: snapshot.credential.revision };
  const policy = { id: snapshot.policy!.id, revision: snapshot.policy!.revision };
  const { target } = call.route!;
  const { identity, claims, grantId } = call.caller!;
  const digest = requestDigest({
    method: request.method,
    authority: target.origin,
    path: target.basePath + call.targetPath,
    search: request.search,
    headers,
    identityId: identity.snapshot.id,
    connectionId: snapshot.id,
    credential,
    policy,
    body,
  });
  call.waiting ??= new AbortController();
  return {
    approvalId: call.deferred?.approvalId ?? null,
    callId: call.id,
    sessionId: call.session!.id,
    digest,
    identityId: identity.snapshot.id,
    connectionId: snapshot.id,
    policyId: policy.id,
    policyRevision: policy.revision,
    credential,
    requirements: verdict.approvals.map(({ rule, approval }) => ({ rule, approval })),
    context: { ...call.context },
    claims: { ...claims },
    grantId,
    method: request.method,
    url: call.url,
    path: request.path,
    bodyBytes: body.byteLength,
    shown: sealShown(call, headers, body),
  };
}

/** The last word within the limit: an answer that lets the call go on, refuses it, or is still `pending`. */
async function decisionOn(relay: Relay, call: Call, claim: ApprovalClaimBody, limitMs: number): Promise<ApprovalAnswer> {
  const until = relay.now() + limitMs;
  const { signal } = call.waiting!;
  let approvalId = claim.approvalId;
  for (;;) {
    // Who waits for a person waits as long for the control plane.
    const askMs = call.deferred === null ? Math.max(askAgainMs, until - relay.now()) : askAgainForDeferredMs;
    const answer = await ask(relay, { ...claim, approvalId }, signal, askMs);
    // Another call with the same bytes was faster; this one has to ask for itself, unless it was told which to use.
    if (answer.state === 'consumed' && claim.approvalId === null) {
      approvalId = null;
      continue;
    }
    if (answer.state !== 'pending') return answer;
    if (approvalId === null) {
      approvalId = answer.approvalId;
      withdrawWhenLeft(relay, call, approvalId);
    }
    if (!(await isDecided(relay, call, approvalId, until)) || isOver(call)) return answer;
  }
}

/** False where the time is up. A relay that shuts down holds no call: the same request finds another relay. */
async function isDecided(relay: Relay, call: Call, approvalId: string, until: number): Promise<boolean> {
  const { signal } = call.waiting!;
  for (;;) {
    const left = until - relay.now();
    if (left <= 0 || relay.isDraining || signal.aborted) return false;
    const watched = watch(relay, approvalId);
    try {
      if (!(await isPending(relay, call, approvalId)) || (await watched.changed(Math.min(left, lookEveryMs), signal))) return true;
    } finally {
      watched.end();
    }
  }
}

/** A cheap question. Without an answer the approval counts as pending until the next one. */
async function isPending(relay: Relay, call: Call, approvalId: string): Promise<boolean> {
  try {
    const { state } = await relay.controlPlane.readApproval(approvalId, call.caller!.identity.snapshot.id, 0, call.waiting!.signal);
    return state === 'pending';
  } catch (error) {
    return error instanceof AppError && error.code === 'unavailable';
  }
}

/** Watches before it is asked, so that no decision falls between the two. `changed` is false where the time was over first. */
function watch(relay: Relay, approvalId: string): { changed(limitMs: number, signal: AbortSignal): Promise<boolean>; end(): void } {
  const change = new AbortController();
  return {
    async changed(limitMs, signal) {
      await delay(limitMs, undefined, { signal: AbortSignal.any([signal, change.signal]) }).catch(() => undefined);
      return change.signal.aborted;
    },
    end: relay.subjects.watch(approvalId, () => change.abort()),
  };
}

/**
 * Asks again for a while where the answer is lost: it may have handed the approval to this call, and then to no other.
 * @throws AppError what the control plane refused with; `unavailable`
 */
async function ask(relay: Relay, claim: ApprovalClaimBody, signal: AbortSignal, limitMs: number): Promise<ApprovalAnswer> {
  const from = relay.now();
  for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 2_000)) {
    try {
      return await relay.controlPlane.claimApproval(claim, signal);
    } catch (error) {
      const until = from + (relay.isDraining ? Math.min(limitMs, askAgainMs) : limitMs);
      const mayAskAgain = error instanceof AppError && error.code === 'unavailable' && !signal.aborted && relay.now() + waitMs < until;
      if (!mayAskAgain) throw error;
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Where the caller asked for it, leaving takes the request back. */
function withdrawWhenLeft(relay: Relay, call: Call, approvalId: string): void {
  if (!readPreferences(call.request!.headers).withdrawOnAbort) return;
  call.waiting!.signal.addEventListener(
    'abort',
    () => {
      if (!call.isCallerGone) return;
      relay.controlPlane
        .withdrawApproval(approvalId, call.caller!.identity.snapshot.id, 'the function stopped waiting')
        .catch((error: unknown) =>
          relay.log.warn({ event: 'withdrawal_failed', approvalId, error: String(error) }, 'an approval could not be withdrawn'),
        );
    },
    { once: true },
  );
}
