/** `unless`: a condition over the identity, compiled by the caller: see `MaskingOptions.compileCondition`. */

/** The identity as conditions see it. */
export interface MaskingIdentity {
  readonly name: string;
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** True: the rule does not apply. An error in it never lifts a rule. */
export type IdentityCondition = (identity: MaskingIdentity) => boolean;
