/** Explains to people what a policy decides about a request, and why. */
import type { Explanation, MaskRule, PathSettings, Rule } from '@hoop/contract';
import { describeRule } from '@hoop/masking';
import {
  compileIdentityCondition,
  compilePolicy,
  explain,
  maskedValue,
  readInspectedBody,
  type Facts,
  type InspectedBody,
  type Verdict,
} from '@hoop/policy';

/** The body as it can be copied between threads: `masked` stands for one that is on record masked. */
export type ExplainedBody = { readonly json: string; readonly maxInspectedBytes: number } | 'masked' | 'absent';

export interface ExplainInput {
  readonly policy: { id: string | null; revision: number; rules: readonly Rule[]; mask: readonly MaskRule[] } | null;
  readonly facts: Omit<Facts, 'request'> & { readonly request: Omit<Facts['request'], keyof InspectedBody> };
  readonly body: ExplainedBody;
  /** How the target reads paths; absent: taken to ignore their spelling. */
  readonly paths: PathSettings | undefined;
  readonly caveats: readonly string[];
}

export function explanationOf({ policy, facts: { request, ...others }, body, paths, caveats }: ExplainInput): Explanation {
  const facts: Facts = { ...others, request: { ...request, ...bodyFacts(body) } };
  const compiled = policy === null ? null : compilePolicy({ id: policy.id ?? '', revision: policy.revision, rules: policy.rules }, paths);
  const { verdict, rules } = explain(compiled, facts);
  const { effect, rule, reason, allowedBy, matchedRules, missingContext, approvals, error } = verdict;
  const isTrial = policy !== null && policy.revision === 0;
  return {
    effect,
    rule,
    reason,
    allowedBy,
    // A policy that is only tried has no revision.
    policyId: policy?.id ?? null,
    policyRevision: policy === null || isTrial ? null : policy.revision,
    matchedRules: [...matchedRules],
    missingContext: [...missingContext],
    approvals: [...approvals],
    error: error ?? null,
    rules: rules.map((one) => ({
      ...one,
      params: { ...one.params },
      context: [...one.context],
      condition: one.condition.map((part) => ({ ...part, seen: [...part.seen] })),
    })),
    masking: policy === null ? [] : maskingOf(policy.mask, verdict, facts.identity),
    caveats: [...caveats],
  };
}

/** No masking applies to a call that is not sent. */
function maskingOf(ofPolicy: readonly MaskRule[], verdict: Verdict, identity: Facts['identity']): Explanation['masking'] {
  if (verdict.effect === 'deny') return [];
  const explained = (rule: string | null, mask: MaskRule): Explanation['masking'][number] => ({
    rule,
    mask,
    explanation: describeRule(mask),
    applies: mask.unless === undefined || !compileIdentityCondition(mask.unless)(identity),
  });
  const ofRules = (verdict.maskedBy ?? []).flatMap((rule) => rule.mask.map((mask) => explained(rule.name, mask)));
  return [...ofPolicy.map((mask) => explained(null, mask)), ...ofRules];
}

/** As the relay would read it. What JSON in a request to us cannot say (names twice, digits that no double holds) is not tried. */
function bodyFacts(body: ExplainedBody): InspectedBody {
  if (body === 'absent') return { body: null, bodyState: 'absent' };
  if (body === 'masked') return { body: maskedValue, bodyState: 'parsed' };
  const bytes = Buffer.from(body.json);
  return bytes.length > body.maxInspectedBytes ? { body: null, bodyState: 'too_large' } : readInspectedBody(bytes, 'application/json');
}
