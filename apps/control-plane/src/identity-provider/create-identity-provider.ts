import { createIdentityProvider as operation, newId } from '@hoop/contract';
import { insertIdentityProvider } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { route } from '../http/route.ts';
import { checkDistinct, checkEndpoints, settingsOf } from './rules.ts';

export const createIdentityProvider = route(operation, async (call) => {
  const { name, disabled } = call.body;
  const settings = settingsOf(call.body);
  checkEndpoints(settings);

  return mutate(call, { action: 'identity_provider.create', isConfiguration: true }, async ({ tx, at, revision }) => {
    await checkDistinct(tx, name, settings, null);
    const id = newId('identity_provider', at.getTime());
    const created = await insertIdentityProvider(tx, { id, name, disabled, settings, revision, at });
    return {
      reply: { body: created, version: created.version, headers: { location: `/v1/identity-providers/${id}` } },
      target: { type: 'identity_provider', id, name },
      before: null,
      after: created,
    };
  });
});
