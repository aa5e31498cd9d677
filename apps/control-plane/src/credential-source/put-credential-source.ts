import { AppError, newId, putCredentialSource as operation, type CredentialSecrets, type CredentialSourceSettings } from '@hoop/contract';
import { findConnection, findCredentialSource, insertCredentialSource, touchConnection, updateCredentialSource } from '@hoop/database';
import { boundHosts, sealSecrets } from '@hoop/sealing';
import { parseTarget } from '@hoop/upstream';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

export const putCredentialSource = route(operation, async (call) => {
  const { settings, secrets } = call.body;
  checkSecrets(settings, secrets);

  return mutate(call, { action: 'credential_source.put', isConfiguration: true }, async ({ tx, at, revision }) => {
    const connection = found(await findConnection(tx, call.params.connection), 'connection');
    if (settings.type === 'oauth2_client_credentials') {
      parseTarget({ target: settings.tokenUrl, allowedHosts: [], allowedCidrs: connection.allowedCidrs });
    }
    const before = await findCredentialSource(tx, connection.id);
    call.precondition.check(before?.version ?? null);

    // Sealed at once, to the origins that the connection has under the lock. From here on nothing of ours can open it.
    const id = before?.id ?? newId('credential_source', at.getTime());
    const hosts = boundHosts(connection, settings);
    const sealed = await sealSecrets(call.context.keys.sealing, { connectionId: connection.id, credentialSourceId: id, hosts, secrets });

    const write = { settings, sealed, sealedHosts: hosts, at };
    const after =
      before === null
        ? await insertCredentialSource(tx, { ...write, id, connectionId: connection.id })
        : await updateCredentialSource(tx, id, write);
    await touchConnection(tx, connection.id, revision);
    return { reply: { body: after, version: after.version }, target: { type: 'credential_source', id, name: connection.name }, before, after };
  });
});

/** Exactly the secret that the settings call for: what nobody uses must not lie around. */
function checkSecrets(settings: CredentialSourceSettings, secrets: CredentialSecrets): void {
  const needed =
    settings.type === 'static' ? 'secret' : settings.clientAuthentication === 'private_key_jwt' ? 'privateKey' : 'clientSecret';
  const errors = [
    ...(secrets[needed] === undefined ? [{ path: `secrets.${needed}`, message: 'is needed for these settings' }] : []),
    ...Object.keys(secrets)
      .filter((name) => name !== needed && secrets[name as keyof CredentialSecrets] !== undefined)
      .map((name) => ({ path: `secrets.${name}`, message: 'is of no use for these settings' })),
  ];
  const first = errors[0];
  if (first !== undefined) throw new AppError('invalid_request', `\`${first.path}\` in the body: ${first.message}.`, { extras: { errors } });
  if (needed === 'privateKey') checkPrivateKey(secrets.privateKey!);
}

/** RFC 7517, RFC 7518 §6: an asymmetric private key that names its algorithm. */
function checkPrivateKey(jwk: Record<string, unknown>): void {
  const isPrivate = typeof jwk['d'] === 'string' && ['RSA', 'EC', 'OKP'].includes(String(jwk['kty']));
  const isSigning = typeof jwk['alg'] === 'string' && /^(?:RS|PS|ES)(?:256|384|512)$|^EdDSA$|^Ed25519$/.test(jwk['alg']);
  if (isPrivate && isSigning) return;
  const message = 'must be a private RSA, EC or OKP JWK with the `alg` of a signature';
  throw new AppError('invalid_request', `\`secrets.privateKey\` in the body: ${message}.`, { extras: { errors: [{ path: 'secrets.privateKey', message }] } });
}
