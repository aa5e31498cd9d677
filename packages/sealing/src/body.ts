/** Recorded bodies: AES-256-GCM under a session's data key, which is wrapped to the recording key. */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, randomFillSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, importJWK } from 'jose';
import type { JWK } from 'jose';

import { isPrivateJwk, keyManagementAlgorithm } from './keys.ts';
import type { JwkSet } from './keys.ts';

const dataKeyType = 'hoop-data-key+jwe';
const nonceBytes = 12;
const tagBytes = 16;

export interface DataKey {
  readonly id: string;
  /** Compact JWE that only a holder of the recording key can open. */
  readonly wrapped: string;
  readonly key: KeyObject;
}

/** A new random data key, wrapped to a public recording key. Throws where the key is private or has no `kid`. */
export async function createDataKey(recordingPublicJwk: JWK): Promise<DataKey> {
  if (isPrivateJwk(recordingPublicJwk)) throw new Error('The recording key is a private key; the relay may have only its public half.');
  if (typeof recordingPublicJwk.kid !== 'string') throw new Error('The recording key has no kid.');
  const bytes = randomBytes(32);
  const id = randomBytes(16).toString('base64url');
  const wrapped = await new CompactEncrypt(bytes)
    .setProtectedHeader({ alg: keyManagementAlgorithm, enc: 'A256GCM', typ: dataKeyType, kid: recordingPublicJwk.kid, id })
    .encrypt(await importJWK(recordingPublicJwk, keyManagementAlgorithm));
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { id, wrapped, key };
}

/** Throws where no key of the set fits or the wrapped key is damaged. */
export async function openDataKey(recordingPrivateJwks: JwkSet, wrapped: string): Promise<KeyObject> {
  const { kid } = decodeProtectedHeader(wrapped);
  const jwk = recordingPrivateJwks.keys.find((key) => key.kid === kid);
  if (jwk === undefined) throw new Error(`No recording key has the kid "${kid}" that the data key was wrapped to.`);
  const { plaintext, protectedHeader } = await compactDecrypt(wrapped, await importJWK(jwk, keyManagementAlgorithm), {
    keyManagementAlgorithms: [keyManagementAlgorithm],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  if (protectedHeader.typ !== dataKeyType || plaintext.length !== 32) throw new Error('This is not a data key.');
  return createSecretKey(plaintext);
}

/**
 * @param aad what the body belongs to: `<call id>:request` or `<call id>:response`
 * @returns base64 of nonce(12) ‖ ciphertext ‖ tag(16). Nonces are random: at most 2^32 bodies a key (NIST SP 800-38D §8.3).
 */
export function sealBody(key: KeyObject, bytes: Uint8Array, aad: string): string {
  return sealBodyBytes(key, bytes, aad).toString('base64');
}

/** As `sealBody`, but the bytes themselves. */
export function sealBodyBytes(key: KeyObject, bytes: Uint8Array, aad: string): Buffer {
  const sealed = Buffer.allocUnsafe(nonceBytes + bytes.length + tagBytes);
  if (noncesUsed + nonceBytes > nonces.length) {
    randomFillSync(nonces);
    noncesUsed = 0;
  }
  const nonce = sealed.subarray(0, nonceBytes);
  nonces.copy(sealed, 0, noncesUsed, (noncesUsed += nonceBytes));
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(aad));
  sealed.set(cipher.update(bytes), nonceBytes);
  cipher.final();
  sealed.set(cipher.getAuthTag(), nonceBytes + bytes.length);
  return sealed;
}

/** Random bytes for the next nonces; each is used once. */
const nonces = Buffer.alloc(nonceBytes * 256);
let noncesUsed = nonces.length;

/** Throws where key, `aad` or any byte differs from what was sealed. */
export function openBody(key: KeyObject, sealed: string, aad: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.length < nonceBytes + tagBytes) throw new Error('The sealed body is too short.');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(aad))
    .setAuthTag(bytes.subarray(bytes.length - tagBytes));
  const plain = decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes));
  decipher.final();
  return plain;
}
