import { AppError, type IdentitySnapshot, type SecurityEvent } from '@hoop/contract';
import { explainClaimsMatch } from '@hoop/policy';
import type { VerifiedSubject } from '@hoop/tokens';

type Match = (subject: { issuer: string; subject: string; claims: Readonly<Record<string, unknown>> }) => boolean;

/**
 * The one identity whose match holds. Disabled ones count as well: disabling an identity must not hand its callers to
 * another one whose match is wider.
 *
 * @throws AppError `identity_unmatched`, `identity_ambiguous`, `identity_disabled`
 */
export function matchIdentity(
  subject: VerifiedSubject,
  identities: readonly IdentitySnapshot[],
  compile: (expression: string) => Match,
): IdentitySnapshot {
  const matching = identities.filter((identity) => compile(identity.match)(subject));
  const [identity] = matching;
  if (identity === undefined) {
    throw new AppError('identity_unmatched', `No identity of the provider "${subject.provider.name}" matches the claims of the token.`);
  }
  if (matching.length > 1) {
    // Names are for operators (the security event), not for the caller.
    throw new AppError(
      'identity_ambiguous',
      `${matching.length} identities of the provider "${subject.provider.name}" match the claims of the token; one is needed.`,
      {
        cause: new Error(`matching: ${matching.map((one) => one.name).join(', ')}`),
      },
    );
  }
  if (identity.disabled) throw new AppError('identity_disabled', `The identity "${identity.name}" is disabled.`);
  return identity;
}

/** The identity with the largest share of conditions that hold, and those that do not: for operators. */
export function nearestIdentity(subject: VerifiedSubject, identities: readonly IdentitySnapshot[]): SecurityEvent['nearest'] {
  let best: { share: number; nearest: NonNullable<SecurityEvent['nearest']> } | null = null;
  for (const identity of identities.slice(0, 500)) {
    let explanation: ReturnType<typeof explainClaimsMatch>;
    try {
      explanation = explainClaimsMatch(identity.match, subject.claims, subject);
    } catch {
      continue;
    }
    const share = explanation.total === 0 ? 0 : explanation.satisfied / explanation.total;
    if (best !== null && share <= best.share) continue;
    best = {
      share,
      nearest: {
        identity: { id: identity.id, name: identity.name },
        differences: explanation.differences.map((text) => text.slice(0, 1000)).slice(0, 20),
      },
    };
  }
  return best?.nearest ?? null;
}
