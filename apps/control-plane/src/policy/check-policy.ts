import { AppError } from '@hoop/contract';

import type { Call } from '../http/route.ts';
import type { PolicyContent } from './policy-faults.ts';

/** @throws AppError `policy_invalid` with every fault; `too_costly` where the policy takes too long to check */
export async function checkPolicy({ context, actor }: Pick<Call, 'context' | 'actor'>, content: PolicyContent): Promise<void> {
  const errors = await context.computations.run(actor.id, 'policyFaults', content);
  const [first] = errors;
  if (first === undefined) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  throw new AppError('policy_invalid', `\`${first.path}\` ${first.message}${more}.`, { extras: { errors } });
}
