import { AppError, type Unmanaged } from '@hoop/contract';
import { createAddressRules } from '@hoop/upstream';

/** @throws AppError `invalid_request` where a range is none */
export function checkTunnels(allowedCidrs: Unmanaged['allowedCidrs']): void {
  try {
    createAddressRules(allowedCidrs);
  } catch (error) {
    throw new AppError('invalid_request', (error as Error).message);
  }
}
