/** Key sets as they are kept in files: the first key of a set is the one in use, the others are for what is older. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';

export interface JwkSet {
  readonly keys: readonly JWK[];
}

export interface GeneratedKeys {
  /** Private keys, each with `kid`, `alg` and `use`. Keep in a file of mode 0600. */
  readonly privateJwks: { keys: JWK[] };
  readonly publicJwks: { keys: JWK[] };
}

export const keyManagementAlgorithm = 'ECDH-ES+A256KW';

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** True for a private or symmetric key: one that must never be where only a public key is needed. */
export const isPrivateJwk = (jwk: JWK): boolean => privateMembers.some((member) => jwk[member] !== undefined);

/** The public halves, in the same order. */
export function toPublicJwks(set: JwkSet): { keys: JWK[] } {
  return {
    keys: set.keys.map((jwk) => {
      const copy: Record<string, unknown> = { ...jwk };
      for (const member of privateMembers) delete copy[member];
      delete copy['key_ops'];
      return copy as JWK;
    }),
  };
}

async function generateEncryptionKeys(): Promise<GeneratedKeys> {
  const { privateKey } = await generateKeyPair(keyManagementAlgorithm, { crv: 'X25519', extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const privateJwks = { keys: [{ ...jwk, kid, alg: keyManagementAlgorithm, use: 'enc' }] };
  return { privateJwks, publicJwks: toPublicJwks(privateJwks) };
}

/** A new key (X25519, RFC 8037) to which credentials' secrets are sealed; `kid` is its thumbprint (RFC 7638). */
export const generateSealingKeys = (): Promise<GeneratedKeys> => generateEncryptionKeys();

/** A new key to which the data keys of recorded bodies are wrapped. */
export const generateRecordingKeys = (): Promise<GeneratedKeys> => generateEncryptionKeys();

/** A new set with `fresh` in front: it seals from now on, and what older keys sealed can still be opened. */
export function rotateKeys(current: JwkSet, fresh: JwkSet): { keys: JWK[] } {
  return { keys: [...fresh.keys, ...current.keys] };
}
