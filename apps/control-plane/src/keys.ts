import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import type { RowJwkSet, RowKeys } from '@hoop/database';
import { logVerifierKeys, type LogJwkSet } from '@hoop/recording';
import { isPrivateJwk, Secret, toPublicJwks, type JwkSet } from '@hoop/sealing';
import type { JWK } from 'jose';

import { ConfigurationError, type ControlPlaneConfig } from './config.ts';

export interface Keys {
  /** Private; the first signs. */
  readonly grant: JwkSet;
  readonly grantPublic: { keys: JWK[] };
  /** Public; the first seals. Nothing here can open what it sealed. */
  readonly sealing: JwkSet;
  /** Private: opens recorded bodies for investigators. */
  readonly recording: JwkSet;
  readonly recordingPublic: JWK;
  /** SHA-256 of the relays' token. */
  readonly relayTokenHash: Buffer;
  /** Public key of the worker; null: notifications are not configured. */
  readonly notificationPublic: JWK | null;
  readonly slackSigningSecret: Secret<string> | null;
  /** Verifier keys of the log, the one that signs now first; null: not configured. */
  readonly log: { readonly origin: string; readonly keys: string[] } | null;
  /** Private: signs the rows of the database. */
  readonly rows: RowKeys;
}

/** Reads every key once, at boot; one that is missing or of the wrong kind stops it. */
export async function readKeys(config: ControlPlaneConfig): Promise<Keys> {
  const [grant, sealing, recording, relayToken, rows, notification, slackSecret, log] = await Promise.all([
    readJwks(config.grantKeyFile),
    readJwks(config.sealingPublicKeyFile),
    readJwks(config.recordingKeyFile),
    readSecretText(config.relayTokenFile),
    readJwks(config.rowKeyFile),
    config.notificationPublicKeyFile === undefined ? null : readJwks(config.notificationPublicKeyFile),
    config.slackSigningSecretFile === undefined ? null : readSecretText(config.slackSigningSecretFile),
    config.logPublicKeyFile === undefined ? null : readJwks(config.logPublicKeyFile),
  ]);
  if (notification?.keys.some(isPrivateJwk) === true) {
    throw new ConfigurationError(`${config.notificationPublicKeyFile} holds a private key. Only the worker may open channels' secrets.`);
  }
  if (!grant.keys.every((key) => key.crv === 'Ed25519' && isPrivateJwk(key))) {
    throw new ConfigurationError(`${config.grantKeyFile} must hold private Ed25519 keys only.`);
  }
  if (sealing.keys.some(isPrivateJwk)) {
    throw new ConfigurationError(
      `${config.sealingPublicKeyFile} holds a private key. The control plane must not be able to open what it seals.`,
    );
  }
  if (!rows.keys.every((key) => key.crv === 'Ed25519' && isPrivateJwk(key))) {
    throw new ConfigurationError(`${config.rowKeyFile} must hold private Ed25519 keys only.`);
  }
  if (!recording.keys.every(isPrivateJwk)) throw new ConfigurationError(`${config.recordingKeyFile} must hold private keys only.`);
  return {
    grant,
    grantPublic: toPublicJwks(grant),
    sealing,
    recording,
    recordingPublic: toPublicJwks(recording).keys[0]!,
    relayTokenHash: createHash('sha256').update(relayToken).digest(),
    notificationPublic: notification?.keys[0] ?? null,
    slackSigningSecret: slackSecret === null ? null : new Secret(slackSecret),
    rows: { controlPlane: rows as RowJwkSet, ...(log === null ? {} : { worker: log as RowJwkSet }) },
    log: log === null ? null : verifierKeys(config.logPublicKeyFile!, log, config.logOrigin),
  };
}

function verifierKeys(file: string, keys: JwkSet, origin: string | undefined): { origin: string; keys: string[] } {
  if (keys.keys.some(isPrivateJwk)) throw new ConfigurationError(`${file} holds a private key. Only the worker may sign the log.`);
  try {
    return logVerifierKeys(keys as LogJwkSet, origin);
  } catch (error) {
    throw new ConfigurationError(`${file}: ${(error as Error).message}`);
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(`The key file ${file} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'unknown error'}.`);
  }
}

async function readJwks(file: string): Promise<JwkSet> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await read(file));
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    // The parser's message could quote a key.
    throw new ConfigurationError(`The key file ${file} is not JSON.`);
  }
  const keys = (parsed as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every((key) => typeof (key as JWK | null)?.kid === 'string')) {
    throw new ConfigurationError(`The key file ${file} must be a JWK set (RFC 7517 §5) with at least one key, each with a kid.`);
  }
  return { keys: keys as JWK[] };
}

/** A token in a file: at least 32 characters, or it could be guessed. */
export async function readSecretText(file: string): Promise<string> {
  const text = (await read(file)).trim();
  if (text.length < 32) throw new ConfigurationError(`The token in ${file} is shorter than 32 characters.`);
  return text;
}
