/**
 * Runs a candidate policy over recorded calls. Recordings are masked: where the verdict depends on a masked value, the
 * backtest says so and does not guess.
 */
import type { Effect } from '@hoop/contract';

import type { CompiledPolicy } from './compile-policy.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { Fault, isMap, maskedValue } from './condition/values.ts';
import { isGiven, judge } from './decide.ts';
import type { FaultyRule } from './decide.ts';
import type { Facts } from './facts.ts';
import { evaluate, findCandidates } from './rule-index.ts';
import type { Verdict } from './verdict.ts';

export { maskedValue } from './condition/values.ts';

export interface RecordedCall {
  readonly callId: string;
  /** `maskedValue` stands for what was masked or not kept: a value anywhere, or all of the body, headers, query, claims, labels or context. `now` is when it was made. */
  readonly facts: Facts;
  /** The decision at the time. */
  readonly effect: Effect;
}

export type ChangeKind = 'newlyDenied' | 'newlyAllowed' | 'newlyNeedingApproval' | 'newlyNeedingContext' | 'unknown';

export interface ChangedCall {
  readonly callId: string;
  readonly method: string;
  readonly path: string;
  readonly before: Effect;
  /** Every effect that it could have: one, unless what was masked decides. */
  readonly after: readonly Effect[];
  readonly rule: string | null;
  /** A sentence. */
  readonly reason: string;
}

export interface BacktestResult {
  readonly total: number;
  readonly unchanged: number;
  readonly changes: Readonly<Record<ChangeKind, { readonly count: number; readonly examples: readonly ChangedCall[] }>>;
}

export interface Backtest {
  add(call: RecordedCall): void;
  result(): BacktestResult;
}

/** @param options.maxExamples of each kind. @default 10 */
export function startBacktest(policy: CompiledPolicy, options: { readonly maxExamples?: number } = {}): Backtest {
  const maxExamples = options.maxExamples ?? 10;
  const kinds: readonly ChangeKind[] = ['newlyDenied', 'newlyAllowed', 'newlyNeedingApproval', 'newlyNeedingContext', 'unknown'];
  const changes = Object.fromEntries(kinds.map((kind) => [kind, { count: 0, examples: [] as ChangedCall[] }])) as Record<
    ChangeKind,
    { count: number; examples: ChangedCall[] }
  >;
  let total = 0;
  let unchanged = 0;
  return {
    add(call) {
      total++;
      const { effects, verdict, because } = possibleEffects(policy, call.facts);
      const kind = changeKind(call.effect, effects);
      if (kind === null) {
        unchanged++;
        return;
      }
      const change = changes[kind];
      change.count++;
      if (change.examples.length >= maxExamples) return;
      const { method, path } = call.facts.request;
      change.examples.push({
        callId: call.callId,
        method,
        path,
        before: call.effect,
        after: effects,
        rule: verdict.rule,
        reason: because ?? verdict.reason,
      });
    },
    result: () => ({ total, unchanged, changes }),
  };
}

export function backtest(
  policy: CompiledPolicy,
  calls: Iterable<RecordedCall>,
  options: { readonly maxExamples?: number } = {},
): BacktestResult {
  const run = startBacktest(policy, options);
  for (const call of calls) run.add(call);
  return run.result();
}

function changeKind(before: Effect, after: readonly Effect[]): ChangeKind | null {
  if (after.length > 1) return 'unknown';
  const [effect] = after;
  if (effect === before) return null;
  if (effect === 'deny') return 'newlyDenied';
  if (effect === 'allow') return 'newlyAllowed';
  return effect === 'require_approval' ? 'newlyNeedingApproval' : 'newlyNeedingContext';
}

interface Possibilities {
  /** In the order of the alphabet. */
  readonly effects: readonly Effect[];
  readonly verdict: Verdict;
  /** The masked value on which the verdict may depend. */
  readonly because?: string;
}

interface UnknownRule extends FaultyRule {
  /** The condition is what is not known; else it holds, and the context is not known. */
  readonly isConditional: boolean;
  readonly isContextMasked: boolean;
}

/** All effects that the call could have, over what each masked value could have been. */
function possibleEffects(policy: CompiledPolicy, facts: Facts): Possibilities {
  const { method, path } = facts.request;
  const matched: CompiledRule[] = [];
  const unmet: CompiledRule[] = [];
  const faulty: FaultyRule[] = [];
  const unknown: UnknownRule[] = [];
  for (const candidate of findCandidates(policy.index, method, path)) {
    const { rule } = candidate;
    const value = evaluate(candidate, facts);
    const masked = rule.context.find(({ key }) => isContextMaskedAt(facts, key));
    const isContextMasked = masked !== undefined;
    if (value instanceof Fault && value.kind === 'masked') unknown.push({ rule, fault: value, isConditional: true, isContextMasked });
    else if (value instanceof Fault) faulty.push({ rule, fault: value });
    else if (!value) unmet.push(rule);
    else if (masked === undefined) matched.push(rule);
    else
      unknown.push({
        rule,
        fault: new Fault(`the context ${masked.key} is masked or not kept in the recording`, 'masked'),
        isConditional: false,
        isContextMasked,
      });
  }
  const verdict = judge(policy, facts, matched, faulty, unmet);
  if (unknown.length === 0) return { effects: [verdict.effect], verdict };

  let worlds: World[] = [{ matched, faulty }];
  // Rules that can come to the same count alike, so one of each kind is tried.
  for (const one of new Map(unknown.map((each) => [kindOf(each, facts), each])).values())
    worlds = worlds.flatMap((world) => worldsWith(world, one));
  const effects = [...new Set(worlds.map((world) => judge(policy, facts, world.matched, world.faulty, unmet).effect))].sort();
  const because =
    effects.length === 1 ? {} : { because: `It depends on the rule "${unknown[0]!.rule.name}", and ${unknown[0]!.fault.message}.` };
  return { effects, verdict, ...because };
}

/** The whole context can be masked as well. */
const isContextMaskedAt = ({ context }: Facts, key: string): boolean =>
  (context as unknown) === maskedValue || (context[key] as unknown) === maskedValue;

interface World {
  readonly matched: readonly CompiledRule[];
  readonly faulty: readonly FaultyRule[];
}

const kindOf = ({ rule, isConditional, isContextMasked }: UnknownRule, facts: Facts): string =>
  [
    rule.effect,
    rule.permits,
    isConditional,
    isContextMasked,
    rule.effect === 'require_context' && rule.context.every((one) => isGiven(one, facts)),
  ].join();

/** As matched (and, where its context is masked, with and without what it needs); else as not matched and as in error. */
function worldsWith(world: World, { rule, isConditional, isContextMasked }: UnknownRule): World[] {
  const worlds: World[] = [{ ...world, matched: [...world.matched, rule] }];
  if (isContextMasked) worlds.push({ ...world, matched: [...world.matched, { ...rule, context: [] }] });
  if (isConditional) worlds.push(world, { ...world, faulty: [...world.faulty, { rule, fault: new Fault('it is in error') }] });
  return worlds;
}

/** A copy of a recorded value in which `maskedValue` stands for every string that is a mark of masking. */
export function markMasked(value: unknown, isMark: (text: string) => boolean): unknown {
  if (typeof value === 'string') return isMark(value) ? maskedValue : value;
  if (Array.isArray(value)) return value.map((item) => markMasked(item, isMark));
  if (!isMap(value)) return value;
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, item] of Object.entries(value)) copy[key] = markMasked(item, isMark);
  return copy;
}
