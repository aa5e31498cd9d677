import { exportSessionCalls as operation, type CallResource, type ExportedLine, type SessionResource } from '@hoop/contract';
import { findSession, listSessionCalls, readBodies } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { inGroups } from '../call/in-groups.ts';
import { contentOf, openBodies } from '../call/open-bodies.ts';
import type { Context } from '../context.ts';
import { found } from '../http/found.ts';
import { openLineStream } from '../http/line-stream.ts';
import { route } from '../http/route.ts';

const callsAtOnce = 100;

/** Written as it is read, so that memory does not grow with the session. No audit event, no content. */
export const exportSessionCalls = route(operation, async (call) => {
  const { context, response } = call;
  const session = found(await findSession(context.database.prisma, call.params.sessionId), 'session');
  const calls = readLines(context, session);
  // The first ones are opened before anything is sent: a key that is missing is still an error response.
  let next = await calls.next();

  await mutate(call, { action: 'session.export_ndjson', isConfiguration: false }, async () => ({
    reply: {},
    target: { type: 'session', id: session.id, name: session.identity?.name ?? null },
    before: null,
    after: null,
  }));

  const lines = openLineStream(response, { 'content-disposition': `attachment; filename="${session.id}.ndjson"` });
  await lines.send({ type: 'session', session } satisfies ExportedLine);
  for (; !next.done && !lines.isClosed; next = await calls.next()) await lines.send(next.value);
  lines.end();
  return 'streamed';
});

type CallLine = Extract<ExportedLine, { type: 'call' }>;

async function* readLines(context: Context, session: SessionResource): AsyncGenerator<CallLine, void, void> {
  const { prisma } = context.database;
  for (let after: string | undefined; ;) {
    const calls: CallResource[] = await listSessionCalls(prisma, session.id, { after, limit: callsAtOnce });
    for (const group of inGroups(calls, (one) => (one.requestBody?.keptBytes ?? 0) + (one.responseBody?.keptBytes ?? 0))) {
      const ids = group.map(({ id }) => id);
      const opened = await openBodies(context, await readBodies(prisma, ids, context.blobs));
      const bodyOf = (call: CallResource, side: 'request' | 'response') => {
        const facts = side === 'request' ? call.requestBody : call.responseBody;
        const bytes = opened.get(`${call.id}:${side}`);
        return facts === null || bytes === undefined ? null : { ...facts, ...contentOf(bytes) };
      };
      for (const call of group) yield { type: 'call', call, request: bodyOf(call, 'request'), response: bodyOf(call, 'response') };
    }
    if (calls.length < callsAtOnce) return;
    after = calls.at(-1)!.id;
  }
}
