/** A deferred call that this process is sending to itself. */
import type { DeferredRequest } from './sealed-request.ts';

export interface DeferredRun {
  readonly callId: string;
  readonly approvalId: string | null;
  readonly caller: DeferredRequest['caller'];
}
