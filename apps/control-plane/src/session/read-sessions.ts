import { getSession as getOperation, listSessions as listOperation } from '@hoop/contract';
import { findSession, listSessions as readPage } from '@hoop/database';

import { callFilterOf } from '../call/call-filter.ts';
import { fromCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const getSession = route(getOperation, async ({ context, params }) => ({
  body: found(await findSession(context.database.prisma, params.sessionId), 'session'),
}));

export const listSessions = route(listOperation, async ({ context, query }) => {
  const { prisma } = context.database;
  const { items, last } = await readPage(prisma, await callFilterOf(prisma, query), {
    limit: query.limit,
    before: fromCursor(query.cursor),
  });
  return { body: { items, next: toCursor(last) } };
});
