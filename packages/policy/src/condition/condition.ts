/** Conditions: compiled and type-checked once, then evaluated within a bounded cost. */
import type { ASTNode } from '@marcbachmann/cel-js';

import type { Facts } from '../facts.ts';
import { sharedValues } from '../shared-values.ts';
import type { SharedValues } from '../shared-values.ts';
import { claimsReadBy } from './claims-read.ts';
import type { ClaimsRead } from './claims-read.ts';
import type { ConditionEnvironment, Reader, Scope } from './environment.ts';
import { maxConditionLength } from './environment.ts';
import { checkConstants } from './constants.ts';
import { compileNode } from './evaluator.ts';
import { bool, ConditionError } from './syntax-tree.ts';
import { Fault } from './values.ts';

/** The highest cost of an evaluation, in units of about one step; some milliseconds at worst. */
export const maxConditionCost = 200_000;

export interface Condition {
  readonly source: string;
  readonly readsBody: boolean;
  readonly readsParams: boolean;
  /** The claims of the identity that its value can depend on. */
  readonly readsClaims: ClaimsRead;
  /** Its value, or why it has none. Never throws. */
  evaluate(facts: Facts, params: Readonly<Record<string, string>>): boolean | Fault;
}

const shared = new WeakMap<ConditionEnvironment, SharedValues<Condition>>();

/**
 * Compiles a CEL expression of type bool. The same expression gives the same condition again.
 * @throws ConditionError with a sentence for the policy's author
 */
export function compileCondition(source: string, environment: ConditionEnvironment): Condition {
  let conditions = shared.get(environment);
  if (conditions === undefined) shared.set(environment, (conditions = sharedValues(4_000_000)));
  return conditions.get(source, () => {
    const ast = checkCondition(source, environment);
    const reads = { body: false, params: false };
    const state = { environment, variables: [], sentVariables: [], reads };
    const reader = compileNode(ast, state);
    checkConstants(ast, state, compileNode, { left: maxConditionCost });
    return {
      source,
      readsBody: reads.body,
      readsParams: reads.params,
      readsClaims: claimsReadBy(ast),
      evaluate: (facts, params) => evaluate(reader, facts, params),
    };
  });
}

/** Parses and type-checks; the tree's parts are expressions of the environment. */
export function checkCondition(source: string, environment: ConditionEnvironment): ASTNode {
  if (source.length > maxConditionLength) throw new ConditionError(`is longer than ${maxConditionLength} characters`);
  let parsed: ReturnType<ConditionEnvironment['checker']['parse']>;
  try {
    parsed = environment.checker.parse(source);
  } catch (error) {
    throw new ConditionError(describe(error, source), { cause: error });
  }
  const checked = parsed.check();
  if (!checked.valid) throw new ConditionError(describe(checked.error, source), { cause: checked.error });
  if (checked.type !== 'bool') {
    throw new ConditionError(
      checked.type === 'dyn'
        ? 'must be true or false, but its type is not known before the call; compare it, such as `… == true`'
        : `must be true or false, but is of type ${checked.type}`,
    );
  }
  return parsed.ast;
}

function describe(error: unknown, source: string): string {
  const { summary, range } = error as { summary?: string; range?: { start: number } };
  if (summary === undefined) return 'is nested too deeply or cannot be read';
  const at = range === undefined ? '' : ` at character ${range.start + 1}${source.length > 60 ? '' : ` of \`${source}\``}`;
  return `${summary}${at}`;
}

/** The value of any expression of the environment, or the fault. Never throws. */
export function evaluateReader(reader: Reader, facts: Facts, params: Readonly<Record<string, string>>): unknown {
  const scope: Scope = { facts, params, variables: [], names: [], meter: { left: maxConditionCost } };
  try {
    return reader(scope);
  } catch (error) {
    // A stack overflow on a deep body, or a bug in Hoop, counts as an error of the condition, like a missing key.
    return error instanceof Fault ? error : new Fault('the condition could not be evaluated');
  }
}

function evaluate(reader: Reader, facts: Facts, params: Readonly<Record<string, string>>): boolean | Fault {
  const value = evaluateReader(reader, facts, params);
  if (typeof value === 'boolean' || value instanceof Fault) return value;
  try {
    return bool(value);
  } catch (error) {
    return error as Fault;
  }
}
