/**
 * The decide step. One matching deny denies. Otherwise every matching requirement must be met, and then the call is
 * allowed. What no rule matches is denied. Order does not matter. A rule restricts every path that a server could read
 * as one that the rule names, and permits only the paths that it names. An error in the condition of a deny or
 * of a requirement denies, because the rule may have been meant for this call; one in an allow allows nothing.
 */
import type { ApprovalRule } from '@hoop/contract';

import { allowedByApproval, allowedByContext, allowedByDefault, allowedByDenial, allowedByFault } from './allowed-by.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { byNameThenContent } from './compiled-rule.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { Fault } from './condition/values.ts';
import type { BodyState, Facts } from './facts.ts';
import { evaluate, findCandidates } from './rule-index.ts';
import type { Verdict, VerdictError } from './verdict.ts';

export interface FaultyRule {
  readonly rule: CompiledRule;
  readonly fault: Fault;
}

const none: readonly never[] = Object.freeze([]);

export function decide(policy: CompiledPolicy | null, facts: Facts): Verdict {
  if (policy === null)
    return refusal(null, {
      reason: 'The connection has no policy, and what no rule allows is denied.',
      allowedBy: 'A policy with a rule that allows it.',
    });
  const { method, path } = facts.request;
  // A target may take "delete" for DELETE. The relay refuses such methods first; a deny rule must not depend on that.
  if (method !== method.toUpperCase())
    return refusal(policy, { reason: 'The method is not in upper case.', allowedBy: 'The method in upper case.' });

  const matched: CompiledRule[] = [];
  let effects = 0;
  let isPermitted = false;
  let faulty: FaultyRule[] | undefined;
  let unmet: CompiledRule[] | undefined;
  for (const candidate of findCandidates(policy.index, method, path)) {
    const { rule } = candidate;
    const value = evaluate(candidate, facts);
    if (value === true) {
      if (rule.isOfReading && isAmong(matched, rule)) continue;
      matched.push(rule);
      if (rule.permits) isPermitted = true;
      effects |= effectBits[rule.effect];
    } else if (value === false) (unmet ??= []).push(rule);
    else (faulty ??= []).push({ rule, fault: value });
  }
  const mayNeedMore = effects & (effectBits.deny | effectBits.require_approval);
  const isAllowed = isPermitted && mayNeedMore === 0 && faulty === undefined && matched.every((rule) => isMet(rule, facts));
  const verdict = isAllowed ? allowed(policy, matched) : judge(policy, facts, matched, faulty ?? none, unmet ?? none);
  return policy.hasMasks ? withMasks(verdict, matched, faulty ?? none) : verdict;
}

/** A rule that is among them for the path itself holds for its readings. */
const isAmong = (matched: readonly CompiledRule[], rule: CompiledRule): boolean => matched.some((other) => other.ofReading === rule);

/** A rule whose condition fails may have been meant for this call: it allows nothing, and what it hides is hidden. */
function withMasks(verdict: Verdict, matched: readonly CompiledRule[], faulty: readonly FaultyRule[]): Verdict {
  const covering = new Map([...matched, ...faulty.map(({ rule }) => rule)].map((rule) => [rule.key, rule]));
  const maskedBy = [...covering.values()].filter((rule) => rule.mask.length > 0).sort(byNameThenContent);
  return maskedBy.length === 0 ? verdict : { ...verdict, maskedBy };
}

const effectBits = { allow: 1, deny: 2, require_context: 4, require_approval: 8 } as const;

/** The verdict, given what each rule that covers the call came to. */
export function judge(
  policy: CompiledPolicy,
  facts: Facts,
  matched: readonly CompiledRule[],
  faulty: readonly FaultyRule[],
  unmet: readonly CompiledRule[],
): Verdict {
  const matchedRules = sortedNames(matched);
  const denial = firstOf(matched.filter((rule) => rule.effect === 'deny'));
  if (denial !== null) {
    const reason = denial.rule.reason ?? `The rule "${denial.name}" denies this call${asRead(denial)}.`;
    return refusal(policy, { rule: denial.name, reason, matchedRules, allowedBy: allowedByDenial(denial) });
  }

  const uncertain = worst(faulty.filter(({ rule }) => rule.effect !== 'allow'));
  if (uncertain !== null) return failed(policy, facts, uncertain, matchedRules);

  if (!matched.some((rule) => rule.permits)) {
    const broken = worst(faulty.filter(({ rule }) => rule.permits));
    if (broken !== null) return failed(policy, facts, broken, matchedRules);
    return refusal(policy, {
      reason: 'No rule of the policy allows this call.',
      matchedRules,
      allowedBy: allowedByDefault(policy, facts, unmet),
    });
  }

  const approvals = matched
    .filter((rule) => rule.effect === 'require_approval')
    .sort(byNameThenContent)
    .map((rule): { rule: string; approval: ApprovalRule } => ({ rule: rule.name, approval: rule.rule.approval! }));
  const lacking = matched.filter((rule) => rule.effect === 'require_context' && !isMet(rule, facts)).sort(byNameThenContent);
  if (lacking.length > 0) {
    const missing = new Map<string, { key: string; pattern: string }>();
    for (const one of lacking.flatMap((rule) => rule.context)) {
      if (!isGiven(one, facts)) missing.set(`${one.key}\0${one.pattern}`, { key: one.key, pattern: one.pattern });
    }
    const missingContext = [...missing].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
    return {
      ...refusal(policy, {
        rule: lacking[0]!.name,
        reason:
          lacking[0]!.rule.reason ??
          `The rule "${lacking[0]!.name}" needs the context ${list(missingContext.map((one) => one.key))}${asRead(lacking[0]!)}.`,
        matchedRules,
        allowedBy: allowedByContext(missingContext, approvals),
      }),
      effect: 'require_context',
      missingContext,
      approvals,
    };
  }
  if (approvals.length > 0) {
    const rule = firstOf(matched.filter((one) => one.effect === 'require_approval'))!;
    return {
      ...refusal(policy, {
        rule: rule.name,
        reason: rule.rule.reason ?? `The rule "${rule.name}" needs an approval${asRead(rule)}.`,
        matchedRules,
        allowedBy: allowedByApproval(approvals),
      }),
      effect: 'require_approval',
      approvals,
    };
  }
  return allowed(policy, matched);
}

const asRead = ({ isOfReading }: CompiledRule): string => (isOfReading ? ': a server could take it for one that the rule names' : '');

export const isGiven = (one: CompiledRule['context'][number], { context }: Facts): boolean => {
  const value = Object.hasOwn(context, one.key) ? context[one.key] : undefined;
  return typeof value === 'string' && one.compiled.matches(value);
};

/** A rule without context is met. */
const isMet = (rule: CompiledRule, facts: Facts): boolean => rule.context.length === 0 || rule.context.every((one) => isGiven(one, facts));

/** Names the requirement that decided, or else the allow. */
function allowed(policy: CompiledPolicy, matched: readonly CompiledRule[]): Verdict {
  const rule =
    matched.length === 1
      ? matched[0]!
      : (firstOf(matched.filter((one) => one.effect !== 'allow')) ?? firstOf(matched.filter((one) => one.permits))!);
  return {
    effect: 'allow',
    rule: rule.name,
    reason: rule.effect === 'allow' ? `The rule "${rule.name}" allows this call.` : `The requirement of the rule "${rule.name}" is met.`,
    policyId: policy.id,
    policyRevision: policy.revision,
    matchedRules: sortedNames(matched),
    missingContext: none,
    approvals: none,
    allowedBy: '',
  };
}

interface Refusal {
  readonly rule?: string;
  readonly reason: string;
  readonly matchedRules?: readonly string[];
  readonly allowedBy: string;
}

function refusal(policy: CompiledPolicy | null, { rule, reason, matchedRules, allowedBy }: Refusal): Verdict {
  return {
    effect: 'deny',
    rule: rule ?? null,
    reason,
    policyId: policy?.id ?? null,
    policyRevision: policy?.revision ?? null,
    matchedRules: matchedRules ?? none,
    missingContext: none,
    approvals: none,
    allowedBy,
  };
}

const bodyErrors: Readonly<Record<BodyState, VerdictError>> = {
  absent: 'condition_failed',
  parsed: 'condition_failed',
  unread: 'condition_failed',
  unsupported: 'body_not_inspectable',
  malformed: 'body_malformed',
  ambiguous: 'body_ambiguous',
  too_complex: 'body_too_complex',
  too_large: 'body_too_large',
};

function errorOf(fault: Fault, { request }: Facts): VerdictError {
  if (fault.kind === 'number') return 'body_number_inexact';
  return fault.kind === 'body' ? bodyErrors[request.bodyState] : 'condition_failed';
}

function failed(policy: CompiledPolicy, facts: Facts, { rule, fault }: FaultyRule, matchedRules: readonly string[]): Verdict {
  return {
    ...refusal(policy, {
      rule: rule.name,
      reason: `The condition of the rule "${rule.name}" cannot be evaluated: ${fault.message}.`,
      matchedRules,
      allowedBy: allowedByFault(rule, fault),
    }),
    error: errorOf(fault, facts),
  };
}

/** A body that cannot be seen says more than a missing key; then the first by name. */
function worst(faulty: readonly FaultyRule[]): FaultyRule | null {
  const body = faulty.filter(({ fault }) => fault.kind === 'body');
  const among = body.length > 0 ? body : faulty;
  return among.reduce<FaultyRule | null>((best, one) => (best === null || isBefore(one.rule, best.rule) ? one : best), null);
}

function firstOf(rules: readonly CompiledRule[]): CompiledRule | null {
  return rules.reduce<CompiledRule | null>((best, rule) => (best === null || isBefore(rule, best) ? rule : best), null);
}

/** Rules of the same name are distinguished by content, never by position. */
const isBefore = (a: CompiledRule, b: CompiledRule): boolean => byNameThenContent(a, b) < 0;

const sortedNames = (rules: readonly CompiledRule[]): readonly string[] => {
  const names = rules.map((rule) => rule.name);
  return names.length > 1 ? names.sort() : names;
};

const list = (words: readonly string[]): string => words.join(', ');

/** True where a rule that could apply reads `request.body`: then the relay reads the whole body before it decides. */
export function needsBody(policy: CompiledPolicy, method: string, path: string): boolean {
  return findCandidates(policy.index, method, path).some(({ rule }) => rule.when?.readsBody === true);
}
