import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';

export interface JwkSet {
  readonly keys: readonly JWK[];
}

export interface GeneratedGrantKeys {
  /** One private key with `kid`, `alg` and `use`. Keep in a file of mode 0600. */
  readonly privateJwks: { keys: JWK[] };
  readonly publicJwks: { keys: JWK[] };
}

/** Name of Ed25519 signatures in JOSE (RFC 8037 §3.1). */
export const grantAlgorithm = 'EdDSA';

/** A new Ed25519 key that signs grants; `kid` is its thumbprint (RFC 7638). */
export async function generateGrantKeys(): Promise<GeneratedGrantKeys> {
  const { privateKey } = await generateKeyPair(grantAlgorithm, { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const privateJwks = { keys: [{ ...jwk, kid, alg: grantAlgorithm, use: 'sig' }] };
  return { privateJwks, publicJwks: toPublicJwks(privateJwks) };
}

const publicMembers = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use'] as const;

/** Returns the public members of a key set, by an allow-list, so that no private member can slip through. */
export function toPublicJwks(set: JwkSet): { keys: JWK[] } {
  return {
    keys: set.keys.map((jwk) => {
      const copy: Record<string, unknown> = {};
      for (const member of publicMembers) if (jwk[member] !== undefined) copy[member] = jwk[member];
      return copy as JWK;
    }),
  };
}
