import { followChanges as operation } from '@hoop/contract';
import { readRevision } from '@hoop/database';

import { route } from '../http/route.ts';

/** Bytes that may wait for a relay that does not read; then it is cut and starts over. */
const maxWaiting = 65_536;

export const followChanges = route(operation, async ({ context, request, response }) => {
  let newest = -1;
  const send = (revision: number): void => {
    if (response.destroyed) return;
    if (response.writableLength > maxWaiting) {
      response.destroy();
      return;
    }
    newest = Math.max(newest, revision);
    response.write(`event: revision\ndata: ${JSON.stringify({ revision: newest })}\n\n`);
  };

  // Subscribed before the revision is read, so that no change falls between the two.
  const waiting: number[] = [];
  let onRevision = (revision: number): void => void waiting.push(revision);
  const unsubscribe = context.revisions.subscribe((revision) => onRevision(revision));
  // Relays hold calls for these: approvals that were decided, deferred calls that ended.
  const unsubscribeSubjects = context.subjectChanges.subscribe((change) => {
    if (!response.headersSent || response.destroyed) return;
    // Something may have been missed: the relay starts over and asks again for all that it waits for.
    if (change === null || response.writableLength > maxWaiting) response.destroy();
    else response.write(`event: ${change.kind}\ndata: ${JSON.stringify({ id: change.id, state: change.state })}\n\n`);
  });
  const forget = (): void => {
    unsubscribe();
    unsubscribeSubjects();
  };
  request.once('close', forget);
  response.once('close', forget);
  context.streams.add(response);
  response.once('close', () => context.streams.delete(response));
  try {
    const revision = await readRevision(context.database.prisma);
    request.socket.setNoDelay(true);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    send(Math.max(revision, ...waiting));
    onRevision = send;
  } catch (error) {
    forget();
    context.streams.delete(response);
    throw error;
  }
  return 'streamed';
});
