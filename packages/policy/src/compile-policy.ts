/** Compiles the rules of a policy: once, when a snapshot brings them. Everything that can be wrong is found here. */
import { AppError } from '@hoop/contract';
import type { PathSettings, Rule } from '@hoop/contract';

import { byNameThenContent } from './compiled-rule.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { compileCondition } from './condition/condition.ts';
import { requestEnvironment } from './condition/environment.ts';
import { compilePathPattern } from './path/path-matcher.ts';
import type { PathMatcher } from './path/path-matcher.ts';
import { pathReader } from './path/path-readings.ts';
import type { PathReader } from './path/path-readings.ts';
import { compileWidePattern } from './path/wide-matcher.ts';
import type { WideForm } from './path/wide-matcher.ts';
import { compileWholeMatch } from './re2.ts';
import { buildRuleIndex } from './rule-index.ts';
import type { RuleIndex } from './rule-index.ts';
import { sharedValues } from './shared-values.ts';

export interface PolicyError {
  /** e.g. `rules[2].when`. */
  readonly path: string;
  readonly message: string;
}

export interface CompiledPolicy {
  readonly id: string;
  readonly revision: number;
  /** Sorted, so that nothing depends on the order in which they were written. */
  readonly rules: readonly CompiledRule[];
  readonly index: RuleIndex;
  /** Some rule has masking rules of its own. */
  readonly hasMasks: boolean;
}

export interface PolicyInput {
  readonly id: string;
  readonly revision: number;
  /** Of the form of `rulesSchema`. */
  readonly rules: readonly Rule[];
  /** Compiled by @hoop/masking, as that of each rule is. */
  readonly mask?: unknown;
}

/** Path patterns of all rules together. */
export const maxPathPatterns = 10_000;
/** Errors that are reported of one policy. */
export const maxReportedErrors = 50;

/**
 * @param paths how the connection's target reads paths. @default the widest: rules that restrict cover every spelling
 * @throws AppError `policy_invalid` with `extras.errors`: `[{ path: 'rules[2].when', message }]`
 */
export function compilePolicy(policy: PolicyInput, paths?: PathSettings): CompiledPolicy {
  const reader = pathReader(paths);
  const { rules, errors } = compileRules(policy.rules, reader);
  if (errors.length > 0) throw policyInvalid(errors);
  const index = indexes.get(JSON.stringify(rules.map((rule) => rule.key)), () => buildRuleIndex(rules, reader));
  return { id: policy.id, revision: policy.revision, rules, index, hasMasks: rules.some((rule) => rule.mask.length > 0) };
}

const rulesByContent = sharedValues<CompiledRule>(32_000_000);
const matchersByPattern = sharedValues<PathMatcher>(8_000_000);
const widePathsByPattern = sharedValues<readonly WideForm[]>(16_000_000);
const methodSets = sharedValues<ReadonlySet<string>>(1_000_000);
const indexes = sharedValues<RuleIndex>(16_000_000);
let lastKey = 0;

export function policyInvalid(errors: readonly PolicyError[]): AppError {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new AppError('policy_invalid', `${first!.path} ${first!.message}${more}.`, { extras: { errors } });
}

/** Every rule that compiles, and what is wrong with the others; at most `maxReportedErrors`. */
export function compileRules(
  rules: readonly Rule[],
  reader: PathReader = pathReader(),
): { rules: readonly CompiledRule[]; errors: readonly PolicyError[] } {
  const errors: PolicyError[] = [];
  const compiled: CompiledRule[] = [];
  let pathCount = 0;
  for (const [i, rule] of rules.entries()) {
    if (errors.length >= maxReportedErrors) break;
    pathCount += rule.match?.paths?.length ?? 0;
    if (pathCount > maxPathPatterns) {
      errors.push({ path: `rules[${i}].match.paths`, message: `takes the policy over ${maxPathPatterns} path patterns` });
      break;
    }
    const at = `rules[${i}]`;
    const before = errors.length;
    const attempt = <T>(path: string, compile: () => T): T | null => {
      try {
        return compile();
      } catch (error) {
        errors.push({ path, message: shorten((error as Error).message) });
        return null;
      }
    };
    const paths = rule.match?.paths?.map((pattern, j) =>
      attempt(`${at}.match.paths[${j}]`, () => matchersByPattern.get(pattern, () => compilePathPattern(pattern))),
    );
    const restricts = rule.effect !== 'allow' || (rule.mask ?? []).length > 0;
    const widePaths = (restricts ? rule.match?.paths : undefined)?.flatMap(
      (pattern, j) =>
        attempt(`${at}.match.paths[${j}]`, () =>
          widePathsByPattern.get(`${reader.key}${pattern}`, () => compileWidePattern(pattern, reader)),
        ) ?? [],
    );
    const { when, context, approval } = rule;
    const condition = when === undefined ? null : attempt(`${at}.when`, () => compileCondition(when, requestEnvironment));
    const requirements = Object.entries(context ?? {}).map(([key, pattern]) =>
      attempt(`${at}.context.${key}`, () => ({ key, pattern, compiled: compileWholeMatch(pattern) })),
    );
    if (rule.effect === 'require_context' && requirements.length === 0)
      errors.push({ path: `${at}.context`, message: 'must name at least one key' });
    if (rule.effect === 'require_approval' && approval === undefined)
      errors.push({ path: `${at}.approval`, message: 'is needed with the effect require_approval' });
    if (errors.length > before) continue;
    const methods = rule.match?.methods;
    compiled.push(
      rulesByContent.get(reader.key + JSON.stringify(rule), () => {
        const common = {
          key: ++lastKey,
          rule,
          name: rule.name,
          effect: rule.effect,
          methods: methodSet(methods),
          paths: paths === undefined ? null : paths.filter((path) => path !== null),
          widePaths: widePaths ?? null,
          when: condition,
          readsPath: condition !== null && (condition.readsParams || /request\s*\.\s*path\b/.test(condition.source)),
          context: requirements.filter((requirement) => requirement !== null),
          mask: rule.mask ?? [],
        };
        const readMethods = restricts ? methodsAsRead(methods) : methods;
        const hasReadings = restricts && (widePaths !== undefined || common.readsPath || readMethods !== methods);
        const ofReading = !hasReadings
          ? null
          : { ...common, methods: methodSet(readMethods), permits: false, isOfReading: true, ofReading: null };
        return { ...common, permits: rule.effect !== 'deny', isOfReading: false, ofReading };
      }),
    );
  }
  compiled.sort(byNameThenContent);
  return { rules: compiled, errors };
}

type Methods = readonly string[] | undefined;

const methodSet = (methods: Methods): ReadonlySet<string> | null =>
  methods === undefined ? null : methodSets.get([...methods].sort().join(), () => new Set(methods));

/** Servers answer HEAD by what they do for GET (RFC 9110 §9.3.2). */
const methodsAsRead = (methods: Methods): Methods =>
  methods?.includes('GET') === true && !methods.includes('HEAD') ? [...methods, 'HEAD'] : methods;

const shorten = (message: string): string => (message.length > 400 ? `${message.slice(0, 400)}…` : message);
