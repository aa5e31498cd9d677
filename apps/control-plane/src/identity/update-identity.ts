import {
  disableIdentity as disableOperation,
  identityInputSchema,
  enableIdentity as enableOperation,
  revokeIdentityGrants as revokeOperation,
  updateIdentity as operation,
  type Identity,
} from '@hoop/contract';
import { findIdentity, findIdentityProvider, updateIdentity as writeIdentity, type IdentityWrite } from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { found, referred } from '../http/found.ts';
import { patched } from '../http/merge.ts';
import { route, type Call, type Reply } from '../http/route.ts';
import { refuseNamesake } from './create-identity.ts';
import { grantsNotBefore } from './grants-not-before.ts';
import { checkMatch } from './match.ts';
import { checkTunnels } from './tunnels.ts';

export const updateIdentity = route(operation, async (call) => {
  const { provider: providerReference, ...patch } = call.body;
  if (patch.match !== undefined) checkMatch(patch.match);
  checkTunnels(patch.unmanaged?.allowedCidrs ?? []);

  return mutate(call, { action: 'identity.update', isConfiguration: true }, async ({ tx, at, revision }) => {
    const before = found(await findIdentity(tx, call.params.identity), 'identity');
    call.precondition.check(before.version);
    const wanted = patched(identityInputSchema.omit({ provider: true }), before, patch);
    await refuseNamesake(tx, wanted.name, before.id);
    const provider =
      providerReference === undefined
        ? before.provider
        : referred(await findIdentityProvider(tx, providerReference), 'identity provider', 'provider', providerReference);
    // A caller that got a grant by the old match may not match the new one.
    const isAnother = provider.id !== before.provider.id || wanted.match !== before.match;
    const ended = isAnother ? { grantsNotBefore: Math.max(before.grantsNotBefore, grantsNotBefore(call.context.now())) } : {};
    const after = await writeIdentity(tx, before.id, { ...wanted, ...ended, providerId: provider.id, revision, at });
    const voids = { of: { identityId: before.id }, reason: 'the identity was changed' };
    return {
      reply: { body: after, version: after.version },
      target: { type: 'identity', id: after.id, name: after.name },
      before,
      after,
      voids,
    };
  });
});

type Action = typeof disableOperation | typeof enableOperation | typeof revokeOperation;

async function change(call: Call<Action>, action: string, write: (before: Identity) => Partial<IdentityWrite>): Promise<Reply<Action>> {
  return mutate(call, { action, isConfiguration: true }, async ({ tx, at, revision }) => {
    const before = found(await findIdentity(tx, call.params.identity), 'identity');
    const after = await writeIdentity(tx, before.id, { ...write(before), revision, at });
    const voids = after.disabled ? { voids: { of: { identityId: before.id }, reason: 'the identity was disabled' } } : {};
    return {
      reply: { body: after, version: after.version },
      target: { type: 'identity', id: after.id, name: after.name },
      before,
      after,
      ...voids,
    };
  });
}

export const disableIdentity = route(disableOperation, (call) => change(call, 'identity.disable', () => ({ disabled: true })));
export const enableIdentity = route(enableOperation, (call) => change(call, 'identity.enable', () => ({ disabled: false })));

export const revokeIdentityGrants = route(revokeOperation, (call) =>
  change(call, 'identity.revoke_grants', (before) => ({
    grantsNotBefore: Math.max(before.grantsNotBefore, grantsNotBefore(call.context.now())),
  })),
);
