import { getSecurityEvent as getOperation, listSecurityEvents as listOperation } from '@hoop/contract';
import { findSecurityEvent, listSecurityEvents as readPage } from '@hoop/database';

import { fromCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const getSecurityEvent = route(getOperation, async ({ context, params }) => ({
  body: found(await findSecurityEvent(context.database.prisma, params.eventId), 'security event'),
}));

export const listSecurityEvents = route(listOperation, async ({ context, query }) => {
  const { limit, cursor, ...filter } = query;
  const { items, last } = await readPage(context.database.prisma, filter, { limit, before: fromCursor(cursor) });
  return { body: { items, next: toCursor(last) } };
});
