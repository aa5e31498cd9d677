import { isDeepStrictEqual } from 'node:util';

import { identityProviderInputSchema, updateIdentityProvider as operation } from '@hoop/contract';
import { findIdentityProvider, revokeGrantsOfProvider, updateIdentityProvider as writeIdentityProvider } from '@hoop/database';
import { providerTrust } from '@hoop/tokens';

import { mutate } from '../audit/mutate.ts';
import { found } from '../http/found.ts';
import { patched } from '../http/merge.ts';
import { route } from '../http/route.ts';
import { grantsNotBefore } from '../identity/grants-not-before.ts';
import { checkDistinct, checkEndpoints, settingsOf } from './rules.ts';

export const updateIdentityProvider = route(operation, async (call) =>
  mutate(call, { action: 'identity_provider.update', isConfiguration: true }, async ({ tx, at, revision }) => {
    const before = found(await findIdentityProvider(tx, call.params.provider), 'identity provider');
    call.precondition.check(before.version);
    const wanted = patched(identityProviderInputSchema, before, call.body);
    const { name, disabled } = wanted;
    const settings = settingsOf(wanted);
    checkEndpoints(settings);
    await checkDistinct(tx, name, settings, before.id);
    // Tokens that the provider vouched for under the old settings may no longer be valid.
    const isLess = (disabled && !before.disabled) || !isDeepStrictEqual(providerTrust(settings), providerTrust(settingsOf(before)));
    if (isLess) await revokeGrantsOfProvider(tx, before.id, grantsNotBefore(call.context.now()), revision);
    const after = await writeIdentityProvider(tx, before.id, { name, disabled, settings, revision, at });
    return { reply: { body: after, version: after.version }, target: { type: 'identity_provider', id: before.id, name }, before, after };
  }),
);
