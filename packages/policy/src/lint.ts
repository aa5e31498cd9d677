/** What is valid and yet probably not meant. Findings are for the author; they keep no policy from being saved. */
import type { Rule } from '@hoop/contract';

import { compileRules } from './compile-policy.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { covers, coversEverything, pathShape } from './path/path-cover.ts';
import type { PathShape } from './path/path-cover.ts';

export type FindingCode =
  | 'empty_policy'
  | 'nothing_allowed'
  | 'allow_all'
  | 'unreachable_rule'
  | 'redundant_rule'
  | 'write_without_approval'
  | 'duplicate_name'
  | 'matches_nothing'
  | 'body_of_bodyless_method'
  | 'first_query_value'
  | 'spelling_dependent_deny'
  | 'not_compared';

export interface Finding {
  readonly code: FindingCode;
  /** `warning`: probably a mistake or a risk; `notice`: worth a look. */
  readonly severity: 'warning' | 'notice';
  /** The rules that it is about, by name; empty where it is about the whole. */
  readonly rules: readonly string[];
  /** e.g. `rules[2]`, or `rules`. */
  readonly path: string;
  /** A sentence that says what to do. */
  readonly message: string;
}

export interface LintOptions {
  /** Methods that change something. @default ["POST", "PUT", "PATCH", "DELETE"] */
  readonly writeMethods?: readonly string[];
}

const bodylessMethods: readonly string[] = ['GET', 'HEAD', 'DELETE', 'OPTIONS'];

interface Numbered extends CompiledRule {
  readonly at: string;
  readonly isEveryPath: boolean;
  readonly shapes: readonly PathShape[];
}

/** Every pattern is compared with every other; beyond this that takes too long. */
const maxCompared = 3000;

/** @param rules of the form of `rulesSchema`; rules that do not compile are passed over (`compilePolicy` reports them) */
export function lintPolicy(rules: readonly Rule[], options: LintOptions = {}): Finding[] {
  if (rules.length === 0) {
    return [
      { code: 'empty_policy', severity: 'warning', rules: [], path: 'rules', message: 'The policy has no rules, so every call is denied.' },
    ];
  }
  const compiled = rules.flatMap((rule, i) => compileRules([rule]).rules.map((one) => numbered(one, `rules[${i}]`)));
  const writeMethods = options.writeMethods ?? ['POST', 'PUT', 'PATCH', 'DELETE'];
  const findings = [...nothingAllowed(compiled), ...duplicateNames(compiled)];
  const isComparable = compiled.reduce((sum, rule) => sum + rule.shapes.length, 0) <= maxCompared;
  if (!isComparable)
    findings.push(
      finding(
        'not_compared',
        'notice',
        [],
        `The policy has more than ${maxCompared} path patterns: its rules were not compared with each other.`,
      ),
    );
  const guards = compiled.filter((rule) => rule.effect === 'deny' || rule.effect === 'require_approval');
  for (const rule of compiled) {
    findings.push(...matchesNothing(rule), ...allowAll(rule), ...conditionPitfalls(rule), ...spelling(rule, compiled));
    if (isComparable) findings.push(...covered(rule, compiled), ...writes(rule, guards, writeMethods));
  }
  return findings;
}

function numbered(rule: CompiledRule, at: string): Numbered {
  const shapes = rule.paths?.map((path) => pathShape(path.pattern)) ?? [];
  return { ...rule, at, shapes, isEveryPath: rule.paths === null || shapes.some(coversEverything) };
}

const finding = (code: FindingCode, severity: Finding['severity'], about: readonly Numbered[], message: string): Finding => ({
  code,
  severity,
  rules: about.map((rule) => rule.name),
  path: about[0]?.at ?? 'rules',
  message,
});

function nothingAllowed(rules: readonly Numbered[]): Finding[] {
  if (rules.some((rule) => rule.effect !== 'deny')) return [];
  return [
    finding('nothing_allowed', 'warning', [], 'No rule allows anything, so every call is denied; what no rule matches is denied anyway.'),
  ];
}

function duplicateNames(rules: readonly Numbered[]): Finding[] {
  const byName = Map.groupBy(rules, (rule) => rule.name);
  return [...byName.values()]
    .filter((same) => same.length > 1)
    .map((same) =>
      finding(
        'duplicate_name',
        'warning',
        same,
        `${same.length} rules are named "${same[0]!.name}"; a record could not tell which of them decided.`,
      ),
    );
}

/** What the compiler cannot refuse because it is no fault of syntax. */
function matchesNothing(rule: Numbered): Finding[] {
  const conditionIsNever = rule.when !== null && /^\s*false\s*$/.test(rule.when.source);
  const unsent = rule.methods !== null && [...rule.methods].every((method) => method === 'CONNECT' || method === 'TRACE');
  if (!conditionIsNever && !unsent) return [];
  const why = unsent ? 'the relay forwards neither CONNECT nor TRACE' : 'its condition is always false';
  return [finding('matches_nothing', 'warning', [rule], `The rule "${rule.name}" can match no call: ${why}. Remove it.`)];
}

const isUnconditional = (rule: CompiledRule): boolean => rule.when === null || /^\s*true\s*$/.test(rule.when.source);

function allowAll(rule: Numbered): Finding[] {
  if (rule.effect !== 'allow' || rule.methods !== null || !rule.isEveryPath || !isUnconditional(rule)) return [];
  return [
    finding('allow_all', 'warning', [rule], `The rule "${rule.name}" allows every call. Name the methods and paths that are needed.`),
  ];
}

const coversMethods = (a: CompiledRule, b: CompiledRule): boolean =>
  a.methods === null || (b.methods !== null && [...b.methods].every((method) => a.methods!.has(method)));

const coversPaths = (a: Numbered, b: Numbered): boolean =>
  a.isEveryPath || (b.paths !== null && b.shapes.every((shape) => a.shapes.some((one) => covers(one, shape))));

/** Every call that `b` matches is one that `a` matches. */
const coversRule = (a: Numbered, b: Numbered): boolean =>
  coversMethods(a, b) && (isUnconditional(a) || (a.when?.source === b.when?.source && a.when?.readsParams !== true)) && coversPaths(a, b);

function covered(rule: Numbered, rules: readonly Numbered[]): Finding[] {
  const others = rules.filter((other) => other !== rule && coversRule(other, rule));
  const denial = others.find((other) => other.effect === 'deny');
  if (denial !== undefined && rule.effect !== 'deny') {
    return [
      finding(
        'unreachable_rule',
        'warning',
        [rule, denial],
        `The rule "${rule.name}" decides nothing: the rule "${denial.name}" denies every call that it matches.`,
      ),
    ];
  }
  const redundant = others.find((other) => other.effect === rule.effect && (!coversRule(rule, other) || other.at < rule.at));
  if (redundant === undefined || rule.effect === 'require_context' || rule.effect === 'require_approval') return [];
  return [
    finding(
      'redundant_rule',
      'notice',
      [rule, redundant],
      `The rule "${rule.name}" adds nothing: the rule "${redundant.name}" has the same effect on every call that it matches.`,
    ),
  ];
}

function writes(rule: Numbered, guards: readonly Numbered[], writeMethods: readonly string[]): Finding[] {
  if (rule.effect !== 'allow') return [];
  const unguarded = writeMethods.filter((method) => {
    if (rule.methods !== null && !rule.methods.has(method)) return false;
    const narrowed: Numbered = { ...rule, methods: new Set([method]) };
    return !guards.some((other) => coversRule(other, narrowed));
  });
  if (unguarded.length === 0) return [];
  return [
    finding(
      'write_without_approval',
      unguarded.includes('DELETE') ? 'warning' : 'notice',
      [rule],
      `The rule "${rule.name}" allows ${unguarded.join(', ')} without an approval. ` +
        'Add a require_approval rule for it, or name the methods that only read.',
    ),
  ];
}

function conditionPitfalls(rule: Numbered): Finding[] {
  if (rule.when === null) return [];
  const findings: Finding[] = [];
  const bodyless = rule.methods === null ? bodylessMethods : bodylessMethods.filter((method) => rule.methods!.has(method));
  if (rule.when.readsBody && bodyless.length > 0 && !/has\(\s*request\s*\.\s*body\s*\)/.test(rule.when.source)) {
    const consequence = rule.effect === 'allow' ? 'allows none of them' : 'denies them';
    findings.push(
      finding(
        'body_of_bodyless_method',
        'notice',
        [rule],
        `The condition of the rule "${rule.name}" reads request.body, and the rule also matches ` +
          `${bodyless.join(', ')}, which seldom have one: an error in the condition ${consequence}. Name the methods.`,
      ),
    );
  }
  if (/request\s*\.\s*query\s*(?:\.\s*\w+|\[[^\]]*\])\s*\[\s*\d+\s*\]/.test(rule.when.source)) {
    findings.push(
      finding(
        'first_query_value',
        'warning',
        [rule],
        `The condition of the rule "${rule.name}" looks at one value of a query key that may be sent more than once; ` +
          'which one the target takes is not known. Compare the list, such as request.query.limit == ["10"].',
      ),
    );
  }
  return findings;
}

/** A deny of a path beside an allow that is wider: the target may read a path in other spellings, which the deny does not cover. */
function spelling(rule: Numbered, rules: readonly Numbered[]): Finding[] {
  if (rule.effect !== 'deny' || rule.paths === null || rule.isEveryPath) return [];
  const wider = rules.find(
    (other) =>
      other.effect !== 'deny' &&
      other.isEveryPath &&
      (other.methods === null || rule.methods === null || [...rule.methods].some((method) => other.methods!.has(method))),
  );
  if (wider === undefined) return [];
  return [
    finding(
      'spelling_dependent_deny',
      'notice',
      [rule, wider],
      `The rule "${rule.name}" denies some paths and the rule "${wider.name}" matches all: ` +
        'a target that ignores case or a last slash can be reached by another spelling. Name the paths that are allowed instead.',
    ),
  ];
}
