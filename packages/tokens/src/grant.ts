/** Grants: minted by the control plane, verified by the relay. */
import { AppError, grantClaimsSchema, grantMaxSeconds, grantType, weaknessOfKey } from '@hoop/contract';
import type { GrantClaims } from '@hoop/contract';
import { SignJWT, compactVerify, importJWK } from 'jose';
import type { CryptoKey, JWK } from 'jose';

import { decodeToken, isoInstant } from './decode.ts';
import { grantAlgorithm } from './keys.ts';
import type { JwkSet } from './keys.ts';

export type GrantInput = Omit<GrantClaims, 'iat'> & { readonly iat?: number };

/**
 * Signs a grant. `now` in milliseconds; claims' times in seconds.
 * @throws Error where the claims are not those of a grant or it would live longer than `grantMaxSeconds`: a bug in Hoop
 */
export async function mintGrant({ key, now }: { readonly key: JWK; readonly now: number }, input: GrantInput): Promise<string> {
  const claims = grantClaimsSchema.parse({ ...input, iat: input.iat ?? Math.floor(now / 1000) });
  if (claims.exp <= claims.iat || claims.exp - claims.iat > grantMaxSeconds) {
    throw new Error(`A grant lives from 1 to ${grantMaxSeconds} seconds, not ${claims.exp - claims.iat}.`);
  }
  if (key.crv !== 'Ed25519' || typeof key.kid !== 'string') throw new Error('Grants are signed with an Ed25519 key that has a kid.');
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: grantAlgorithm, typ: grantType, kid: key.kid })
    .sign(await importJWK(key, grantAlgorithm));
}

export interface GrantVerifierOptions {
  /** Public keys; each needs a `kid` of its own. */
  readonly keys: JwkSet;
  /** Exact `iss`. */
  readonly issuer: string;
  /** Exact `aud`. */
  readonly audience: string;
  /** Verified grants that are remembered. @default 20000 */
  readonly maxCached?: number;
}

export interface GrantVerifier {
  /** `now` in milliseconds. @throws AppError `token_*` */
  verify(token: string, now: number): Promise<GrantClaims>;
  /** The claims of a grant that was verified before and has not expired; no cryptography, no promise. */
  verifyCached(token: string, now: number): GrantClaims | undefined;
}

/** How far the control plane's clock may be ahead of the relay's. */
const clockToleranceMs = 10_000;
/** base64url characters of an Ed25519 signature. */
const signatureLength = 86;

interface Verified {
  readonly token: string;
  readonly claims: GrantClaims;
  readonly expiresAt: number;
}

export function createGrantVerifier({ keys, issuer, audience, maxCached = 20_000 }: GrantVerifierOptions): GrantVerifier {
  const imported = new Map<string, Promise<CryptoKey | Uint8Array>>();
  for (const jwk of keys.keys) {
    if (typeof jwk.kid !== 'string' || jwk.kid === '') throw new Error('A grant key has no kid.');
    if (jwk.crv !== 'Ed25519') throw new Error(`The grant key "${jwk.kid}" is not an Ed25519 key.`);
    const weakness = weaknessOfKey(jwk);
    if (weakness !== null) throw new Error(`The grant key "${jwk.kid}" cannot be trusted: ${weakness}.`);
    if (imported.has(jwk.kid)) throw new Error(`Two grant keys have the kid "${jwk.kid}".`);
    const { d: _private, ...publicJwk } = jwk;
    const key = importJWK(publicJwk, grantAlgorithm);
    key.catch(() => undefined);
    imported.set(jwk.kid, key);
  }

  // Found by the signature, whose short string is quick to hash; an entry holds only where the whole token is equal.
  let recent = new Map<string, Verified>();
  let older = new Map<string, Verified>();

  const remember = (token: string, claims: GrantClaims): void => {
    if (recent.size >= maxCached / 2) {
      older = recent;
      recent = new Map();
    }
    recent.set(token.slice(-signatureLength), { token, claims, expiresAt: claims.exp * 1000 });
  };

  const verifyCached = (token: string, now: number): GrantClaims | undefined => {
    const key = token.slice(-signatureLength);
    let found = recent.get(key);
    if (found === undefined) {
      found = older.get(key);
      if (found === undefined || found.token !== token) return undefined;
      if (now < found.expiresAt) remember(token, found.claims);
    }
    return found.token === token && now < found.expiresAt ? found.claims : undefined;
  };

  return {
    verifyCached,
    async verify(token, now) {
      const cached = verifyCached(token, now);
      if (cached !== undefined) return cached;
      const { header, claims } = decodeToken(token);
      if (header.alg !== grantAlgorithm) {
        throw new AppError('token_algorithm_refused', `Grants are signed with ${grantAlgorithm}, not ${header.alg}.`);
      }
      if (header.typ !== grantType) {
        throw new AppError('token_malformed', 'This token is not a grant. Exchange it for one at /oauth/token (RFC 8693).');
      }
      const key = header.kid === undefined ? undefined : imported.get(header.kid);
      if (key === undefined) {
        throw new AppError('token_key_unknown', 'The grant is signed with a key that is not in use. Exchange your token for a new grant.');
      }
      try {
        await compactVerify(token, await key, { algorithms: [grantAlgorithm] });
      } catch (cause) {
        throw new AppError('token_signature_invalid', 'The signature of the grant does not fit. Exchange your token for a new grant.', {
          cause,
        });
      }
      const verified = checkGrantClaims(claims, { issuer, audience, now });
      remember(token, verified);
      return verified;
    },
  };
}

function checkGrantClaims(raw: Record<string, unknown>, expected: { issuer: string; audience: string; now: number }): GrantClaims {
  const parsed = grantClaimsSchema.safeParse(raw);
  if (!parsed.success) {
    const claim = String(parsed.error.issues[0]?.path[0] ?? '');
    throw new AppError('token_claim_missing', `The grant lacks the claim "${claim}", or it has another form.`, { extras: { claim } });
  }
  const claims = parsed.data;
  if (claims.iss !== expected.issuer)
    throw new AppError('token_issuer_unknown', 'The grant comes from another issuer than this relay trusts.');
  if (claims.aud !== expected.audience) throw new AppError('token_audience_mismatch', 'The grant is meant for another relay.');
  if (expected.now >= claims.exp * 1000) {
    throw new AppError('token_expired', `The grant expired at ${isoInstant(claims.exp * 1000)}. Exchange your token for a new one.`);
  }
  if (claims.iat * 1000 > expected.now + clockToleranceMs) {
    throw new AppError(
      'token_not_yet_valid',
      `The grant was issued at ${isoInstant(claims.iat * 1000)}, which is in the future of this relay's clock.`,
    );
  }
  if (claims.exp - claims.iat > grantMaxSeconds)
    throw new AppError('token_too_old', `The grant lives longer than ${grantMaxSeconds} seconds.`);
  return claims;
}
