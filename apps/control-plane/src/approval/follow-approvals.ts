import { followApproval as followOneOperation, followApprovals as followAllOperation } from '@hoop/contract';
import { listApprovals, readApproval, type ApprovalRecord } from '@hoop/database';

import { found } from '../http/found.ts';
import { route } from '../http/route.ts';
import { openEventStream } from '../http/event-stream.ts';
import { toApprovalResource } from './resource.ts';

/** The most approvals that a stream begins with; the list has older ones. */
const maxInitial = 200;
const isOver = ({ state }: ApprovalRecord): boolean => state !== 'pending' && state !== 'approved';

export const followApprovals = route(followAllOperation, async ({ context, request, response }) => {
  const { prisma } = context.database;
  const stream = openEventStream(context, request, response);
  const changed = new Set<string>();
  let isReading = false;

  async function initial(): Promise<void> {
    const pending = await listApprovals(prisma, { state: 'pending', limit: maxInitial });
    for (const approval of pending.reverse()) stream.send('approval', toApprovalResource(approval));
  }
  /** One reader: a burst of changes of one approval becomes one event with its newest state. */
  async function tell(): Promise<void> {
    if (isReading) return;
    isReading = true;
    try {
      for (const id of changed) {
        changed.delete(id);
        const approval = await readApproval(prisma, id);
        if (approval !== null) stream.send('approval', toApprovalResource(approval));
      }
    } catch (error) {
      // A client that missed a change must start over.
      stream.fail(error as Error);
    } finally {
      isReading = false;
    }
  }

  const unsubscribe = context.subjectChanges.subscribe((change) => {
    if (change === null) return stream.fail(new Error('notifications may have been missed'));
    if (change.kind !== 'approval') return;
    changed.add(change.id);
    void tell();
  });
  stream.onClose(unsubscribe);
  await initial();
  stream.start();
  return 'streamed';
});

export const followApproval = route(followOneOperation, async ({ context, params, request, response }) => {
  const { prisma } = context.database;
  const first = found(await readApproval(prisma, params.approvalId), 'approval');
  const stream = openEventStream(context, request, response);
  let version = -1;

  function send(approval: ApprovalRecord): void {
    if (approval.version <= version) return;
    version = approval.version;
    stream.send('approval', toApprovalResource(approval));
    if (isOver(approval)) stream.end();
  }
  async function look(): Promise<void> {
    const approval = await readApproval(prisma, params.approvalId);
    if (approval !== null) send(approval);
  }

  const unsubscribe = context.subjectChanges.subscribe((change) => {
    if (change === null || change.id === params.approvalId) look().catch((error: unknown) => stream.fail(error as Error));
  });
  stream.onClose(unsubscribe);
  stream.start();
  send(first);
  // Between the first look and the subscription something may have happened.
  await look();
  return 'streamed';
});
