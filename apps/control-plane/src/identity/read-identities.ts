import { getIdentity as getOperation, listIdentities as listOperation } from '@hoop/contract';
import { findIdentity, findIdentityProvider, listIdentities as readPage } from '@hoop/database';

import { fromCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const getIdentity = route(getOperation, async ({ context, params }) => {
  const identity = found(await findIdentity(context.database.prisma, params.identity), 'identity');
  return { body: identity, version: identity.version };
});

export const listIdentities = route(listOperation, async ({ context, query }) => {
  const { limit, cursor, provider, owner, disabled } = query;
  const { prisma } = context.database;
  const before = fromCursor(cursor);
  const named = provider === undefined ? undefined : await findIdentityProvider(prisma, provider);
  if (named === null) return { body: { items: [], next: null } };
  const { items, last } = await readPage(prisma, { providerId: named?.id, owner, disabled }, { limit, before });
  return { body: { items, next: toCursor(last) } };
});
