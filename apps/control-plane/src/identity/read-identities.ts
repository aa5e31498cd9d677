import { getIdentity as getOperation, listIdentities as listOperation } from '@hoop/contract';
import { findIdentity, findIdentityProvider, listIdentities as readPage } from '@hoop/database';

import { fromCursor, toCursor } from '../http/cursor.ts';
import { filterId, found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const getIdentity = route(getOperation, async ({ context, params }) => {
  const identity = found(await findIdentity(context.database.prisma, params.identity), 'identity');
  return { body: identity, version: identity.version };
});

export const listIdentities = route(listOperation, async ({ context, query }) => {
  const { limit, cursor, provider, owner, disabled } = query;
  const { prisma } = context.database;
  const before = fromCursor(cursor);
  const providerId = await filterId('identity_provider', 'provider', provider, (reference) => findIdentityProvider(prisma, reference));
  const { items, last } = await readPage(prisma, { providerId, owner, disabled }, { limit, before });
  return { body: { items, next: toCursor(last) } };
});
