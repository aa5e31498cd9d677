import { getPolicy as getOperation, getPolicyRevision as getRevisionOperation, listPolicyRevisions as listOperation } from '@hoop/contract';
import { findConnection, findPolicy, listPolicyRevisions as readPage } from '@hoop/database';

import { fromNumberCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const getPolicy = route(getOperation, async ({ context, params }) => {
  const { prisma } = context.database;
  const connection = found(await findConnection(prisma, params.connection), 'connection');
  const policy = found(await findPolicy(prisma, connection.id), 'policy');
  return { body: policy, version: policy.revision };
});

export const getPolicyRevision = route(getRevisionOperation, async ({ context, params }) => {
  const { prisma } = context.database;
  const connection = found(await findConnection(prisma, params.connection), 'connection');
  return { body: found(await findPolicy(prisma, connection.id, params.revision), 'policy revision') };
});

export const listPolicyRevisions = route(listOperation, async ({ context, params, query }) => {
  const { prisma } = context.database;
  const before = fromNumberCursor(query.cursor);
  const connection = found(await findConnection(prisma, params.connection), 'connection');
  const { items, last } = await readPage(prisma, connection.id, { limit: query.limit, before });
  return { body: { items, next: toCursor(last) } };
});
