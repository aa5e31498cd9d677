import { getCall as getOperation, listCalls as listOperation } from '@hoop/contract';
import { findCall, listCalls as readPage } from '@hoop/database';

import { fromCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';
import { callFilterOf } from './call-filter.ts';

export const getCall = route(getOperation, async ({ context, params }) => ({
  body: found(await findCall(context.database.prisma, params.callId), 'call'),
}));

export const listCalls = route(listOperation, async ({ context, query }) => {
  const { prisma } = context.database;
  const { items, last } = await readPage(prisma, await callFilterOf(prisma, query), {
    limit: query.limit,
    before: fromCursor(query.cursor),
  });
  return { body: { items, next: toCursor(last) } };
});
