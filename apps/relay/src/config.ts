/** The relay's configuration. The one file of the relay that reads the environment. */
import { readFileSync } from 'node:fs';

import type { QueueConnection } from '@hoop/queue';
import { queueConnectionFromEnv } from '@hoop/queue';
import type { JwkSet } from '@hoop/sealing';

import { limitVariables } from './caller/limits.ts';
import type { RelayLimits } from './caller/limits.ts';
import type { MaskDiscoveryOptions } from './discovery/mask-discovery.ts';

export interface RelayConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Processes that share the port. */
  readonly workers: number;
  readonly controlPlaneUrl: string;
  /** The bearer token for the control plane; read anew at every connection, so that it can be rotated. */
  readonly relayTokenFile: string;
  /** Private keys that open sealed credentials. */
  readonly sealingKeys: JwkSet;
  readonly queue: QueueConnection;
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

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Error with a sentence that names the variable */
export function readConfig(env: Environment): RelayConfig {
  const keyFile = required(env, 'HOOP_SEALING_KEY_FILE');
  const caFile = env['HOOP_TARGET_CA_FILE'];
  return {
    host: env['HOOP_HOST'] || '127.0.0.1',
    port: whole(env, 'HOOP_PORT', 7710, 0, 65_535),
    workers: whole(env, 'HOOP_WORKERS', 1, 1, 256),
    controlPlaneUrl: httpUrl(required(env, 'HOOP_CONTROL_PLANE_URL')),
    relayTokenFile: required(env, 'HOOP_RELAY_TOKEN_FILE'),
    sealingKeys: readKeys(keyFile),
    // The relay holds no database credentials: DATABASE_URL is not looked at.
    queue: queueConnectionFromEnv({
      REDIS_URL: env['REDIS_URL'],
      HOOP_QUEUE_URL: env['HOOP_QUEUE_URL'],
      HOOP_ALLOW_LOSSY_QUEUE: env['HOOP_ALLOW_LOSSY_QUEUE'],
    }),
    snapshotMaxAgeMs: whole(env, 'HOOP_SNAPSHOT_MAX_AGE_SECONDS', 30, 1, 3600) * 1000,
    recorderTimeoutMs: whole(env, 'HOOP_RECORDER_TIMEOUT_MS', 2000, 50, 60_000),
    limits: readLimits(env),
    ...openFiles(),
    discovery: { sampleEvery: whole(env, 'HOOP_DISCOVERY_SAMPLE_EVERY', 50, 0, 1_000_000) },
    ...(caFile ? { targetCa: readFileSync(caFile, 'utf8') } : {}),
  };
}

function readLimits(env: Environment): Partial<RelayLimits> {
  const limits: Partial<Record<keyof RelayLimits, number>> = {};
  for (const [limit, name] of Object.entries(limitVariables)) {
    if (env[name]) limits[limit as keyof RelayLimits] = whole(env, name, 0, 1, 1_099_511_627_776);
  }
  return limits;
}

/** Node has no call for it; the diagnostic report does. */
function openFiles(): { openFiles?: number } {
  const diagnostics = process.report as typeof process.report & { excludeNetwork: boolean };
  // Else it looks up the names of the peers of open sockets.
  diagnostics.excludeNetwork = true;
  const report = diagnostics.getReport() as unknown as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = report.userLimits?.open_files?.soft;
  return typeof soft === 'number' ? { openFiles: soft } : {};
}

function required(env: Environment, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set.`);
  return value;
}

function whole(env: Environment, name: string, fallback: number, least: number, most: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) throw new Error(`${name} must be a whole number from ${least} to ${most}.`);
  return value;
}

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username || url.password) {
    throw new Error('HOOP_CONTROL_PLANE_URL must be an http or https URL without user info.');
  }
  return url.href.replace(/\/+$/, '');
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
