import type { MaskRule, Rule } from '@hoop/contract';

import { noClaims } from './condition/claims-read.ts';
import type { ClaimsRead } from './condition/claims-read.ts';
import { compileCondition } from './condition/condition.ts';
import { identityEnvironment, requestEnvironment } from './condition/environment.ts';
import type { ConditionEnvironment } from './condition/environment.ts';

export type { ClaimsRead } from './condition/claims-read.ts';

/**
 * The claims that a policy can look at: in conditions of rules, and in exemptions from masking, of the policy and of each
 * rule. A grant for its connection has to carry these. `'all'` also where a condition does not compile, as it is not known
 * to read less.
 */
export function claimsOfPolicy({ rules, mask }: { readonly rules: readonly Rule[]; readonly mask: readonly MaskRule[] }): ClaimsRead {
  const reads: ClaimsRead[] = [];
  for (const rule of rules) if (rule.when !== undefined) reads.push(claimsOf(rule.when, requestEnvironment));
  for (const { unless } of [...mask, ...rules.flatMap((rule) => rule.mask ?? [])]) {
    if (unless !== undefined) reads.push(claimsOf(unless, identityEnvironment));
  }
  return joinClaims(reads);
}

export function joinClaims(reads: readonly ClaimsRead[]): ClaimsRead {
  const names = new Set<string>();
  for (const read of reads) {
    if (read === 'all') return 'all';
    for (const name of read) names.add(name);
  }
  return names.size === 0 ? noClaims : names;
}

function claimsOf(source: string, environment: ConditionEnvironment): ClaimsRead {
  try {
    return compileCondition(source, environment).readsClaims;
  } catch {
    return 'all';
  }
}
