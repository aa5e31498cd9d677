/** Recorded bodies: AES-256-GCM under a session's data key, which is wrapped to the recording key. */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, randomFillSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { weaknessOfKey } from '@hoop/contract';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, importJWK } from 'jose';
import type { JWK } from 'jose';

import { isPrivateJwk, keyManagementAlgorithm } from './keys.ts';
import type { JwkSet } from './keys.ts';

const dataKeyType = 'hoop-data-key+jwe';
const wrappingKeyType = 'hoop-wrapping-key+jwe';
const nonceBytes = 12;
const tagBytes = 16;

export interface DataKey {
  readonly id: string;
  /**
   * The data key, which only a holder of the recording key can open: a compact JWE of the key; or `JWE~INNER`, a compact JWE of a
   * wrapping key, and in base64url the data key wrapped with it (AES key wrap, RFC 3394).
   */
  readonly wrapped: string;
  readonly key: KeyObject;
}

/** Wraps the data keys of many sessions, so that a session costs no public-key operation. */
export interface WrappingKey {
  /** Compact JWE and `~`: where the `wrapped` of its data keys begins. */
  readonly wrapped: string;
  readonly key: KeyObject;
}

/** A new random data key, wrapped to a public recording key. Throws where the key is private or has no `kid`. */
export async function createDataKey(recordingPublicJwk: JWK): Promise<DataKey> {
  const id = newKeyId();
  return { id, ...(await createKey(recordingPublicJwk, { typ: dataKeyType, id })) };
}

/** A new random wrapping key, wrapped to a public recording key. Throws where the key is private or has no `kid`. */
export async function createWrappingKey(recordingPublicJwk: JWK): Promise<WrappingKey> {
  const { wrapped, key } = await createKey(recordingPublicJwk, { typ: wrappingKeyType });
  return { wrapped: `${wrapped}~`, key };
}

/** A new random data key under a wrapping key. @returns `inner`: the end of `wrapped`, which is this key's alone */
export function createDataKeyUnder({ wrapped, key }: WrappingKey): DataKey & { readonly inner: string } {
  const bytes = randomBytes(32);
  const inner = wrap(key, bytes).toString('base64url');
  return { id: newKeyId(), wrapped: wrapped + inner, inner, key: secretOf(bytes) };
}

const newKeyId = (): string => randomBytes(16).toString('base64url');

async function createKey(recordingPublicJwk: JWK, header: Record<string, string>): Promise<WrappingKey> {
  if (isPrivateJwk(recordingPublicJwk)) throw new Error('The recording key is a private key; the relay may have only its public half.');
  if (typeof recordingPublicJwk.kid !== 'string') throw new Error('The recording key has no kid.');
  const weakness = weaknessOfKey(recordingPublicJwk);
  if (weakness !== null) throw new Error(`The recording key cannot be trusted: ${weakness}.`);
  const bytes = randomBytes(32);
  const wrapped = await new CompactEncrypt(bytes)
    .setProtectedHeader({ alg: keyManagementAlgorithm, enc: 'A256GCM', kid: recordingPublicJwk.kid, ...header })
    .encrypt(await importJWK(recordingPublicJwk, keyManagementAlgorithm));
  return { wrapped, key: secretOf(bytes) };
}

function secretOf(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** RFC 3394 §2.2.3.1. */
const wrapIv = Buffer.alloc(8, 0xa6);

function wrap(key: KeyObject, bytes: Uint8Array): Buffer {
  const cipher = createCipheriv('id-aes256-wrap', key, wrapIv);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

function unwrap(key: KeyObject, wrapped: Uint8Array): Buffer {
  const decipher = createDecipheriv('id-aes256-wrap', key, wrapIv);
  return Buffer.concat([decipher.update(wrapped), decipher.final()]);
}

/** Throws where no key of the set fits or the wrapped key is damaged. */
export async function openDataKey(recordingPrivateJwks: JwkSet, wrapped: string): Promise<KeyObject> {
  const [jwe = '', inner] = wrapped.split('~');
  const { kid } = decodeProtectedHeader(jwe);
  const jwk = recordingPrivateJwks.keys.find((key) => key.kid === kid);
  if (jwk === undefined) throw new Error(`No recording key has the kid "${kid}" that the data key was wrapped to.`);
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, await importJWK(jwk, keyManagementAlgorithm), {
    keyManagementAlgorithms: [keyManagementAlgorithm],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  if (protectedHeader.typ !== (inner === undefined ? dataKeyType : wrappingKeyType) || plaintext.length !== 32)
    throw new Error('This is not a data key.');
  const key = secretOf(Buffer.from(plaintext));
  if (inner === undefined) return key;
  const bytes = unwrap(key, Buffer.from(inner, 'base64url'));
  if (bytes.length !== 32) throw new Error('This is not a data key.');
  return secretOf(bytes);
}

/**
 * @param aad what the body belongs to: `<call id>:request` or `<call id>:response`
 * @returns base64 of nonce(12) ‖ ciphertext ‖ tag(16). Nonces are random: at most 2^32 bodies a key (NIST SP 800-38D §8.3).
 */
export function sealBody(key: KeyObject, bytes: Uint8Array, aad: string): string {
  return sealBodyBytes(key, bytes, aad).toString('base64');
}

/** What sealing adds to a body, bytes. */
export const sealOverhead = nonceBytes + tagBytes;

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
