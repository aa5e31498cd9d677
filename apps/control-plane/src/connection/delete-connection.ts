import { AppError, deleteConnection as operation } from '@hoop/contract';
import { deleteConnection as removeConnection, findConnection, leaveTombstone } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const deleteConnection = route(operation, async (call) =>
  mutate(call, { action: 'connection.delete', isConfiguration: true }, async ({ tx, at, revision }) => {
    const before = found(await findConnection(tx, call.params.connection), 'connection');
    const { id, name, identities } = before;
    if (identities.length > 0) {
      const usedBy = identities.map((identity) => ({ type: 'identity', ...identity }));
      throw new AppError(
        'in_use',
        `The connection "${name}" may be used by ${usedBy
          .map((one) => `the identity "${one.name}"`)
          .slice(0, 10)
          .join(', ')}. Take them off first.`,
        { extras: { usedBy: usedBy.slice(0, 100) } },
      );
    }
    await removeConnection(tx, id);
    await leaveTombstone(tx, id, revision, at);
    return {
      reply: {},
      target: { type: 'connection', id, name },
      before,
      after: null,
      voids: { of: { connectionId: id }, reason: 'the connection was deleted' },
    };
  }),
);
