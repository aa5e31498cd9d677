import {
  AppError,
  findSecretProblems,
  newId,
  putCredentialSource as operation,
  type CredentialSecrets,
  type CredentialSourceSettings,
} from '@hoop/contract';
import { findConnection, findCredentialSource, insertCredentialSource, updateCredentialSource } from '@hoop/database';
import { boundHosts, sealSecrets } from '@hoop/sealing';
import { checkEndpoint } from '@hoop/upstream';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const putCredentialSource = route(operation, async (call) => {
  const { settings, secrets } = call.body;
  checkSecrets(settings, secrets);

  return mutate(call, { action: 'credential_source.put', isConfiguration: true }, async ({ tx, at, revision }) => {
    const connection = found(await findConnection(tx, call.params.connection), 'connection');
    if (settings.type === 'oauth2_client_credentials') {
      checkEndpoint(settings.tokenUrl, connection.allowedCidrs, 'token URL');
      if (settings.revocationUrl !== undefined) checkEndpoint(settings.revocationUrl, connection.allowedCidrs, 'revocation URL');
    }
    const before = await findCredentialSource(tx, connection.id);
    call.precondition.check(before?.version ?? null);

    // Sealed at once, to the origins that the connection has under the lock. From here on the control plane cannot open it.
    const id = before?.id ?? newId('credential_source', at.getTime());
    const hosts = boundHosts(connection, settings);
    const sealed = await sealSecrets(call.context.keys.sealing, { connectionId: connection.id, credentialSourceId: id, hosts, secrets });

    const write = { settings, sealed, sealedHosts: hosts, revision, at };
    const after =
      before === null
        ? await insertCredentialSource(tx, { ...write, id, connectionId: connection.id })
        : await updateCredentialSource(tx, id, write);
    const voids = { of: { connectionId: connection.id }, reason: 'the credential was changed' };
    return {
      reply: { body: after, version: after.version },
      target: { type: 'credential_source', id, name: connection.name },
      before,
      after,
      voids,
    };
  });
});

/** Exactly the secret that the settings call for, in a form that can be sent. */
function checkSecrets(settings: CredentialSourceSettings, secrets: CredentialSecrets): void {
  const errors = findSecretProblems(settings, secrets).map(({ path, message }) => ({ path: `secrets.${path}`, message }));
  const [first] = errors;
  if (first !== undefined)
    throw new AppError('invalid_request', `\`${first.path}\` in the body: ${first.message}.`, { extras: { errors } });
}
