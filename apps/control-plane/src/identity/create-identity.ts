import { AppError, createIdentity as operation, newId } from '@hoop/contract';
import { findIdentity, findIdentityProvider, insertIdentity, type Transaction } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { referred } from '../http/found.ts';
import { route } from '../http/route.ts';
import { checkMatch } from './match.ts';
import { checkTunnels } from './tunnels.ts';

export const createIdentity = route(operation, async (call) => {
  const { name, match, owner, labels, disabled, unmanaged } = call.body;
  checkMatch(match);
  checkTunnels(unmanaged.allowedCidrs);

  return mutate(call, { action: 'identity.create', isConfiguration: true }, async ({ tx, at, revision }) => {
    await refuseNamesake(tx, name, null);
    const provider = referred(await findIdentityProvider(tx, call.body.provider), 'identity provider', 'provider', call.body.provider);
    const id = newId('identity', at.getTime());
    const created = await insertIdentity(tx, {
      id,
      name,
      providerId: provider.id,
      match,
      owner,
      labels,
      disabled,
      unmanaged,
      revision,
      at,
    });
    return {
      reply: { body: created, version: created.version, headers: { location: `/v1/identities/${id}` } },
      target: { type: 'identity', id, name },
      before: null,
      after: created,
    };
  });
});

export async function refuseNamesake(tx: Transaction, name: string, ownId: string | null): Promise<void> {
  const namesake = await findIdentity(tx, name);
  if (namesake !== null && namesake.name === name && namesake.id !== ownId)
    throw new AppError('name_taken', `There is an identity "${name}" already.`);
}
