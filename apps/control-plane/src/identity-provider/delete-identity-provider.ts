import { AppError, deleteIdentityProvider as operation } from '@hoop/contract';
import { deleteIdentityProvider as removeIdentityProvider, findIdentityProvider, leaveTombstone, listIdentities } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const deleteIdentityProvider = route(operation, async (call) =>
  mutate(call, { action: 'identity_provider.delete', isConfiguration: true }, async ({ tx, at, revision }) => {
    const before = found(await findIdentityProvider(tx, call.params.provider), 'identity provider');
    const { id, name } = before;
    const users = await listIdentities(tx, { providerId: id }, { limit: 100 });
    if (users.items.length > 0) {
      const usedBy = users.items.map((identity) => ({ type: 'identity', id: identity.id, name: identity.name }));
      throw new AppError(
        'in_use',
        `The identity provider "${name}" is used by ${usedBy
          .map((one) => `the identity "${one.name}"`)
          .slice(0, 10)
          .join(', ')}.`,
        {
          extras: { usedBy },
        },
      );
    }
    await removeIdentityProvider(tx, id);
    await leaveTombstone(tx, id, revision, at);
    return { reply: {}, target: { type: 'identity_provider', id, name }, before, after: null };
  }),
);
