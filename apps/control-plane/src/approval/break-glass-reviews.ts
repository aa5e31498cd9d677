import { closeBreakGlassReview as closeOperation, listBreakGlassReviews as listOperation } from '@hoop/contract';
import {
  closeBreakGlassReview as close,
  listBreakGlassReviews as readPage,
  readBreakGlassReview,
  type BreakGlassRecord,
} from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { fromCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';
import { reviewerOf } from './decide-approval.ts';

const toResource = (record: BreakGlassRecord) => ({
  ...record,
  openedAt: new Date(record.openedAt).toISOString(),
  closedAt: record.closedAt === null ? null : new Date(record.closedAt).toISOString(),
});

export const listBreakGlassReviews = route(listOperation, async ({ context, query }) => {
  const { limit, cursor, open } = query;
  const rows = await readPage(context.database.prisma, { isOpen: open, before: fromCursor(cursor) ?? null, limit: limit + 1 });
  const items = rows.slice(0, limit);
  return { body: { items: items.map(toResource), next: rows.length > limit ? toCursor(items.at(-1)!.approvalId) : null } };
});

export const closeBreakGlassReview = route(closeOperation, async (call) => {
  const { approvalId } = call.params;
  const { user } = reviewerOf(call.actor);
  return mutate(call, { action: 'approval.close_break_glass', isConfiguration: false }, async ({ tx, at }) => {
    const before = found(await readBreakGlassReview(tx, approvalId), 'break-glass review');
    await close(tx, approvalId, user, call.body.comment, at.getTime());
    const after = toResource(found(await readBreakGlassReview(tx, approvalId), 'break-glass review'));
    return { reply: { body: after }, target: { type: 'approval', id: approvalId, name: null }, before: toResource(before), after };
  });
});
