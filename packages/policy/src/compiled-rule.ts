import type { Effect, MaskRule, Rule } from '@hoop/contract';

import type { Condition } from './condition/condition.ts';
import type { PathMatcher } from './path/path-matcher.ts';
import type { Re2Pattern } from './re2.ts';

export interface ContextRequirement {
  readonly key: string;
  readonly pattern: string;
  readonly compiled: Re2Pattern;
}

export interface CompiledRule {
  /** The same for rules of the same content. */
  readonly key: number;
  readonly rule: Rule;
  readonly name: string;
  readonly effect: Effect;
  /** Null: every method. Shared by all rules for the same methods. */
  readonly methods: ReadonlySet<string> | null;
  /** Null: every path. */
  readonly paths: readonly PathMatcher[] | null;
  readonly when: Condition | null;
  readonly context: readonly ContextRequirement[];
  /** What its own masking rules are, compiled by @hoop/masking; empty: it has none. */
  readonly mask: readonly MaskRule[];
}
