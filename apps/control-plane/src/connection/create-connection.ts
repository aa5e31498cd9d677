import { createConnection as operation, newId } from '@hoop/contract';
import { insertConnection } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { route } from '../http/route.ts';
import { identityIdsOf, refuseNamesake, settingsOf } from './rules.ts';

export const createConnection = route(operation, async (call) => {
  const { name, disabled, identities } = call.body;
  const settings = settingsOf(call.body);

  return mutate(call, { action: 'connection.create', isConfiguration: true }, async ({ tx, at, revision }) => {
    await refuseNamesake(tx, name, null);
    const identityIds = await identityIdsOf(tx, identities);
    const id = newId('connection', at.getTime());
    const created = await insertConnection(tx, { id, name, disabled, settings, identityIds, revision, at });
    return {
      reply: { body: created, version: created.version, headers: { location: `/v1/connections/${id}` } },
      target: { type: 'connection', id, name },
      before: null,
      after: created,
    };
  });
});
