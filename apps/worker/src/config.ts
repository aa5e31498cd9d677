/** The worker's configuration. The one file of the worker that reads the environment. */
import { readFileSync } from 'node:fs';

import { blobStoreFromEnv, blobVariables } from '@hoop/blobs';
import type { BlobStore } from '@hoop/blobs';
import type { RowJwkSet } from '@hoop/database';
import {
  filePath,
  folderPath,
  listOf,
  optional,
  present,
  readVariables,
  required,
  secretFile,
  text,
  wholeNumber,
  withDefault,
} from '@hoop/environment';
import type { Environment } from '@hoop/environment';
import { queueConnectionFromEnv, queueVariables } from '@hoop/queue';
import type { QueueConnection } from '@hoop/queue';
import type { LogJwkSet } from '@hoop/recording';
import type { JwkSet } from '@hoop/sealing';
import { z } from 'zod';

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
  /** The log's name in its checkpoints, the same for control plane and worker. @default "hoop/" and the beginning of the oldest key's id */
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

/** Everything that the worker reads from its environment. */
export const workerVariables = z.object({
  DATABASE_URL: required(
    text,
    'The Postgres database, `postgresql://…`. May hold a password: containers can read it from the file that `DATABASE_URL_FILE` names.',
    'is not set; the worker cannot start without it.',
  ),
  ...queueVariables,
  HOOP_ROW_PUBLIC_KEY_FILE: required(
    filePath,
    'Public JWK set (Ed25519) of the control plane, by which the worker knows what the control plane wrote.',
    'is not set; without it the worker cannot tell what the control plane wrote.',
  ),
  HOOP_ORPHAN_SECONDS: withDefault(
    wholeNumber(1, 86_400, 'seconds'),
    '120',
    'The time after which a call without an outcome is closed as `unknown`.',
  ),
  HOOP_DEFERRED_LOST_SECONDS: withDefault(
    wholeNumber(1, 86_400, 'seconds'),
    '660',
    'The time after which a deferred call of which its relay has said nothing is given up; longer than a relay runs one.',
  ),
  HOOP_PUBLIC_URL: optional(text, 'Base URL of the control plane, for links in messages.', 'http://127.0.0.1:7700'),
  HOOP_NOTIFICATION_KEY_FILE: optional(
    secretFile,
    'Private JWK set that opens the secrets of notification channels.',
    'nothing that is signed can be sent',
  ),
  HOOP_RECORDING_KEY_FILE: optional(
    secretFile,
    'Private JWK set that opens the requests that approvers are shown.',
    'Slack messages have no buttons',
  ),
  HOOP_LOG_KEY_FILE: optional(
    secretFile,
    "Private JWK set (Ed25519) that signs the log's checkpoints; the first key signs.",
    'nothing is sequenced',
  ),
  HOOP_LOG_ORIGIN: optional(
    text,
    "The log's name in its checkpoints, the same for control plane and worker.",
    "`hoop/` and the beginning of the oldest key's id",
  ),
  HOOP_WITNESS_FILE: optional(filePath, "The file that checkpoints are appended to, best on another machine's disk.", 'none'),
  HOOP_WITNESS_URL: optional(text, '`add-checkpoint` of a witness (C2SP tlog-witness).', 'none'),
  HOOP_WITNESS_CIDRS: optional(listOf(text), 'Private address ranges in which the witness may be.', 'public addresses only'),
  HOOP_WITNESS_SECONDS: withDefault(
    wholeNumber(1, 86_400, 'seconds'),
    '60',
    'The time between two checkpoints that witnesses are told of.',
  ),
  HOOP_EVENT_FILES_DIR: optional(folderPath, 'The one folder in which event sinks may write files.', 'event sinks cannot write files'),
  ...blobVariables,
  HOOP_BLOB_BYTES: withDefault(
    wholeNumber(0, 16_777_216, 'bytes'),
    '65536',
    'Sealed bodies that are larger go to the blob store, where there is one.',
  ),
  HOOP_LOG_LEVEL: withDefault(text, 'info', "The level of the log messages, one of pino's."),
});

/** @throws Error with a sentence that names the variable */
export function readConfig(env: Environment): WorkerConfig {
  const values = readVariables(workerVariables, env);
  const {
    HOOP_NOTIFICATION_KEY_FILE: notificationKeyFile,
    HOOP_RECORDING_KEY_FILE: recordingKeyFile,
    HOOP_LOG_KEY_FILE: logKeyFile,
  } = values;
  const blobs = blobStoreFromEnv(env) ?? undefined;
  return present({
    databaseUrl: values.DATABASE_URL,
    queue: queueConnectionFromEnv(values),
    orphanSeconds: values.HOOP_ORPHAN_SECONDS,
    deferredLostSeconds: values.HOOP_DEFERRED_LOST_SECONDS,
    publicUrl: values.HOOP_PUBLIC_URL,
    notificationKeys: notificationKeyFile === undefined ? undefined : readKeys('HOOP_NOTIFICATION_KEY_FILE', notificationKeyFile),
    recordingKeys: recordingKeyFile === undefined ? undefined : readKeys('HOOP_RECORDING_KEY_FILE', recordingKeyFile),
    logKeys: logKeyFile === undefined ? undefined : (readKeys('HOOP_LOG_KEY_FILE', logKeyFile) as LogJwkSet),
    logOrigin: values.HOOP_LOG_ORIGIN,
    witnessFile: values.HOOP_WITNESS_FILE,
    witnessUrl: values.HOOP_WITNESS_URL,
    witnessCidrs: values.HOOP_WITNESS_CIDRS,
    rowKeys: readPublicKeys('HOOP_ROW_PUBLIC_KEY_FILE', values.HOOP_ROW_PUBLIC_KEY_FILE),
    witnessSeconds: values.HOOP_WITNESS_SECONDS,
    eventFilesFolder: values.HOOP_EVENT_FILES_DIR,
    blobs,
    blobBytes: blobs && values.HOOP_BLOB_BYTES,
    logLevel: values.HOOP_LOG_LEVEL,
  });
}

function readPublicKeys(name: string, file: string): RowJwkSet {
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
