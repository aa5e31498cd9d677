import { deleteCredentialSource as operation } from '@hoop/contract';
import { deleteCredentialSource as removeCredentialSource, findConnection, findCredentialSource } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const deleteCredentialSource = route(operation, async (call) =>
  mutate(call, { action: 'credential_source.delete', isConfiguration: true }, async ({ tx, revision }) => {
    const connection = found(await findConnection(tx, call.params.connection), 'connection');
    const before = found(await findCredentialSource(tx, connection.id), 'credential source');
    await removeCredentialSource(tx, before.id, connection.id, revision);
    return {
      reply: {},
      target: { type: 'credential_source', id: before.id, name: connection.name },
      before,
      after: null,
      voids: { of: { connectionId: connection.id }, reason: 'the credential was deleted' },
    };
  }),
);
