import { AppError, type IdentityProviderSettings } from '@hoop/contract';
import { findIdentityProvider, identityProvidersOfIssuer, type Transaction } from '@hoop/database';
import { checkEndpoint } from '@hoop/upstream';

/** Where its keys are must not be a private address that is not listed. @throws AppError `target_refused` */
export function checkEndpoints({ issuer, jwksUri, allowedCidrs }: IdentityProviderSettings): void {
  if (jwksUri !== undefined) checkEndpoint(jwksUri, allowedCidrs, 'JWKS URI');
  else checkEndpoint(issuer, allowedCidrs, 'issuer');
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
    const shared = other.settings.audiences.find((audience) => settings.audiences.includes(audience));
    if (other.id === ownId || shared === undefined) continue;
    throw new AppError(
      'conflict',
      `The identity provider "${other.name}" has the same issuer and the audience "${shared}": its tokens would fit both.`,
    );
  }
}

export function settingsOf<T extends IdentityProviderSettings>(input: T): IdentityProviderSettings {
  const { kind, issuer, jwksUri, audiences, algorithms, maxAgeSeconds, clockToleranceSeconds, allowedCidrs } = input;
  return {
    kind,
    issuer,
    ...(jwksUri === undefined ? {} : { jwksUri }),
    audiences,
    algorithms,
    maxAgeSeconds,
    clockToleranceSeconds,
    allowedCidrs,
  };
}
