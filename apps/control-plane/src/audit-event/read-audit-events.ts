import { getAuditEvent as getOperation, listAuditEvents as listOperation } from '@hoop/contract';
import { findAuditEvent, listAuditEvents as readPage } from '@hoop/database';

import { fromCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const getAuditEvent = route(getOperation, async ({ context, params }) => ({
  body: found(await findAuditEvent(context.database.prisma, params.eventId), 'audit event'),
}));

export const listAuditEvents = route(listOperation, async ({ context, query }) => {
  const { limit, cursor, since, until, actor, action, target } = query;
  const filter = { since, until, actorId: actor, action, targetId: target };
  const { items, last } = await readPage(context.database.prisma, filter, { limit, before: fromCursor(cursor) });
  return { body: { items, next: toCursor(last) } };
});
