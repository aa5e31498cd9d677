/** Step 5: what a rule wants a person to decide. */
import { AppError } from '@hoop/contract';
import type { Verdict } from '@hoop/policy';

/** @throws AppError `approval_unavailable`: this relay cannot ask anybody, so what needs an approval is refused */
export function approve(verdict: Verdict, extras: Readonly<Record<string, unknown>>): void {
  if (verdict.effect !== 'require_approval') return;
  throw new AppError('approval_unavailable', `${verdict.reason} This call needs a person's approval, which cannot be asked for here.`, { extras });
}
