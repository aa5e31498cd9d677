import { newId, putPolicy as operation } from '@hoop/contract';
import { findConnection, findPolicy, writePolicy } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';
import { checkPolicy } from './check-policy.ts';

export const putPolicy = route(operation, async (call) => {
  const { rules, mask, comment } = call.body;
  await checkPolicy(call, { rules, mask });

  return mutate(call, { action: 'policy.put', isConfiguration: true }, async ({ tx, at, revision }) => {
    const connection = found(await findConnection(tx, call.params.connection), 'connection');
    const before = await findPolicy(tx, connection.id);
    call.precondition.check(before?.revision ?? null);
    const after = await writePolicy(tx, connection, {
      newId: newId('policy', at.getTime()),
      snapshotRevision: revision,
      rules,
      mask,
      comment: comment ?? null,
      createdBy: call.actor.name,
      at,
    });
    const voids = { of: { connectionId: connection.id }, reason: 'the policy was changed' };
    return {
      reply: { body: after, version: after.revision },
      target: { type: 'policy', id: after.id, name: connection.name },
      before,
      after,
      voids,
    };
  });
});
