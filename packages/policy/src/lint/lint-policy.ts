/** Finds rules that are valid but probably not intended. Findings are for the author and do not prevent saving. */
import type { PathSettings, Rule } from '@hoop/contract';

import { compileRules } from '../compile-policy.ts';
import type { CompiledRule } from '../compiled-rule.ts';
import { covers } from '../path/path-cover.ts';
import { pathReader } from '../path/path-readings.ts';
import { finding, numbered } from './finding.ts';
import type { Finding, Numbered } from './finding.ts';
import { restrictedSpellings } from './restricted-spellings.ts';

export interface LintOptions {
  /** Methods that change something. @default ["POST", "PUT", "PATCH", "DELETE"] */
  readonly writeMethods?: readonly string[];
  /** How the connection's target reads paths. @default not known: the widest, with encoded slashes */
  readonly paths?: PathSettings;
}

const bodylessMethods: readonly string[] = ['GET', 'HEAD', 'DELETE', 'OPTIONS'];

/** Every pattern is compared with every other; beyond this that takes too long. */
const maxCompared = 3000;

/** @param rules of the form of `rulesSchema`; rules that do not compile are passed over (`compilePolicy` reports them) */
export function lintPolicy(rules: readonly Rule[], options: LintOptions = {}): Finding[] {
  if (rules.length === 0) {
    return [
      { code: 'empty_policy', severity: 'warning', rules: [], path: 'rules', message: 'The policy has no rules, so every call is denied.' },
    ];
  }
  const reader = pathReader(options.paths);
  const compiled = rules.flatMap((rule, i) => compileRules([rule], reader).rules.map((one) => numbered(one, `rules[${i}]`, reader)));
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
    findings.push(...matchesNothing(rule, options.paths), ...allowAll(rule), ...conditionPitfalls(rule));
    if (isComparable) findings.push(...covered(rule, compiled), ...writes(rule, guards, writeMethods));
  }
  if (isComparable) findings.push(...restrictedSpellings(compiled, reader));
  return findings;
}

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

/** Whether a rule can match no request, though its syntax is valid, so that the compiler accepts it. */
function matchesNothing(rule: Numbered, paths: PathSettings | undefined): Finding[] {
  const conditionIsNever = rule.when !== null && /^\s*false\s*$/.test(rule.when.source);
  const unsent = rule.methods !== null && [...rule.methods].every((method) => method === 'CONNECT' || method === 'TRACE');
  const isRefused = paths?.encodedSlash === 'refused' && rule.paths?.every((path) => path.pattern.includes('%2F')) === true;
  if (!conditionIsNever && !unsent && !isRefused) return [];
  const why = unsent
    ? 'the relay forwards neither CONNECT nor TRACE'
    : isRefused
      ? 'its paths have an encoded slash (%2F), which paths.encodedSlash of the connection refuses'
      : 'its condition is always false';
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

/** A rule that restricts covers readings of paths. */
function coversPaths(a: Numbered, b: Numbered): boolean {
  if (a.isEveryPath) return true;
  if (b.paths === null) return false;
  const [wider, narrower] = a.effect === 'allow' ? [a.shapes, b.shapes] : [a.wideShapes, b.readings];
  return narrower.every((shape) => wider.some((one) => covers(one, shape)));
}

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
  if (rule.effect !== 'allow' && /request\s*\.\s*path\b/.test(rule.when.source)) {
    findings.push(
      finding(
        'path_in_condition',
        'warning',
        [rule],
        `The condition of the rule "${rule.name}" reads request.path, which is as the caller spelled it: ` +
          'a server could read another spelling alike. Name the path in match.paths, which covers every spelling.',
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
