import type { ApprovalRule, Effect } from '@hoop/contract';

import type { CompiledRule } from './compile-policy.ts';

/** `too_large` over the inspection limit; `unparsed` not of a form that conditions can read; `unread` not buffered. */
export type BodyState = 'absent' | 'parsed' | 'unparsed' | 'too_large' | 'unread';

/** What a decision is made from: the normalised request, who asks, over which connection, and the time. */
export interface Facts {
  readonly request: {
    /** Upper case. */
    readonly method: string;
    /** The target's path, normalised; starts with `/`. */
    readonly path: string;
    /** Every value of a key, in order. */
    readonly query: Readonly<Record<string, readonly string[]>>;
    /** Lower-case names. A list where the header came on several lines; a condition that reads such a one is in error. */
    readonly headers: Readonly<Record<string, string | readonly string[]>>;
    /** The parsed body, see `readInspectedBody`. */
    readonly body: unknown;
    readonly bodyState: BodyState;
  };
  readonly identity: IdentityFacts;
  readonly connection: { readonly name: string };
  readonly context: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly now: number;
}

export interface IdentityFacts {
  readonly name: string;
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** Why a verdict is a refusal although no rule says so. */
export type VerdictError = 'condition_failed' | 'body_not_inspectable';

export interface Verdict {
  readonly effect: Effect;
  /** The rule that decided; null where no rule matched. */
  readonly rule: string | null;
  readonly reason: string;
  readonly policyId: string | null;
  readonly policyRevision: number | null;
  /** Names of all rules whose match and condition hold, sorted. */
  readonly matchedRules: readonly string[];
  /** What a `require_context` verdict lacks, sorted by key. `pattern` is RE2 and must match the whole value. */
  readonly missingContext: readonly { readonly key: string; readonly pattern: string }[];
  /** Every approval that the call needs, also where context is missing as well. */
  readonly approvals: readonly { readonly rule: string; readonly approval: ApprovalRule }[];
  /** A sentence that says what would allow the call; empty where it is allowed. */
  readonly allowedBy: string;
  readonly error?: VerdictError;
  /** The rules with masking of their own that this call falls under, in the policy's order; absent: there are none. */
  readonly maskedBy?: readonly CompiledRule[];
}
