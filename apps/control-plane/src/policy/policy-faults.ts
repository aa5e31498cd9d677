import { AppError, type MaskRule, type Rule } from '@hoop/contract';
import { compileMasking } from '@hoop/masking';
import { compileIdentityCondition, maxReportedErrors, parsePolicy } from '@hoop/policy';

export interface PolicyContent {
  readonly rules: readonly Rule[];
  readonly mask: readonly MaskRule[];
}

export interface PolicyFault {
  readonly path: string;
  readonly message: string;
}

/** Everything that is wrong with a policy: conditions, patterns, masking rules. */
export function policyFaults(content: PolicyContent): PolicyFault[] {
  const ofRules = content.rules.flatMap((rule, i) => maskFaults(rule.mask ?? [], `rules[${i}].`));
  return [...parsePolicy(content).errors, ...maskFaults(content.mask), ...ofRules].slice(0, maxReportedErrors);
}

/** @param at what stands before `mask[0]` in the paths of the faults */
function maskFaults(mask: readonly MaskRule[], at = ''): PolicyFault[] {
  if (mask.length === 0) return [];
  try {
    compileMasking(mask, { compileCondition: compileIdentityCondition });
    return [];
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'policy_invalid') throw error;
    const { errors } = error.extras as { errors?: PolicyFault[] };
    return (errors ?? [{ path: 'mask', message: error.detail }]).map(({ path, message }) => ({ path: at + path, message }));
  }
}
