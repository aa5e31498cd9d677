/** The person whom the rule asks: looks at what waits for them, reads each request whole, and decides about what they read. */
import { setTimeout as delay } from 'node:timers/promises';

import { type Client, type Output } from '@hoop/client';

export const approverName = 'dana';
export const approverGroup = 'payments';
export const approverComment = 'Agreed with the customer.';

/** One approval as the approver saw it, and what they made of it. */
export interface SeenApproval {
  readonly seen: Output<'getApproval'>;
  readonly decided: Output<'reviewApproval'>;
}

/** Approves whatever waits for this approver until `signal` aborts. @throws ApiError */
export async function playApprover(api: Client, signal: AbortSignal, say: (sentence: string) => void): Promise<SeenApproval[]> {
  const approvals: SeenApproval[] = [];
  while (!signal.aborted) {
    const { items } = await api.call('listApprovals', { query: { state: 'pending', mine: 'true' } });
    for (const { id } of items) {
      const seen = await api.call('getApproval', { params: { approvalId: id } });
      say(`${seen.identity.name} waits for ${seen.method} ${seen.url}; ${approverName} reads the request and approves it…`);
      const body = { decision: 'approve', digest: seen.digest, comment: approverComment } as const;
      approvals.push({ seen, decided: await api.call('reviewApproval', { params: { approvalId: id }, body }) });
    }
    await delay(100, undefined, { signal }).catch(() => undefined);
  }
  return approvals;
}
