import type { ApprovalRule, Effect, ErrorCode } from '@hoop/contract';

import type { CompiledRule } from './compiled-rule.ts';

/**
 * Why a verdict is a refusal although no rule says so: a condition that has no value on this request
 * (`condition_failed`), or the error code that says what is wrong with the body that it reads.
 */
export type VerdictError = 'condition_failed' | BodyErrorCode;

export type BodyErrorCode = Extract<ErrorCode, `body_${string}`>;

export interface Verdict {
  readonly effect: Effect;
  /** The rule that decided; null where no rule matched. */
  readonly rule: string | null;
  readonly reason: string;
  readonly policyId: string | null;
  readonly policyRevision: number | null;
  /** Names of all rules whose match and condition hold, sorted. */
  readonly matchedRules: readonly string[];
  /** The context that a `require_context` verdict found missing, sorted by key. `pattern` is RE2 and must match the whole value. */
  readonly missingContext: readonly { readonly key: string; readonly pattern: string }[];
  /** Every approval that the call needs, also where context is missing as well. */
  readonly approvals: readonly { readonly rule: string; readonly approval: ApprovalRule }[];
  /** A sentence that says what would allow the call; empty where it is allowed. */
  readonly allowedBy: string;
  readonly error?: VerdictError;
  /** The rules with masking of their own that this call falls under, in the policy's order; absent: there are none. */
  readonly maskedBy?: readonly CompiledRule[];
}
