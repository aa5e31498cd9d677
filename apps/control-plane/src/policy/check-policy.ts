import { AppError, type MaskRule, type Rule } from '@hoop/contract';
import { compileMasking } from '@hoop/masking';
import { parsePolicy } from '@hoop/policy';

export interface PolicyFault {
  readonly path: string;
  readonly message: string;
}

/** Everything that is wrong with a policy: conditions, patterns, masking rules. */
export function policyFaults(content: { readonly rules: readonly Rule[]; readonly mask: readonly MaskRule[] }): PolicyFault[] {
  return [...parsePolicy(content).errors, ...maskFaults(content.mask)];
}

export function maskFaults(mask: readonly MaskRule[]): PolicyFault[] {
  try {
    compileMasking(mask);
    return [];
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'policy_invalid') throw error;
    const { errors } = error.extras as { errors?: PolicyFault[] };
    return errors ?? [{ path: 'mask', message: error.detail }];
  }
}

/** @throws AppError `policy_invalid` */
export function checkPolicy(content: { readonly rules: readonly Rule[]; readonly mask: readonly MaskRule[] }): void {
  const errors = policyFaults(content);
  const [first] = errors;
  if (first === undefined) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  throw new AppError('policy_invalid', `\`${first.path}\` ${first.message}${more}.`, { extras: { errors } });
}
