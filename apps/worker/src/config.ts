/** The worker's configuration. The one file of the worker that reads the environment. */
import { readFileSync } from 'node:fs';

import { blobStoreFromEnv } from '@hoop/blobs';
import type { BlobStore } from '@hoop/blobs';
import type { RowJwkSet } from '@hoop/database';
import { queueConnectionFromEnv } from '@hoop/queue';
import type { QueueConnection } from '@hoop/queue';
import type { LogJwkSet } from '@hoop/recording';
import type { JwkSet } from '@hoop/sealing';

export interface WorkerConfig {
  readonly databaseUrl: string;
  readonly queue: QueueConnection;
  /** Seconds after which a call without an outcome is closed as `unknown`. @default 120 */
  readonly orphanSeconds: number;
  /** Seconds after which a deferred call of which its relay has said nothing is given up; longer than a relay runs one. @default 660 */
  readonly deferredLostSeconds?: number;
  /** Milliseconds after which the job of a worker that died may be taken by another. @default 15000 */
  readonly lockMs?: number;
  /** Base URL of the control plane, for links in messages. @default "http://127.0.0.1:7700" */
  readonly publicUrl?: string;
  /** Private keys that open the secrets of notification channels; without them nothing that is signed can be sent. */
  readonly notificationKeys?: JwkSet;
  /** Private keys that open what approvers are shown; without them Slack messages have no buttons. */
  readonly recordingKeys?: JwkSet;
  /** Milliseconds before each further attempt at a delivery. @default as Standard Webhooks recommends, over two days */
  readonly notificationRetriesMs?: readonly number[];
  /** Private Ed25519 keys that sign the log's checkpoints, the first one now; without them nothing is sequenced. */
  readonly logKeys?: LogJwkSet;
  /** The log's name in its checkpoints. @default "hoop/" and the beginning of the oldest key's id */
  readonly logOrigin?: string;
  /** Public Ed25519 keys of the control plane, by which the worker knows what the control plane wrote. */
  readonly rowKeys: RowJwkSet;
  /** Milliseconds between two batches of the log. @default 250 */
  readonly sequenceMs?: number;
  /** Where checkpoints are kept outside of the database: a file that is appended to. */
  readonly witnessFile?: string;
  /** `add-checkpoint` of a witness (C2SP tlog-witness). */
  readonly witnessUrl?: string;
  /** Private address ranges in which the witness may be. @default [] */
  readonly witnessCidrs?: readonly string[];
  /** Seconds between two checkpoints sent to witnesses. @default 60 */
  readonly witnessSeconds?: number;
  /** The one folder in which event sinks may write files; without it none can. */
  readonly eventFilesFolder?: string;
  /** Milliseconds before a sink is tried again: the first time, doubling up to the last. @default [1000, 300000] */
  readonly eventSinkRetryMs?: readonly [number, number];
  /** Where sealed bodies go that are larger than `blobBytes`. @default nowhere: they stay in their rows */
  readonly blobs?: BlobStore;
  /** @default 65536 */
  readonly blobBytes?: number;
  /** pino's level. @default "info" */
  readonly logLevel: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Error with a sentence that names the variable */
export function readConfig(env: Environment): WorkerConfig {
  const databaseUrl = env['DATABASE_URL'];
  if (!databaseUrl) throw new Error('DATABASE_URL is not set; the worker cannot start without it.');
  const blobs = blobStoreFromEnv(env);
  return {
    databaseUrl,
    queue: queueConnectionFromEnv({
      REDIS_URL: env['REDIS_URL'],
      HOOP_QUEUE_URL: env['HOOP_QUEUE_URL'],
      DATABASE_URL: databaseUrl,
      HOOP_ALLOW_LOSSY_QUEUE: env['HOOP_ALLOW_LOSSY_QUEUE'],
    }),
    orphanSeconds: whole(env, 'HOOP_ORPHAN_SECONDS', 120, 1, 86_400),
    deferredLostSeconds: whole(env, 'HOOP_DEFERRED_LOST_SECONDS', 660, 1, 86_400),
    ...(env['HOOP_PUBLIC_URL'] ? { publicUrl: env['HOOP_PUBLIC_URL'] } : {}),
    ...(env['HOOP_NOTIFICATION_KEY_FILE']
      ? { notificationKeys: readKeys('HOOP_NOTIFICATION_KEY_FILE', env['HOOP_NOTIFICATION_KEY_FILE']) }
      : {}),
    ...(env['HOOP_RECORDING_KEY_FILE'] ? { recordingKeys: readKeys('HOOP_RECORDING_KEY_FILE', env['HOOP_RECORDING_KEY_FILE']) } : {}),
    ...(env['HOOP_LOG_KEY_FILE'] ? { logKeys: readKeys('HOOP_LOG_KEY_FILE', env['HOOP_LOG_KEY_FILE']) as LogJwkSet } : {}),
    ...(env['HOOP_LOG_ORIGIN'] ? { logOrigin: env['HOOP_LOG_ORIGIN'] } : {}),
    ...(env['HOOP_WITNESS_FILE'] ? { witnessFile: env['HOOP_WITNESS_FILE'] } : {}),
    ...(env['HOOP_WITNESS_URL'] ? { witnessUrl: env['HOOP_WITNESS_URL'] } : {}),
    ...(env['HOOP_WITNESS_CIDRS'] ? { witnessCidrs: env['HOOP_WITNESS_CIDRS'].split(',').map((range) => range.trim()) } : {}),
    rowKeys: readPublicKeys('HOOP_ROW_PUBLIC_KEY_FILE', env['HOOP_ROW_PUBLIC_KEY_FILE']),
    witnessSeconds: whole(env, 'HOOP_WITNESS_SECONDS', 60, 1, 86_400),
    ...(env['HOOP_EVENT_FILES_DIR'] ? { eventFilesFolder: env['HOOP_EVENT_FILES_DIR'] } : {}),
    ...(blobs === null ? {} : { blobs, blobBytes: whole(env, 'HOOP_BLOB_BYTES', 65_536, 0, 16_777_216) }),
    logLevel: env['HOOP_LOG_LEVEL'] || 'info',
  };
}

function readPublicKeys(name: string, file: string | undefined): RowJwkSet {
  if (!file) throw new Error(`${name} is not set; without it the worker cannot tell what the control plane wrote.`);
  let keys: unknown;
  try {
    ({ keys } = JSON.parse(readFileSync(file, 'utf8')) as { keys?: unknown });
  } catch {
    throw new Error(`${name} (${file}) cannot be read as JSON.`);
  }
  if (!Array.isArray(keys) || keys.length === 0 || keys.some((key) => (key as { d?: unknown } | null)?.d !== undefined))
    throw new Error(`${name} (${file}) must be a JWK set of public keys: the worker must not be able to sign for the control plane.`);
  return { keys: keys as RowJwkSet['keys'] };
}

function readKeys(name: string, file: string): JwkSet {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // The parser's message could quote the key.
    throw new Error(`${name} (${file}) cannot be read as JSON.`);
  }
  const keys = (parsed as JwkSet | null)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.some((key) => typeof key?.kid !== 'string' || typeof key?.d !== 'string')) {
    throw new Error(`${name} (${file}) must be a JWK set of private keys, each with a kid.`);
  }
  return parsed as JwkSet;
}

function whole(env: Environment, name: string, fallback: number, least: number, most: number): number {
  const text = env[name];
  if (!text) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) throw new Error(`${name} must be a whole number from ${least} to ${most}.`);
  return value;
}
