/** Which of a provider's keys verifies a token: exactly one may come into question. */
import { weaknessOfKey } from '@hoop/contract';
import type { JWK } from 'jose';

/** RFC 7518 §6 and RFC 8037: what a key must be to make signatures of an algorithm. */
const keyTypes: Readonly<Record<string, { readonly kty: string; readonly crv?: string }>> = {
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
};

function fits(jwk: JWK, alg: string): boolean {
  const wanted = keyTypes[alg];
  if (wanted === undefined || jwk.kty !== wanted.kty) return false;
  if (wanted.crv !== undefined && jwk.crv !== wanted.crv) return false;
  if (jwk.alg !== undefined && jwk.alg !== alg && !(wanted.crv === 'Ed25519' && keyTypes[jwk.alg]?.crv === 'Ed25519')) return false;
  if (jwk.use !== undefined && jwk.use !== 'sig') return false;
  return jwk.key_ops === undefined || (Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify'));
}

/** `weakness`: of the keys that were named, all are too weak to prove anything, and this is why the first one is. */
export type KeyChoice = { readonly key: JWK } | { readonly none: true; readonly weakness: string | null } | { readonly ambiguous: number };

export function selectKey(keys: readonly JWK[], header: { readonly alg: string; readonly kid?: string }): KeyChoice {
  const found = keys.filter((jwk) => (header.kid === undefined || jwk.kid === header.kid) && fits(jwk, header.alg));
  const strong = found.filter((jwk) => weaknessOfKey(jwk) === null);
  const [key] = strong;
  if (key === undefined) return { none: true, weakness: found[0] === undefined ? null : weaknessOfKey(found[0]) };
  return strong.length === 1 ? { key } : { ambiguous: strong.length };
}
