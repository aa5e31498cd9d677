import { getIdentityProvider as getOperation, listIdentityProviders as listOperation } from '@hoop/contract';
import { findIdentityProvider, listIdentityProviders as readPage } from '@hoop/database';

import { fromCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const getIdentityProvider = route(getOperation, async ({ context, params }) => {
  const provider = found(await findIdentityProvider(context.database.prisma, params.provider), 'identity provider');
  return { body: provider, version: provider.version };
});

export const listIdentityProviders = route(listOperation, async ({ context, query }) => {
  const { limit, cursor, disabled } = query;
  const { items, last } = await readPage(context.database.prisma, { disabled }, { limit, before: fromCursor(cursor) });
  return { body: { items, next: toCursor(last) } };
});
