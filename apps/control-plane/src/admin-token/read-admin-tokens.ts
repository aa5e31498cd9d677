import { getAdminToken as getOperation, getCurrentAdminToken as currentOperation, listAdminTokens as listOperation } from '@hoop/contract';
import { findAdminToken, listAdminTokens as readPage } from '@hoop/database';

import { fromCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const getAdminToken = route(getOperation, async ({ context, params }) => ({
  body: found(await findAdminToken(context.database.prisma, params.tokenId), 'admin token'),
}));

export const getCurrentAdminToken = route(currentOperation, async ({ actor }) => ({ body: found(actor.token, 'admin token') }));

export const listAdminTokens = route(listOperation, async ({ context, query }) => {
  const { limit, cursor, role, revoked } = query;
  const { items, last } = await readPage(context.database.prisma, { role, revoked }, { limit, before: fromCursor(cursor) });
  return { body: { items, next: toCursor(last) } };
});
