/** Sealing of credentials' secrets: compact JWE (RFC 7516), so that what seals cannot open. */
import { createHash } from 'node:crypto';

import { AppError, credentialSecretsSchema, weaknessOfKey } from '@hoop/contract';
import type { CredentialSecrets } from '@hoop/contract';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, importJWK } from 'jose';
import type { JWK } from 'jose';

import { normaliseHosts } from './bound-hosts.ts';
import { isPrivateJwk, keyManagementAlgorithm } from './keys.ts';
import type { JwkSet } from './keys.ts';
import { Secret } from './secret.ts';

/** The permitted use of a sealed secret; every member is in the JWE's protected header, and so authenticated. */
export interface SealBinding {
  readonly connectionId: string;
  readonly credentialSourceId: string;
  /** From `boundHosts`. */
  readonly hosts: readonly string[];
}

const sealedType = 'hoop-secret+jwe';
const contentEncryption = 'A256GCM';
/** Lengths of secrets are hidden up to a multiple of this. */
const paddingBytes = 256;

const hostsDigest = (hosts: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify(normaliseHosts(hosts)))
    .digest('base64url');

const notOpenable = (detail: string, cause?: unknown): AppError => new AppError('credential_not_openable', detail, { cause });

/** The key that seals: the first. A private one here means that the deployment mixed up its key files, which stops it. */
export function sealingKeyOf(publicJwks: JwkSet): JWK & { kid: string } {
  const [jwk] = publicJwks.keys;
  if (jwk === undefined) throw new Error('The sealing key set is empty.');
  if (publicJwks.keys.some(isPrivateJwk)) throw new Error('The sealing key set holds a private key; only the relay may have it.');
  if (typeof jwk.kid !== 'string' || jwk.kid === '') throw new Error('The sealing key has no kid.');
  const weakness = weaknessOfKey(jwk);
  if (weakness !== null) throw new Error(`The sealing key "${jwk.kid}" cannot be trusted: ${weakness}.`);
  return jwk as JWK & { kid: string };
}

/**
 * Seals to the first key of the set. Throws an ordinary error (not an AppError) where the key set is unusable.
 * @returns compact JWE, `ECDH-ES+A256KW` / `A256GCM`
 */
export async function sealSecrets(publicJwks: JwkSet, input: SealBinding & { readonly secrets: CredentialSecrets }): Promise<string> {
  const jwk = sealingKeyOf(publicJwks);
  const json = JSON.stringify(input.secrets);
  const length = Buffer.byteLength(json);
  const padded = json + ' '.repeat(Math.ceil(length / paddingBytes) * paddingBytes - length);
  return new CompactEncrypt(Buffer.from(padded))
    .setProtectedHeader({
      alg: keyManagementAlgorithm,
      enc: contentEncryption,
      typ: sealedType,
      kid: jwk.kid,
      connection: input.connectionId,
      credentialSource: input.credentialSourceId,
      hosts: hostsDigest(input.hosts),
    })
    .encrypt(await importJWK(jwk, keyManagementAlgorithm));
}

/**
 * Opens for exactly this connection, credential source and set of hosts.
 * @throws AppError `credential_not_openable`: another binding, an unknown key, or a damaged seal
 */
export async function openSecrets(privateJwks: JwkSet, sealed: string, binding: SealBinding): Promise<Secret<CredentialSecrets>> {
  const jwk = keyFor(privateJwks, sealed);
  let plaintext: Uint8Array;
  let header: Record<string, unknown>;
  try {
    const opened = await compactDecrypt(sealed, await importJWK(jwk, keyManagementAlgorithm), {
      keyManagementAlgorithms: [keyManagementAlgorithm],
      contentEncryptionAlgorithms: [contentEncryption],
    });
    plaintext = opened.plaintext;
    header = opened.protectedHeader;
  } catch (cause) {
    throw notOpenable('The sealed credential is damaged or was sealed to another key. Enter the secret again.', cause);
  }
  checkBinding(header, binding);
  const secrets = parseSecrets(plaintext);
  return new Secret(secrets);
}

function keyFor(privateJwks: JwkSet, sealed: string): JWK {
  let header: Record<string, unknown>;
  try {
    header = decodeProtectedHeader(sealed) as Record<string, unknown>;
  } catch {
    throw notOpenable('The sealed credential is damaged. Enter the secret again.');
  }
  const found = privateJwks.keys.filter((key) => key.kid === header['kid']);
  if (found.length === 0) {
    throw notOpenable(
      'The sealed credential names a key that this relay does not have. Give the relay that key, or enter the secret again.',
    );
  }
  if (found.length > 1) throw notOpenable('This relay has two sealing keys of the same kid. Give each key a kid of its own.');
  return found[0]!;
}

function checkBinding(header: Record<string, unknown>, binding: SealBinding): void {
  if (header['typ'] !== sealedType) throw notOpenable('This is not a sealed credential.');
  if (header['connection'] !== binding.connectionId) throw notOpenable('The credential was sealed for another connection.');
  if (header['credentialSource'] !== binding.credentialSourceId)
    throw notOpenable('The credential was sealed for another credential source.');
  if (header['hosts'] !== hostsDigest(binding.hosts)) {
    throw notOpenable(
      'The hosts of the connection or of its token endpoint have changed since the credential was sealed. Enter the secret again.',
    );
  }
}

/** No parser's message may pass: it could quote the secret. */
function parseSecrets(plaintext: Uint8Array): CredentialSecrets {
  try {
    return credentialSecretsSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext)));
  } catch {
    throw notOpenable('The sealed credential does not hold what a credential source needs. Enter the secret again.');
  }
}

/** Opens with any key of the relay and seals to the first public key, for the same binding: key rotation. */
export async function resealSecrets(privateJwks: JwkSet, publicJwks: JwkSet, sealed: string, binding: SealBinding): Promise<string> {
  const secrets = await openSecrets(privateJwks, sealed, binding);
  return sealSecrets(publicJwks, { ...binding, secrets: secrets.reveal() });
}

/** The `kid` that a sealed secret names, so that rotation can find what an old key still seals; null where it is damaged. */
export function sealedKeyId(sealed: string): string | null {
  try {
    const { kid } = decodeProtectedHeader(sealed);
    return kid ?? null;
  } catch {
    return null;
  }
}
