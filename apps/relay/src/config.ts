/** The relay's configuration. The one file of the relay that reads the environment. */
import { readFileSync } from 'node:fs';

import {
  ConfigurationError,
  filePath,
  folderPath,
  httpUrl,
  listenerVariables,
  oneOf,
  optional,
  present,
  readVariables,
  required,
  secretFile,
  text,
  tlsOfListeners,
  wholeNumber,
  withDefault,
} from '@hoop/environment';
import type { Environment, TlsFiles } from '@hoop/environment';
import type { QueueConnection } from '@hoop/queue';
import { queueConnectionFromEnv, queueVariables } from '@hoop/queue';
import type { JwkSet } from '@hoop/sealing';
import type { MetricsAddress } from '@hoop/telemetry';
import { z } from 'zod';

import { limitVariables } from './caller/limits.ts';
import type { RelayLimits } from './caller/limits.ts';
import type { ShipperConfig } from './shipping/ship.ts';
import type { MaskDiscoveryOptions } from './discovery/mask-discovery.ts';

export interface RelayConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Of all listeners; absent: plain HTTP. */
  readonly tls?: TlsFiles;
  /** The forward proxy; absent: there is none. */
  readonly proxy?: ProxyConfig;
  /** Processes that share the port. */
  readonly workers: number;
  readonly controlPlaneUrl: string;
  /** The bearer token for the control plane; read anew at every connection, so that it can be rotated. */
  readonly relayTokenFile: string;
  /** Private keys that open sealed credentials. */
  readonly sealingKeys: JwkSet;
  readonly queue: QueueConnection;
  /** Where the record becomes durable; absent: in the queue. */
  readonly journal?: JournalConfig;
  /** Where the metrics of the journals are served; absent: nowhere. */
  readonly metrics?: MetricsAddress;
  /** Without word from the control plane for so long, calls are refused. */
  readonly snapshotMaxAgeMs: number;
  /** How long a call waits for its record to be durable. */
  readonly recorderTimeoutMs: number;
  /** How long a draining relay waits for calls in flight. @default 25000 */
  readonly drainTimeoutMs?: number;
  /** How much of one process callers may hold. @default as docs/limits.md says */
  readonly limits?: Partial<RelayLimits>;
  /** The soft limit of open files, from which the default of sockets follows. @default 40000 */
  readonly openFiles?: number;
  /** Looking for sensitive fields that no rule covers. */
  readonly discovery?: Pick<MaskDiscoveryOptions, 'sampleEvery' | 'gapMs' | 'reportEveryMs'>;
  /** Further certificate authorities for targets, PEM. */
  readonly targetCa?: string;
}

export interface ProxyConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The authority that signs what the proxy presents, PEM: its certificate and, while it is being replaced, others. */
  readonly certificates: string;
  /** Its private key, PEM. */
  readonly key: string;
}

export interface JournalConfig {
  /** Of the journals of all relay processes on this volume. */
  readonly folder: string;
  /** Of one process's journal that may wait to be shipped. */
  readonly maxBytes: number;
}

const controlPlaneUrl = httpUrl(
  (url) => url.username === '' && url.password === '',
  () => 'must be an http or https URL without user info.',
);

const limit = wholeNumber(1, 1_099_511_627_776);

/** Everything that the relay reads from its environment. The relay holds no database credentials: DATABASE_URL is not looked at. */
export const relayVariables = z.object({
  HOOP_SEALING_KEY_FILE: required(secretFile, 'Private JWK set that opens sealed credentials.'),
  HOOP_CONTROL_PLANE_URL: required(controlPlaneUrl, 'The control plane, as the relay reaches it.'),
  HOOP_RELAY_TOKEN_FILE: required(
    secretFile,
    'The bearer token by which relays are known to the control plane; read again at every connection, so that it can be rotated.',
  ),
  ...queueVariables,
  HOOP_HOST: withDefault(text, '127.0.0.1', 'The address to listen on.'),
  HOOP_PORT: withDefault(wholeNumber(0, 65_535), '7710', 'The port to listen on; 0 is any free one.'),
  ...listenerVariables,
  HOOP_WORKERS: withDefault(wholeNumber(1, 256), '1', 'Processes that share the port.'),
  HOOP_CA_CERTIFICATE_FILE: optional(
    filePath,
    'The certificate authority of the forward proxy, PEM; clients trust every certificate in it, and the one that belongs to `HOOP_CA_KEY_FILE` signs.',
    'none: there is no proxy',
  ),
  HOOP_CA_KEY_FILE: optional(secretFile, 'Its private key (EC P-256), PEM.', 'none: there is no proxy'),
  HOOP_PROXY_HOST: withDefault(text, '127.0.0.1', 'The address that the forward proxy listens on.'),
  HOOP_PROXY_PORT: withDefault(wholeNumber(0, 65_535), '7711', 'The port of the forward proxy; 0 is any free one.'),
  HOOP_SNAPSHOT_MAX_AGE_SECONDS: withDefault(
    wholeNumber(1, 3600, 'seconds'),
    '30',
    'The time without word from the control plane after which calls are refused with 503 `snapshot_stale`.',
  ),
  HOOP_RECORDER_TIMEOUT_MS: withDefault(
    wholeNumber(50, 60_000, 'milliseconds'),
    '2000',
    'How long a call waits for its record to be durable.',
  ),
  HOOP_RECORD_DURABLE_IN: optional(
    oneOf(['journal', 'queue']),
    'Where the record of a call becomes durable before the call is sent: in a journal on this relay’s own disk, or in the queue.',
    '`journal` where `HOOP_JOURNAL_FOLDER` is set, else `queue`',
  ),
  HOOP_JOURNAL_FOLDER: optional(
    folderPath,
    'The folder of the journal, on a disk that survives the process; made where it is missing.',
    'none',
  ),
  HOOP_JOURNAL_MAX_BYTES: withDefault(
    limit,
    '1073741824',
    'Bytes of a process’s journal that may wait to be shipped to the queue; beyond, calls are refused with 503 `recorder_unavailable`.',
  ),
  HOOP_METRICS_HOST: withDefault(text, '127.0.0.1', 'The address at which metrics are served.'),
  HOOP_METRICS_PORT: optional(
    wholeNumber(1, 65_535),
    'The port at which `GET /metrics` gives the metrics of the journals to Prometheus; anybody who reaches it may read them.',
    'none',
  ),
  HOOP_DISCOVERY_SAMPLE_EVERY: withDefault(
    wholeNumber(0, 1_000_000),
    '50',
    'One answer in so many is searched for sensitive fields that no rule covers; 0 turns the search off.',
  ),
  HOOP_TARGET_CA_FILE: optional(filePath, 'Further certificate authorities for targets, PEM.', 'those of Node alone'),
  HOOP_MAX_CALLS: optional(limit, 'Calls in flight of one process; see [limits](limits.md) for all limits.', '10000'),
  HOOP_MAX_CALLS_PER_IDENTITY: optional(limit, 'Calls in flight of an identity.', 'half of `HOOP_MAX_CALLS`'),
  HOOP_MAX_CALLS_PER_ADDRESS: optional(
    limit,
    'Calls of an address whose grant or token is being verified.',
    'an eighth of `HOOP_MAX_CALLS`',
  ),
  HOOP_MAX_SOCKETS: optional(limit, 'Open sockets of one process.', 'half of the open files that the process may have, 64 to 20000'),
  HOOP_MAX_SOCKETS_PER_IDENTITY: optional(limit, 'Sockets on which the last call was of an identity.', 'half of `HOOP_MAX_SOCKETS`'),
  HOOP_MAX_SOCKETS_PER_ADDRESS: optional(
    limit,
    'Sockets of an address on which nobody was authenticated.',
    'a quarter of `HOOP_MAX_SOCKETS`',
  ),
  HOOP_MAX_HEADS: optional(
    limit,
    'Sockets on which nobody was authenticated and that wait for a whole head.',
    'a quarter of `HOOP_MAX_SOCKETS`',
  ),
  HOOP_MAX_HEADS_PER_ADDRESS: optional(limit, 'The same, of one address.', 'an eighth of `HOOP_MAX_SOCKETS`'),
  HOOP_MAX_PIPELINED: optional(limit, 'Pipelined requests under way on one socket.', '16'),
  HOOP_MAX_HELD_BYTES: optional(limit, 'Bytes of request bodies held for a condition, an approver or a deferral.', '268435456'),
  HOOP_MAX_HELD_BYTES_PER_IDENTITY: optional(limit, 'The same, of one identity.', 'half of `HOOP_MAX_HELD_BYTES`'),
  HOOP_MAX_KEPT_BYTES_PER_IDENTITY: optional(
    limit,
    'Bytes of bodies of an identity kept for records that are not durable yet; beyond, a record keeps the digest and the beginning.',
    '67108864',
  ),
  HOOP_MAX_REFUSALS_PER_SECOND: optional(limit, 'Refusals of an identity that are recorded one by one and answered at once.', '200'),
});

/** @throws Error with a sentence that names the variable */
export function readConfig(env: Environment): RelayConfig {
  const values = readVariables(relayVariables, env);
  const caFile = values.HOOP_TARGET_CA_FILE;
  const proxy = proxyOf(values);
  return present({
    host: values.HOOP_HOST,
    port: values.HOOP_PORT,
    workers: values.HOOP_WORKERS,
    tls: tlsOfListeners(values, proxy === undefined ? [values.HOOP_HOST] : [values.HOOP_HOST, proxy.host]),
    proxy,
    controlPlaneUrl: new URL(values.HOOP_CONTROL_PLANE_URL).href.replace(/\/+$/, ''),
    relayTokenFile: values.HOOP_RELAY_TOKEN_FILE,
    sealingKeys: readKeys(values.HOOP_SEALING_KEY_FILE),
    queue: queueConnectionFromEnv({
      REDIS_URL: values.REDIS_URL,
      HOOP_QUEUE_URL: values.HOOP_QUEUE_URL,
      HOOP_ALLOW_LOSSY_QUEUE: values.HOOP_ALLOW_LOSSY_QUEUE,
    }),
    journal: journalOf(values),
    metrics: values.HOOP_METRICS_PORT === undefined ? undefined : { host: values.HOOP_METRICS_HOST, port: values.HOOP_METRICS_PORT },
    snapshotMaxAgeMs: values.HOOP_SNAPSHOT_MAX_AGE_SECONDS * 1000,
    recorderTimeoutMs: values.HOOP_RECORDER_TIMEOUT_MS,
    limits: limitsOf(values),
    openFiles: openFiles(),
    discovery: { sampleEvery: values.HOOP_DISCOVERY_SAMPLE_EVERY },
    targetCa: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
  });
}

/** Undefined: there is no proxy. */
function proxyOf(values: z.output<typeof relayVariables>): ProxyConfig | undefined {
  const { HOOP_CA_CERTIFICATE_FILE: certificateFile, HOOP_CA_KEY_FILE: keyFile } = values;
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile === undefined || keyFile === undefined)
    throw new ConfigurationError('HOOP_CA_CERTIFICATE_FILE and HOOP_CA_KEY_FILE belong together: the forward proxy needs both.');
  return {
    host: values.HOOP_PROXY_HOST,
    port: values.HOOP_PROXY_PORT,
    certificates: readFileSync(certificateFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
  };
}

/** Undefined: the queue is the durable step. */
function journalOf({
  HOOP_RECORD_DURABLE_IN: durableIn,
  HOOP_JOURNAL_FOLDER: folder,
  HOOP_JOURNAL_MAX_BYTES: maxBytes,
}: z.output<typeof relayVariables>): JournalConfig | undefined {
  if (durableIn === 'journal' && folder === undefined)
    throw new Error('HOOP_RECORD_DURABLE_IN is journal, and HOOP_JOURNAL_FOLDER does not say where the journal is to be.');
  return durableIn === 'queue' || folder === undefined ? undefined : { folder, maxBytes };
}

/** A limit without a variable in the schema does not compile here. */
function limitsOf(values: z.output<typeof relayVariables>): Partial<RelayLimits> {
  const limits: Partial<Record<keyof RelayLimits, number>> = {};
  for (const name of Object.keys(limitVariables) as (keyof RelayLimits)[]) {
    const value = values[limitVariables[name]];
    if (value !== undefined) limits[name] = value;
  }
  return limits;
}

/** Node has no call for it; the diagnostic report does. */
function openFiles(): number | undefined {
  const diagnostics = process.report as typeof process.report & { excludeNetwork: boolean };
  // Else it looks up the names of the peers of open sockets.
  diagnostics.excludeNetwork = true;
  const report = diagnostics.getReport() as unknown as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = report.userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : undefined;
}

function readKeys(file: string): JwkSet {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    // The parser's message could quote the key.
    throw new Error(
      `HOOP_SEALING_KEY_FILE (${file}) cannot be read as JSON${(cause as NodeJS.ErrnoException).code ? `: ${(cause as NodeJS.ErrnoException).code}` : ''}.`,
    );
  }
  const keys = (parsed as JwkSet | null)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.some((key) => typeof key?.kid !== 'string' || typeof key?.d !== 'string')) {
    throw new Error(`HOOP_SEALING_KEY_FILE (${file}) must be a JWK set of private keys, each with a kid.`);
  }
  return parsed as JwkSet;
}

/** Of the process that ships the journals, which has the relay's environment. Undefined: there is no journal. */
export function readShipperConfig(env: Environment): ShipperConfig | undefined {
  const { journal, sealingKeys, queue, recorderTimeoutMs, metrics } = readConfig(env);
  return journal && present({ folder: journal.folder, sealingKeys, queue, timeoutMs: recorderTimeoutMs, metrics });
}
