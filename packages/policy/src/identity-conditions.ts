/** Conditions that see an identity and no request: the match of an identity on claims, and exemptions from masking. */
import { compileCondition } from './condition/condition.ts';
import type { Condition } from './condition/condition.ts';
import { claimsEnvironment, identityEnvironment, identityFacts } from './condition/environment.ts';
import type { ConditionEnvironment } from './condition/environment.ts';
import { explainCondition } from './condition/explain-condition.ts';
import type { ConditionPart } from './condition/explain-condition.ts';
import { policyInvalid } from './compile-policy.ts';
import { describePart } from './explain.ts';
import type { IdentityFacts } from './facts.ts';
import { noParams } from './path/path-matcher.ts';

export interface TokenSubject {
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * A CEL condition over `claims`, `issuer`, `subject`. An error in its evaluation is false.
 * @throws AppError `policy_invalid` with `extras.errors` at `match`
 */
export function compileClaimsMatch(expression: string): (subject: TokenSubject) => boolean {
  const condition = compile(expression, claimsEnvironment, 'match');
  return (subject) => condition.evaluate(factsOf(subject), noParams) === true;
}

export interface ClaimsExplanation {
  readonly matches: boolean;
  /** Parts of the outermost `&&` that hold, and how many there are: the larger the share, the nearer the identity. */
  readonly satisfied: number;
  readonly total: number;
  /** The conditions that do not hold, e.g. `claims.ref == "refs/heads/main" (claims.ref is "refs/heads/dev")`. */
  readonly differences: readonly string[];
  readonly parts: readonly ConditionPart[];
}

/**
 * Which comparison differs, for operators: it repeats the values of claims.
 * @throws AppError `policy_invalid` as `compileClaimsMatch`
 */
export function explainClaimsMatch(
  expression: string,
  claims: Readonly<Record<string, unknown>>,
  of: { readonly issuer: string; readonly subject: string } = { issuer: textOf(claims['iss']), subject: textOf(claims['sub']) },
): ClaimsExplanation {
  const condition = compile(expression, claimsEnvironment, 'match');
  const facts = factsOf({ ...of, claims });
  const parts = explainCondition(expression, claimsEnvironment, facts, noParams);
  return {
    matches: condition.evaluate(facts, noParams) === true,
    satisfied: parts.filter((part) => part.outcome === 'true').length,
    total: parts.length,
    differences: parts
      .filter((part) => part.outcome !== 'true')
      .map((part) => (part.error === undefined ? describePart(part) : `${part.expression} (${part.error})`)),
    parts,
  };
}

/**
 * A CEL condition over `identity`. An error in its evaluation is false, so an exemption does not apply.
 * @throws AppError `policy_invalid` with `extras.errors` at `unless`
 */
export function compileIdentityCondition(expression: string): (identity: IdentityFacts) => boolean {
  const condition = compile(expression, identityEnvironment, 'unless');
  return (identity) => condition.evaluate(identityFacts(identity), noParams) === true;
}

const factsOf = ({ issuer, subject, claims }: TokenSubject): ReturnType<typeof identityFacts> =>
  identityFacts({ name: '', issuer, subject, claims, labels: {} });

function compile(expression: string, environment: ConditionEnvironment, path: string): Condition {
  try {
    return compileCondition(expression, environment);
  } catch (error) {
    throw policyInvalid([{ path, message: (error as Error).message }]);
  }
}

/** A claim that must be a string; a value of another type counts as absent. */
const textOf = (claim: unknown): string => (typeof claim === 'string' ? claim : '');
