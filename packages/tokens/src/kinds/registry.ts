/**
 * Every kind of identity provider. docs/extending.md lists the places that a new one touches; a kind without a line here
 * does not compile.
 */
import type { IdentityProviderSettings } from '@hoop/contract';

import type { Endpoint, KindName, ProviderKind } from './kind.ts';
import { oidc } from './oidc/oidc.ts';

export const kinds: { readonly [K in KindName]: ProviderKind<K> } = { oidc };

const kindOf = ({ kind }: IdentityProviderSettings): ProviderKind<KindName> => kinds[kind];

/** The addresses that a provider's keys are fetched from. */
export const providerEndpoints = (settings: IdentityProviderSettings): readonly Endpoint[] => kindOf(settings).endpoints(settings);

/** The settings that decide whose tokens are accepted. */
export const providerTrust = (settings: IdentityProviderSettings): Readonly<Record<string, unknown>> => ({
  kind: settings.kind,
  ...kindOf(settings).trust(settings),
});

/** How one token could fit both of two providers with the same issuer, as a phrase; null: none can. */
export function providerOverlap(one: IdentityProviderSettings, other: IdentityProviderSettings): string | null {
  return one.kind === other.kind ? kindOf(one).overlap(one, other) : null;
}
