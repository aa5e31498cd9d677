import { AppError, identityProviderSettingsSchema, type IdentityProviderSettings } from '@hoop/contract';
import { findIdentityProvider, identityProvidersOfIssuer, type Transaction } from '@hoop/database';
import { providerEndpoints, providerOverlap } from '@hoop/tokens';
import { checkEndpoint } from '@hoop/upstream';

/** Where its keys are must not be a private address that is not listed. @throws AppError `target_refused` */
export function checkEndpoints(settings: IdentityProviderSettings): void {
  for (const { url, name } of providerEndpoints(settings)) checkEndpoint(url, settings.allowedCidrs, name);
}

/** One token must not fit two providers. The caller holds the configuration lock. */
export async function checkDistinct(
  tx: Transaction,
  name: string,
  settings: IdentityProviderSettings,
  ownId: string | null,
): Promise<void> {
  const namesake = await findIdentityProvider(tx, name);
  if (namesake !== null && namesake.name === name && namesake.id !== ownId) {
    throw new AppError('name_taken', `There is an identity provider "${name}" already.`);
  }
  for (const other of await identityProvidersOfIssuer(tx, settings.issuer)) {
    const shared = providerOverlap(other.settings, settings);
    if (other.id === ownId || shared === null) continue;
    throw new AppError('conflict', `The identity provider "${other.name}" has the same issuer and ${shared}: its tokens would fit both.`);
  }
}

/** The settings among the members of a provider, with their defaults. */
export const settingsOf = (input: IdentityProviderSettings): IdentityProviderSettings => settingsSchema.parse(input);

const settingsSchema = identityProviderSettingsSchema.strip();
