/** Step 4: the policy. What no rule allows is denied, and whoever is denied learns why. */
import { AppError } from '@hoop/contract';
import { decide as judge, headerFacts } from '@hoop/policy';
import type { Facts, InspectedBody, Verdict } from '@hoop/policy';

import type { Call } from '../call/call.ts';
import type { Caller } from '../caller/callers.ts';
import type { Relay } from '../relay.ts';
import { tooLarge } from './inspect.ts';

/** Returns what allows the call or wants an approval for it. @throws AppError `policy_denied`, `context_required`, `body_*` */
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
    // Rules that read no body may allow the call, but the part of the body that came is not kept.
    if (call.inspected?.bodyState === 'too_large') throw tooLarge(call);
    call.masking = call.compiled!.masking.of(verdict.maskedBy);
    return verdict;
  }
  const { method, path } = call.request!;
  const extras = { ...explanation(verdict), method, path };
  const detail = refusalDetail(verdict, method, path);
  if (verdict.effect === 'deny') {
    const { error = 'condition_failed' } = verdict;
    throw new AppError(error === 'condition_failed' ? 'policy_denied' : error, detail, { extras });
  }
  throw new AppError('context_required', detail, { extras });
}

const maxShownPath = 300;

/** Many clients show nothing but `detail`, so the path that was matched and what would allow the call are in there. */
function refusalDetail({ reason, allowedBy }: Verdict, method: string, path: string): string {
  const shown = path.length > maxShownPath ? `${path.slice(0, maxShownPath)}…` : path;
  const end = /[.!?]$/.test(reason) ? '' : '.';
  return `${reason}${end} The policy was asked about ${method} ${shown} (the path relative to the target). To be allowed: ${allowedBy}`;
}

/** The part of a verdict that a refused caller may know. */
export function explanation({ rule, reason, allowedBy, missingContext, policyRevision }: Verdict): Record<string, unknown> {
  return { rule, reason, allowedBy, policyRevision, ...(missingContext.length > 0 ? { missingContext } : {}) };
}

const unread: InspectedBody = { body: null, bodyState: 'unread' };
const absent: InspectedBody = { body: null, bodyState: 'absent' };

function facts(relay: Relay, call: Call): Facts {
  const { method, path, query, headers, hasBody } = call.request!;
  const inspected = call.inspected ?? (hasBody ? unread : absent);
  return {
    request: { method, path, query, headers: headerFacts(headers), ...inspected },
    identity: identityFacts(call.caller!),
    connection: { name: call.connection!.snapshot.name },
    context: call.context,
    now: relay.now(),
  };
}

function identityFacts({ identity, issuer, subject, claims }: Caller): Facts['identity'] {
  return { name: identity.snapshot.name, issuer, subject, claims, labels: identity.snapshot.labels };
}
