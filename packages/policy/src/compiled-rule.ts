import type { Effect, MaskRule, Rule } from '@hoop/contract';

import type { Condition } from './condition/condition.ts';
import type { PathMatcher } from './path/path-matcher.ts';
import type { WideForm } from './path/wide-matcher.ts';
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
  /** For the readings of a path. Null: every path, or the rule restricts nothing. */
  readonly widePaths: readonly WideForm[] | null;
  /** It may allow a call by itself, or once its requirement is met. */
  readonly permits: boolean;
  /** This is the rule as it holds for a call of which only a reading is one that the rule names: another spelling of its path, or HEAD for GET. */
  readonly isOfReading: boolean;
  /** The rule as it holds for such a call: it restricts (denies, requires, masks) and permits nothing. */
  readonly ofReading: CompiledRule | null;
  readonly when: Condition | null;
  /** Its condition reads the path or parameters, so that it is asked for each reading where the rule restricts. */
  readonly readsPath: boolean;
  readonly context: readonly ContextRequirement[];
  /** The rule's own masking rules, compiled by @hoop/masking; may be empty. */
  readonly mask: readonly MaskRule[];
}

/** Names may repeat (lint says so); rules that are the same in all respects may stand in any order. */
export function byNameThenContent(a: CompiledRule, b: CompiledRule): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  const [left, right] = [JSON.stringify(a.rule), JSON.stringify(b.rule)];
  return left === right ? 0 : left < right ? -1 : 1;
}
