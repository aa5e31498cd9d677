import { getCredentialSource as operation } from '@hoop/contract';
import { findConnection, findCredentialSource } from '@hoop/database';

import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const getCredentialSource = route(operation, async ({ context, params }) => {
  const { prisma } = context.database;
  const connection = found(await findConnection(prisma, params.connection), 'connection');
  const credential = found(await findCredentialSource(prisma, connection.id), 'credential source');
  return { body: credential, version: credential.version };
});
