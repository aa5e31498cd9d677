/** Step 4: the policy. What no rule allows is denied, and whoever is denied learns why. */
import { AppError } from '@hoop/contract';
import { decide as judge, headerFacts, needsBody, readInspectedBody } from '@hoop/policy';
import type { BodyState, Facts, Verdict } from '@hoop/policy';
import { headerValue } from '@hoop/upstream';

import type { Call } from '../call/call.ts';
import type { Caller } from '../caller/callers.ts';
import type { Relay } from '../relay.ts';
import { readWholeBody } from '../transfer/upload.ts';

/** Whether a condition of a rule that covers this request wants to see the body, which then has to be waited for. */
export function mustSeeBody(call: Call): boolean {
  const { method, path, hasBody } = call.request!;
  const { policy } = call.compiled!;
  return hasBody && policy !== null && needsBody(policy, method, path);
}

/** Holds the whole body, or refuses: a condition never sees a prefix. @throws AppError `body_not_inspectable`, `request_*` */
export async function inspect(call: Call): Promise<void> {
  const { maxInspectedBytes, idleTimeoutMs } = call.connection!.snapshot.settings.limits;
  const body = await readWholeBody(call, maxInspectedBytes, idleTimeoutMs);
  if (body === null) {
    throw new AppError(
      'body_not_inspectable',
      `The whole body has to be seen before it is sent, and it is larger than ${maxInspectedBytes} bytes.`,
    );
  }
  call.body = body;
}

/** Returns what allows the call or wants an approval for it. @throws AppError `policy_denied`, `context_required`, `body_not_inspectable`, `unavailable` */
export function decide(relay: Relay, call: Call): Verdict {
  const verdict = judge(call.compiled!.policy, facts(relay, call));
  call.decision = {
    effect: verdict.effect,
    rule: verdict.rule,
    reason: verdict.reason,
    policyId: verdict.policyId,
    policyRevision: verdict.policyRevision,
  };
  if (verdict.effect === 'allow' || verdict.effect === 'require_approval') {
    call.masking = call.compiled!.masking.of(verdict.maskedBy);
    return verdict;
  }
  const extras = explanation(verdict);
  if (verdict.effect === 'deny') {
    throw new AppError(verdict.error === 'body_not_inspectable' ? 'body_not_inspectable' : 'policy_denied', verdict.reason, { extras });
  }
  throw new AppError('context_required', verdict.reason, { extras });
}

/** What whoever is refused may know. */
export function explanation({ rule, reason, allowedBy, missingContext, policyRevision }: Verdict): Record<string, unknown> {
  return { rule, reason, allowedBy, policyRevision, ...(missingContext.length > 0 ? { missingContext } : {}) };
}

function facts(relay: Relay, call: Call): Facts {
  const { method, path, query, headers, hasBody } = call.request!;
  let body: unknown = null;
  let bodyState: BodyState = hasBody ? 'unread' : 'absent';
  if (call.body !== null) {
    // What is compressed is not looked into: the condition that wants to see it is in error.
    if (headerValue(headers, 'content-encoding') !== undefined) bodyState = 'unparsed';
    else ({ body, bodyState } = readInspectedBody(call.body, headerValue(headers, 'content-type')));
  }
  return {
    request: { method, path, query, headers: headerFacts(headers), body, bodyState },
    identity: identityFacts(call.caller!),
    connection: { name: call.connection!.snapshot.name },
    context: call.context,
    now: relay.now(),
  };
}

function identityFacts({ identity, issuer, subject, claims }: Caller): Facts['identity'] {
  return { name: identity.snapshot.name, issuer, subject, claims, labels: identity.snapshot.labels };
}
