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
  request.once('close', unsubscribe);
  response.once('close', unsubscribe);
  context.streams.add(response);
  response.once('close', () => context.streams.delete(response));
  try {
    const revision = await readRevision(context.database.prisma);
    request.socket.setNoDelay(true);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    send(Math.max(revision, ...waiting));
    onRevision = send;
  } catch (error) {
    unsubscribe();
    context.streams.delete(response);
    throw error;
  }
  return 'streamed';
});
