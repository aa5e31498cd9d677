/** Verification of what callers present, by the kinds of providers that are registered. */
import type { ProviderSnapshot } from '@hoop/contract';

import type { KindName, ProviderKind, ProviderOf, VerifiedSubject, VerifierDependencies, Verify } from './kinds/kind.ts';
import { kinds } from './kinds/registry.ts';

export interface ProviderVerifier {
  /**
   * @param providers those that may have issued it; the one with the token's exact issuer and one of its audiences is used
   * @throws AppError `token_*`, `provider_disabled`, `provider_unavailable`, `identity_ambiguous` (two providers fit)
   */
  verify(token: string, providers: readonly ProviderSnapshot[]): Promise<VerifiedSubject>;
}

export function createProviderVerifier(dependencies: VerifierDependencies): ProviderVerifier {
  const verifiers = Object.entries(kinds).map(([name, kind]: [string, ProviderKind<KindName>]) => ({
    name,
    reads: kind.reads,
    verify: kind.createVerify(dependencies) as Verify<KindName>,
  }));
  return {
    async verify(token, providers) {
      // A text in no known form is refused, and explained, by the first kind: most callers present tokens of it.
      const { name, verify } = verifiers.find(({ reads }) => reads(token)) ?? verifiers[0]!;
      return verify(token, providers.filter(({ settings }) => settings.kind === name) as readonly ProviderOf<KindName>[]);
    },
  };
}
