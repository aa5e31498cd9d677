/** Why a call is decided as it is: every rule, whether it matched, and what kept it from matching. */
import type { Effect } from '@hoop/contract';

import { describeMatch } from './allowed-by.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { explainCondition } from './condition/explain-condition.ts';
import type { ConditionPart } from './condition/explain-condition.ts';
import { requestEnvironment } from './condition/environment.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';
import { decidingReading, evaluate, findCandidates } from './rule-index.ts';
import type { Candidate } from './rule-index.ts';
import type { Verdict } from './verdict.ts';

export type RuleOutcome = 'matched' | 'method_differs' | 'path_differs' | 'condition_false' | 'condition_failed';

export interface RuleExplanation {
  readonly rule: string;
  readonly effect: Effect;
  readonly outcome: RuleOutcome;
  /** A sentence. */
  readonly because: string;
  /** Of the path pattern that matched. */
  readonly params: Readonly<Record<string, string>>;
  /** The condition's parts; empty where it has none or it was not reached. */
  readonly condition: readonly ConditionPart[];
  /** Of a `require_context` rule that matched. A value given is not repeated. */
  readonly context: readonly { readonly key: string; readonly pattern: string; readonly met: boolean }[];
}

export interface Explanation {
  readonly verdict: Verdict;
  /** By name. */
  readonly rules: readonly RuleExplanation[];
}

export function explain(policy: CompiledPolicy | null, facts: Facts): Explanation {
  const verdict = decide(policy, facts);
  if (policy === null) return { verdict, rules: [] };
  const { method, path } = facts.request;
  const covering = Map.groupBy(findCandidates(policy.index, method, path), ({ rule }) => rule.key);
  const onPath = new Set(findCandidates(policy.index, null, path).map(({ rule }) => rule.key));
  const rules = policy.rules.map((rule): RuleExplanation => {
    const candidates = covering.get(rule.key);
    if (candidates !== undefined) return explainCandidate(deciding(candidates, facts), facts);
    const outcome = onPath.has(rule.key) ? 'method_differs' : 'path_differs';
    const differs = outcome === 'method_differs' ? `the method is ${method}` : `the path is ${path}`;
    const because = `It is for ${describeMatch(rule)}; ${differs}.`;
    return { rule: rule.name, effect: rule.effect, outcome, because, params: {}, condition: [], context: [] };
  });
  return { verdict, rules };
}

/** The path itself, unless only for a reading of it the condition holds. */
const deciding = (candidates: readonly Candidate[], facts: Facts): Candidate =>
  candidates.find((one) => !one.rule.isOfReading && evaluate(one, facts) === true) ??
  candidates.find((one) => evaluate(one, facts) === true) ??
  candidates.find((one) => evaluate(one, facts) !== false) ??
  candidates[0]!;

function explainCandidate(candidate: Candidate, facts: Facts): RuleExplanation {
  const { rule } = candidate;
  const value = evaluate(candidate, facts);
  const reading = decidingReading(candidate, facts, value);
  const { params } = reading;
  const common = { rule: rule.name, effect: rule.effect, params: { ...params } };
  const condition = rule.when === null ? [] : explainCondition(rule.when.source, requestEnvironment, reading.facts, params);
  if (value === true) {
    const context = rule.context.map(({ key, pattern, compiled }) => {
      const given = Object.hasOwn(facts.context, key) ? facts.context[key] : undefined;
      return { key, pattern, met: given !== undefined && compiled.matches(given) };
    });
    const unmet = context.filter((one) => !one.met).map((one) => one.key);
    const holds = rule.isOfReading ? describeReading(rule) : 'Its match and its condition hold';
    const because = unmet.length === 0 ? `${holds}.` : `${holds}, and it lacks the context ${unmet.join(', ')}.`;
    return { ...common, outcome: 'matched', because, condition, context };
  }
  if (value === false) {
    const failing = condition.filter((part) => part.outcome === 'false').map(describePart);
    return { ...common, outcome: 'condition_false', because: `Its condition is false: ${failing.join('; ')}.`, condition, context: [] };
  }
  const consequence = rule.effect === 'allow' ? 'so it allows nothing' : 'so it denies, as it may have been meant for this call';
  return {
    ...common,
    outcome: 'condition_failed',
    because: `Its condition cannot be evaluated (${value.message}), ${consequence}.`,
    condition,
    context: [],
  };
}

function describeReading({ effect }: CompiledRule): string {
  const covers = 'A server could take the call for one that it is for, and its condition holds';
  return effect === 'allow'
    ? `${covers}: its masking applies, and it allows nothing`
    : `${covers}: it restricts the call, and permits nothing`;
}

export function describePart({ expression, seen }: ConditionPart): string {
  const values = seen.filter((one) => one.value !== '').map((one) => `${one.expression} is ${one.value}`);
  return values.length === 0 ? expression : `${expression} (${values.join(', ')})`;
}
