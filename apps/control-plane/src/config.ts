/** The one file that looks at the environment. */
import { blobStoreFromEnv, type BlobStore } from '@hoop/blobs';

export interface ControlPlaneConfig {
  readonly databaseUrl: string;
  /** @default "127.0.0.1" */
  readonly host: string;
  /** 0: any free one. @default 7700 */
  readonly port: number;
  /** `iss` of grants and base of the metadata's URLs, without a trailing slash. @default the URL it listens on */
  readonly publicUrl?: string;
  /** `aud` of grants. @default "urn:hoop:relay" */
  readonly relayAudience: string;
  /** Where functions find a relay. @default "http://127.0.0.1:7710" */
  readonly relayPublicUrl: string;
  readonly grantKeyFile: string;
  readonly sealingPublicKeyFile: string;
  readonly recordingKeyFile: string;
  readonly relayTokenFile: string;
  /** Private Ed25519 keys that sign what the control plane writes to the database; the first signs. */
  readonly rowKeyFile: string;
  readonly bootstrapTokenFile?: string;
  /** Public JWK set of the worker, to which channels' secrets are sealed. Without it no channel can have one. */
  readonly notificationPublicKeyFile?: string;
  /** Public JWK set of the log: Ed25519, the one that signs now first. Without it the log can be neither exported nor verified through the API. */
  readonly logPublicKeyFile?: string;
  /** The log's name. @default "hoop/" and the beginning of the oldest key's id */
  readonly logOrigin?: string;
  /** Slack's signing secret. Without it Slack's interactions are refused. */
  readonly slackSigningSecretFile?: string;
  /** Where a press may be answered (Slack's `response_url`). @default https://hooks.slack.com, at public addresses */
  readonly slackHooks?: { readonly origins: readonly string[]; readonly allowedCidrs?: readonly string[] };
  /** Where the worker puts large recorded bodies. @default nowhere: they are in their rows */
  readonly blobs?: BlobStore;
  /** pino's level. @default "info" */
  readonly logLevel: string;
}

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

type Environment = Readonly<Record<string, string | undefined>>;

function required(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new ConfigurationError(`${name} is not set; the control plane cannot start without it.`);
  return value;
}

function urlOf(name: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new ConfigurationError(`${name} must be an http or https URL without query or fragment; it is ${JSON.stringify(text)}.`);
  }
  return text.replace(/\/+$/, '');
}

function portOf(name: string, text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new ConfigurationError(`${name} must be a port from 0 to 65535; it is ${JSON.stringify(text)}.`);
  return port;
}

function readBlobStore(env: Environment): BlobStore | null {
  try {
    return blobStoreFromEnv(env);
  } catch (error) {
    throw new ConfigurationError((error as Error).message);
  }
}

/** @throws ConfigurationError that names the variable */
export function readConfig(env: Environment): ControlPlaneConfig {
  const optional = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const publicUrl = optional('HOOP_PUBLIC_URL');
  const bootstrapTokenFile = optional('HOOP_BOOTSTRAP_TOKEN_FILE');
  const notificationPublicKeyFile = optional('HOOP_NOTIFICATION_PUBLIC_KEY_FILE');
  const slackSigningSecretFile = optional('HOOP_SLACK_SIGNING_SECRET_FILE');
  const slackHookOrigins = optional('HOOP_SLACK_HOOK_ORIGINS');
  const logPublicKeyFile = optional('HOOP_LOG_PUBLIC_KEY_FILE');
  const logOrigin = optional('HOOP_LOG_ORIGIN');
  const blobs = readBlobStore(env);
  return {
    databaseUrl: required(env, 'DATABASE_URL'),
    host: optional('HOOP_HOST') ?? '127.0.0.1',
    port: portOf('HOOP_PORT', optional('HOOP_PORT') ?? '7700'),
    ...(publicUrl === undefined ? {} : { publicUrl: urlOf('HOOP_PUBLIC_URL', publicUrl) }),
    relayAudience: optional('HOOP_RELAY_AUDIENCE') ?? 'urn:hoop:relay',
    relayPublicUrl: urlOf('HOOP_RELAY_PUBLIC_URL', optional('HOOP_RELAY_PUBLIC_URL') ?? 'http://127.0.0.1:7710'),
    grantKeyFile: required(env, 'HOOP_GRANT_KEY_FILE'),
    sealingPublicKeyFile: required(env, 'HOOP_SEALING_PUBLIC_KEY_FILE'),
    recordingKeyFile: required(env, 'HOOP_RECORDING_KEY_FILE'),
    relayTokenFile: required(env, 'HOOP_RELAY_TOKEN_FILE'),
    rowKeyFile: required(env, 'HOOP_ROW_KEY_FILE'),
    ...(bootstrapTokenFile === undefined ? {} : { bootstrapTokenFile }),
    ...(notificationPublicKeyFile === undefined ? {} : { notificationPublicKeyFile }),
    ...(slackSigningSecretFile === undefined ? {} : { slackSigningSecretFile }),
    ...(slackHookOrigins === undefined
      ? {}
      : {
          slackHooks: { origins: slackHookOrigins.split(',').map((one) => new URL(urlOf('HOOP_SLACK_HOOK_ORIGINS', one.trim())).origin) },
        }),
    ...(logPublicKeyFile === undefined ? {} : { logPublicKeyFile }),
    ...(logOrigin === undefined ? {} : { logOrigin }),
    ...(blobs === null ? {} : { blobs }),
    logLevel: optional('HOOP_LOG_LEVEL') ?? 'info',
  };
}
