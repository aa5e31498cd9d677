import { AppError, type Unmanaged } from '@hoop/contract';
import { createAddressRules } from '@hoop/upstream';

/** @throws AppError `invalid_request` where a range is none */
export function checkTunnels(unmanaged: Unmanaged): void {
  if (unmanaged.mode === 'deny') return;
  try {
    createAddressRules(unmanaged.allowedCidrs);
  } catch (error) {
    throw new AppError('invalid_request', (error as Error).message);
  }
}
