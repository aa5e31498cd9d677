import { getConnection as getOperation, listConnections as listOperation } from '@hoop/contract';
import { findConnection, findIdentity, listConnections as readPage } from '@hoop/database';

import { fromCursor, toCursor } from '../http/cursor.ts';
import { filterId, found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const getConnection = route(getOperation, async ({ context, params }) => {
  const connection = found(await findConnection(context.database.prisma, params.connection), 'connection');
  return { body: connection, version: connection.version };
});

export const listConnections = route(listOperation, async ({ context, query }) => {
  const { limit, cursor, identity, disabled } = query;
  const { prisma } = context.database;
  const before = fromCursor(cursor);
  const identityId = await filterId('identity', 'identity', identity, (reference) => findIdentity(prisma, reference));
  const { items, last } = await readPage(prisma, { identityId, disabled }, { limit, before });
  return { body: { items, next: toCursor(last) } };
});
