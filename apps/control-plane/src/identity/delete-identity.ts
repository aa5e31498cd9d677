import { AppError, deleteIdentity as operation } from '@hoop/contract';
import { connectionsOfIdentity, deleteIdentity as removeIdentity, findIdentity, leaveTombstone } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const deleteIdentity = route(operation, async (call) =>
  mutate(call, { action: 'identity.delete', isConfiguration: true }, async ({ tx, at, revision }) => {
    const before = found(await findIdentity(tx, call.params.identity), 'identity');
    const { id, name } = before;
    const usedBy = (await connectionsOfIdentity(tx, id)).map((connection) => ({ type: 'connection', ...connection }));
    if (usedBy.length > 0) {
      throw new AppError(
        'in_use',
        `The identity "${name}" is listed by ${usedBy
          .map((one) => `the connection "${one.name}"`)
          .slice(0, 10)
          .join(', ')}.`,
        {
          extras: { usedBy },
        },
      );
    }
    await removeIdentity(tx, id);
    await leaveTombstone(tx, id, revision, at);
    return {
      reply: {},
      target: { type: 'identity', id, name },
      before,
      after: null,
      voids: { of: { identityId: id }, reason: 'the identity was deleted' },
    };
  }),
);
