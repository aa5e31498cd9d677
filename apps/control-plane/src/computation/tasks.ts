/**
 * Work whose length callers decide: each task is a pure function of what can be copied to a worker thread. The control
 * plane runs none of them on its own event loop, which serves every relay.
 */
import { AppError, type Effect, type Explanation, type MaskRule, type PathSettings, type Rule } from '@hoop/contract';
import { compileMasking, type MaskingIdentity } from '@hoop/masking';
import { compileIdentityCondition, compilePolicy, lintPolicy, proposeLeastPrivilege, startBacktest } from '@hoop/policy';
import type { BacktestResult, ObservedCall, ProposedRule } from '@hoop/policy';

import { explanationOf, type ExplainInput } from '../policy/explanation.ts';
import { policyFaults, type PolicyContent, type PolicyFault } from '../policy/policy-faults.ts';
import { recordedFacts, type RecordedParts } from '../policy/recorded-facts.ts';
import { maskSample, type MaskedSample } from '../masking/mask-sample.ts';
import { createFinder, type Found, type Wanted } from '../call/text-finder.ts';

export interface TryMaskingInput {
  readonly rules: readonly MaskRule[];
  readonly identity: MaskingIdentity | undefined;
  readonly contentType: string;
  readonly sample: string;
}

export interface LintInput {
  readonly rules: readonly Rule[];
  readonly paths?: PathSettings;
}

export interface BacktestInput {
  readonly rules: readonly Rule[];
  /** How the target reads paths. */
  readonly paths: PathSettings;
  readonly maxExamples: number;
  readonly calls: readonly { readonly parts: RecordedParts; readonly effect: Effect }[];
}

export interface ProposeInput {
  readonly observed: readonly ObservedCall[];
  readonly maxRules: number;
}

export interface SearchInput {
  readonly wanted: Wanted;
  readonly texts: readonly string[];
  /** After so many milliseconds no further text is begun. */
  readonly stopAfterMs: number;
}

export const tasks = {
  policyFaults: (content: PolicyContent): PolicyFault[] => policyFaults(content),

  lint: ({ rules, ...options }: LintInput): ReturnType<typeof lintPolicy> => lintPolicy(rules, options),

  tryMasking: ({ rules, identity, contentType, sample }: TryMaskingInput): MaskedSample =>
    maskSample(compileMasking(rules, { compileCondition: compileIdentityCondition }), identity, contentType, Buffer.from(sample)),

  explain: (input: ExplainInput): Explanation => explanationOf(input),

  backtest({ rules, paths, maxExamples, calls }: BacktestInput): BacktestResult {
    const run = startBacktest(compilePolicy({ id: '', revision: 0, rules }, paths), { maxExamples });
    for (const { parts, effect } of calls) run.add({ callId: parts.call.id, facts: recordedFacts(parts), effect });
    return run.result();
  },

  propose({ observed, maxRules }: ProposeInput): ProposedRule[] {
    try {
      return proposeLeastPrivilege(observed, { maxRules });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new AppError(
        'conflict',
        `The observed paths do not fit in ${maxRules} rules: allow more, or choose an identity or a shorter period.`,
      );
    }
  },

  /** Results for the texts that were searched: all of them, or as many as time was for, at least one. */
  search({ wanted, texts, stopAfterMs }: SearchInput): (Found | null)[] {
    const find = createFinder(wanted);
    const until = performance.now() + stopAfterMs;
    const found: (Found | null)[] = [];
    for (const text of texts) {
      found.push(find(text));
      if (performance.now() >= until) break;
    }
    return found;
  },
} as const;

export type TaskName = keyof typeof tasks;
export type TaskInput<N extends TaskName> = Parameters<(typeof tasks)[N]>[0];
export type TaskOutput<N extends TaskName> = ReturnType<(typeof tasks)[N]>;
