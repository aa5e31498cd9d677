/** `unless`: a CEL condition over the identity. An error in it never lifts a rule. */
import { Environment } from '@marcbachmann/cel-js';

/** The identity as conditions see it. */
export interface MaskingIdentity {
  readonly name: string;
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, string>>;
}

class Identity {}

const environment = new Environment({ limits: { maxAstNodes: 500, maxDepth: 32, maxListElements: 100, maxMapEntries: 100, maxCallArguments: 10 } })
  .registerType('Identity', {
    ctor: Identity,
    fields: { name: 'string', issuer: 'string', subject: 'string', claims: 'map<string, dyn>', labels: 'map<string, string>' },
  })
  .registerVariable('identity', 'Identity');

export type IdentityCondition = (identity: MaskingIdentity) => boolean;

/** Throws where the expression does not parse or is not of type bool. */
export function compileIdentityCondition(expression: string): IdentityCondition {
  const checked = environment.check(expression);
  if (!checked.valid) throw new Error(checked.error?.message.split('\n')[0] ?? 'the condition is not valid');
  if (checked.type !== 'bool' && checked.type !== 'dyn') throw new Error(`the condition must be of type bool, and is ${checked.type}`);
  const evaluate = environment.parse(expression);
  return (identity) => {
    try {
      return evaluate({ identity: Object.assign(new Identity(), identity) }) === true;
    } catch {
      return false;
    }
  };
}
