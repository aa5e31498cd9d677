import { once } from 'node:events';

import { exportSessionHar as operation, type CallResource, type SessionResource } from '@hoop/contract';
import { findSession, listSessionCalls, readBodies } from '@hoop/database';
import { toHar, type HarEntry } from '@hoop/recording';

import { mutate } from '../audit/mutate.ts';
import { openBodies } from '../call/open-bodies.ts';
import type { Context } from '../context.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

/** Calls whose bodies are in memory at a time. */
const callsAtOnce = 20;
const version = '0.1.0';

/** Written as it is read, so that memory does not grow with the session. No audit event, no content. */
export const exportSessionHar = route(operation, async (call) => {
  const { context, response } = call;
  const session = found(await findSession(context.database.prisma, call.params.sessionId), 'session');
  // The first page is opened before anything is sent: a key that is missing is still an error response.
  let page = await readEntries(context, session, undefined);

  await mutate(call, { action: 'session.export_har', isConfiguration: false }, async () => ({
    reply: {},
    target: { type: 'session', id: session.id, name: session.identity?.name ?? null },
    before: null,
    after: null,
  }));

  const { log } = await toHar({ session, calls: [], version });
  const [head, tail] = JSON.stringify({ log: { ...log, entries: ['@'] } }).split('"@"') as [string, string];
  response.writeHead(200, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'content-disposition': `attachment; filename="${session.id}.har"`,
  });
  response.write(head);
  for (let isFirst = true; page.entries.length > 0 && !response.destroyed; page = await readEntries(context, session, page.last)) {
    for (const entry of page.entries) {
      const text = JSON.stringify(entry);
      if (!response.write(isFirst ? text : `,${text}`)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      isFirst = false;
    }
  }
  response.end(tail);
  return 'streamed';
});

async function readEntries(
  context: Context,
  session: SessionResource,
  after: string | undefined,
): Promise<{ entries: HarEntry[]; last: string | undefined }> {
  const { prisma } = context.database;
  const calls: CallResource[] = await listSessionCalls(prisma, session.id, { after, limit: callsAtOnce });
  if (calls.length === 0) return { entries: [], last: after };
  const opened = await openBodies(
    context,
    await readBodies(
      prisma,
      calls.map(({ id }) => id),
      context.blobs,
    ),
  );
  const { log } = await toHar({ session, calls, version, openBody: async (callId, side) => opened.get(`${callId}:${side}`) ?? null });
  return { entries: log.entries, last: calls.at(-1)!.id };
}
