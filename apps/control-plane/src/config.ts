/** The one file that looks at the environment. */
import { blobStoreFromEnv, blobVariables, type BlobStore } from '@hoop/blobs';
import {
  ConfigurationError,
  filePath,
  httpUrl,
  listenerVariables,
  listOf,
  optional,
  present,
  readVariables,
  required,
  secretFile,
  text,
  tlsOfListeners,
  withDefault,
  type Environment,
  type Form,
  type TlsFiles,
} from '@hoop/environment';
import { z } from 'zod';

export { ConfigurationError };

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
  /** Absent: plain HTTP. */
  readonly tls?: TlsFiles;
  /** Where functions find a relay. @default "http://127.0.0.1:7710" */
  readonly relayPublicUrl: string;
  /** Where functions find the forward proxy. @default it is not told */
  readonly proxyPublicUrl?: string;
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

const neededToStart = 'is not set; the control plane cannot start without it.';

/** A base URL, to which paths are appended. */
const baseUrl: Form<string> = httpUrl(
  (url) => url.search === '' && url.hash === '',
  (given) => `must be an http or https URL without query or fragment; it is ${JSON.stringify(given)}.`,
);

const port: Form<number> = {
  name: 'port',
  schema: z
    .string()
    .refine((digits) => /^\d{1,5}$/.test(digits) && Number(digits) <= 65_535, {
      error: ({ input }) => `must be a port from 0 to 65535; it is ${JSON.stringify(input)}.`,
    })
    .transform(Number),
};

/** Everything that the control plane reads from its environment. */
export const controlPlaneVariables = z.object({
  DATABASE_URL: required(
    text,
    'The Postgres database, `postgresql://…`. May hold a password: containers can read it from the file that `DATABASE_URL_FILE` names.',
    neededToStart,
  ),
  HOOP_HOST: withDefault(text, '127.0.0.1', 'The address to listen on.'),
  HOOP_PORT: withDefault(port, '7700', 'The port to listen on; 0 is any free one.'),
  ...listenerVariables,
  HOOP_PUBLIC_URL: optional(
    baseUrl,
    "The URL that functions use: `iss` of grants and the base of the metadata's URLs.",
    'the URL that the control plane listens on',
  ),
  HOOP_RELAY_AUDIENCE: withDefault(text, 'urn:hoop:relay', '`aud` of grants.'),
  HOOP_RELAY_PUBLIC_URL: withDefault(baseUrl, 'http://127.0.0.1:7710', 'The URL at which functions find a relay.'),
  HOOP_PROXY_PUBLIC_URL: optional(baseUrl, 'The URL at which functions find the forward proxy.', 'none: the metadata names no proxy'),
  HOOP_GRANT_KEY_FILE: required(secretFile, 'Private JWK set that signs grants; the first key signs.', neededToStart),
  HOOP_SEALING_PUBLIC_KEY_FILE: required(filePath, 'Public JWK set of the relays, to which credentials are sealed.', neededToStart),
  HOOP_RECORDING_KEY_FILE: required(secretFile, 'Private JWK set that opens recorded bodies.', neededToStart),
  HOOP_RELAY_TOKEN_FILE: required(secretFile, 'The bearer token by which relays are known, 32 characters or more.', neededToStart),
  HOOP_ROW_KEY_FILE: required(
    secretFile,
    'Private JWK set (Ed25519) that signs what the control plane writes to the database; the first key signs.',
    neededToStart,
  ),
  HOOP_BOOTSTRAP_TOKEN_FILE: optional(secretFile, 'The first admin token, stored when the control plane starts.', 'none'),
  HOOP_NOTIFICATION_PUBLIC_KEY_FILE: optional(
    filePath,
    'Public JWK set of the worker, to which the secrets of channels are sealed.',
    'no channel can have a secret',
  ),
  HOOP_SLACK_SIGNING_SECRET_FILE: optional(
    secretFile,
    'The signing secret of the Slack app whose buttons approve.',
    "Slack's interactions are refused",
  ),
  HOOP_SLACK_HOOK_ORIGINS: optional(
    listOf(baseUrl),
    'Origins at which a press may be answered (`response_url` of Slack).',
    'https://hooks.slack.com',
  ),
  HOOP_LOG_PUBLIC_KEY_FILE: optional(
    filePath,
    'Public JWK set (Ed25519) of the log, the key that signs now first.',
    'the log can be neither exported nor verified through the API',
  ),
  HOOP_LOG_ORIGIN: optional(
    text,
    "The log's name in its checkpoints, the same for control plane and worker.",
    "`hoop/` and the beginning of the oldest key's id",
  ),
  ...blobVariables,
  HOOP_LOG_LEVEL: withDefault(text, 'info', "The level of the log messages, one of pino's."),
});

/** @throws ConfigurationError that names the variable */
export function readConfig(env: Environment): ControlPlaneConfig {
  const values = readVariables(controlPlaneVariables, env);
  const origins = values.HOOP_SLACK_HOOK_ORIGINS?.map((url) => new URL(url).origin);
  return present({
    databaseUrl: values.DATABASE_URL,
    host: values.HOOP_HOST,
    port: values.HOOP_PORT,
    tls: tlsOfListeners(values, [values.HOOP_HOST]),
    publicUrl: values.HOOP_PUBLIC_URL === undefined ? undefined : withoutSlash(values.HOOP_PUBLIC_URL),
    relayAudience: values.HOOP_RELAY_AUDIENCE,
    relayPublicUrl: withoutSlash(values.HOOP_RELAY_PUBLIC_URL),
    proxyPublicUrl: values.HOOP_PROXY_PUBLIC_URL === undefined ? undefined : withoutSlash(values.HOOP_PROXY_PUBLIC_URL),
    grantKeyFile: values.HOOP_GRANT_KEY_FILE,
    sealingPublicKeyFile: values.HOOP_SEALING_PUBLIC_KEY_FILE,
    recordingKeyFile: values.HOOP_RECORDING_KEY_FILE,
    relayTokenFile: values.HOOP_RELAY_TOKEN_FILE,
    rowKeyFile: values.HOOP_ROW_KEY_FILE,
    bootstrapTokenFile: values.HOOP_BOOTSTRAP_TOKEN_FILE,
    notificationPublicKeyFile: values.HOOP_NOTIFICATION_PUBLIC_KEY_FILE,
    slackSigningSecretFile: values.HOOP_SLACK_SIGNING_SECRET_FILE,
    slackHooks: origins && { origins },
    logPublicKeyFile: values.HOOP_LOG_PUBLIC_KEY_FILE,
    logOrigin: values.HOOP_LOG_ORIGIN,
    blobs: readBlobStore(env),
    logLevel: values.HOOP_LOG_LEVEL,
  });
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

function readBlobStore(env: Environment): BlobStore | undefined {
  try {
    return blobStoreFromEnv(env) ?? undefined;
  } catch (error) {
    throw new ConfigurationError((error as Error).message);
  }
}
