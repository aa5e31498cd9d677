import { getCallBodies as operation } from '@hoop/contract';
import { findCall, readBodies } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';
import { contentOf, openBodies } from './open-bodies.ts';

/** Who reads content leaves a trace: no audit event, no content. */
export const getCallBodies = route(operation, async (call) => {
  const { context, params } = call;
  const { prisma } = context.database;
  const recorded = found(await findCall(prisma, params.callId), 'call');
  const opened = await openBodies(context, await readBodies(prisma, [recorded.id], context.blobs));

  const bodyOf = (side: 'request' | 'response') => {
    const facts = side === 'request' ? recorded.requestBody : recorded.responseBody;
    const bytes = opened.get(`${recorded.id}:${side}`);
    return facts === null || bytes === undefined ? null : { ...facts, ...contentOf(bytes) };
  };
  return mutate(call, { action: 'call.read_bodies', isConfiguration: false }, async () => ({
    reply: { body: { request: bodyOf('request'), response: bodyOf('response') } },
    target: { type: 'call', id: recorded.id, name: null },
    before: null,
    after: null,
  }));
});
