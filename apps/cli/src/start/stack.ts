/** The processes of an all-in-one Hoop. Each gets its own environment and nothing of another's. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { countAdminTokens, migrateDatabase, openDatabase, whileSlow } from '@hoop/database';
import { prepareQueueSchema, queueConnectionFromEnv } from '@hoop/queue';
import { relayNodeFlags } from '@hoop/relay/node-flags';

import { StartError } from '../start-error.ts';
import type { DataFolder } from './data-folder.ts';
import { drainQueue } from './drain.ts';
import { newAdminToken, readOrMake, type Keys } from './keys.ts';
import type { StartOptions } from './options.ts';
import { claimPort } from './ports.ts';
import { runPostgres, type RunningPostgres } from './postgres.ts';
import { supervise, type SupervisedChild } from './supervisor.ts';

export interface Stack {
  readonly controlPlaneUrl: string;
  readonly relayUrl: string;
  /** Of the forward proxy. */
  readonly proxyUrl: string;
  /** Null where the database is not ours. */
  readonly postgresPort: number | null;
  /** The bootstrap admin token was shown and its file is gone: processes that start from now on are not told of it. */
  forgetBootstrapToken(): void;
  readonly children: readonly SupervisedChild[];
  /** Relay, then worker (once the queue is empty, or a time is over), control plane, Postgres. */
  stop(): Promise<void>;
  /** Ends everything but Postgres at once. */
  kill(): void;
}

const mainOf = (app: string): string => fileURLToPath(new URL(`../../../${app}/src/main.ts`, import.meta.url));

export interface StackInput {
  readonly options: StartOptions;
  readonly folder: DataFolder;
  readonly keys: Keys;
  /** The environment of the command. */
  readonly env: NodeJS.ProcessEnv;
  readonly say: (sentence: string) => void;
}

/** A URL's host: IPv6 addresses in brackets, and an address to call where every address is listened on. */
function callableHost(host: string): string {
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return address.includes(':') ? `[${address}]` : address;
}

async function prepareDatabase(databaseUrl: string, queuePassword: string, redisUrl: string | undefined, isOurs: boolean): Promise<string> {
  try {
    await migrateDatabase(databaseUrl);
    if (redisUrl !== undefined) return '';
    const url = new URL(databaseUrl);
    // Roles belong to the whole server: on one that is not ours, another database may have a Hoop too.
    const role = isOurs
      ? 'hoop_relay'
      : `hoop_relay_${url.pathname
          .slice(1)
          .toLowerCase()
          .replace(/[^a-z0-9_]/g, '_')}`.slice(0, 63);
    await prepareQueueSchema({ ownerUrl: databaseUrl, role, password: queuePassword });
    url.username = role;
    url.password = queuePassword;
    return url.href;
  } catch (error) {
    const { message } = error as Error;
    throw new StartError(`The database could not be prepared: ${message}`, { cause: error });
  }
}

async function hasAdminToken(databaseUrl: string): Promise<boolean> {
  const database = openDatabase(databaseUrl, { maxConnections: 1 });
  try {
    return (await whileSlow(() => database.inTransaction(countAdminTokens))) > 0;
  } finally {
    await database.close();
  }
}

export async function startStack({ options, folder, keys, env, say }: StackInput): Promise<Stack> {
  const host = callableHost(options.host);
  // All ports first: nothing is started if one is taken.
  const port = await claimPort(options.port, options.host, '--port');
  const relayPort = await claimPort(options.relayPort, options.host, '--relay-port');
  const proxyPort = await claimPort(options.proxyPort, options.host, '--proxy-port');
  const given = env['DATABASE_URL'];
  const redisUrl = env['REDIS_URL'];
  const slackSecretFile = env['HOOP_SLACK_SIGNING_SECRET_FILE'];
  const postgresPort = given === undefined ? await claimPort(options.postgresPort, '127.0.0.1', '--postgres-port') : 0;

  const controlPlaneUrl = `http://${host}:${port}`;
  const relayUrl = `http://${host}:${relayPort}`;
  const proxyUrl = `http://${host}:${proxyPort}`;
  const started: SupervisedChild[] = [];
  let postgres: RunningPostgres | undefined;
  let isBootstrapping = false;

  const log = (name: string): string => path.join(folder.logs, `${name}.log`);
  const start = async (name: string, env: () => Record<string, string>, nodeFlags: readonly string[] = []): Promise<SupervisedChild> => {
    say(`Starting the ${name.replace('-', ' ')}…`);
    const child = await supervise({ name: name.replace('-', ' '), main: mainOf(name), nodeFlags, env, logFile: log(name) }, say);
    started.push(child);
    return child;
  };

  try {
    if (given === undefined) {
      say('Starting Postgres…');
      postgres = await runPostgres(folder, postgresPort, keys.postgresPassword, say);
    }
    const databaseUrl = given ?? postgres!.url;
    say('Preparing the database…');
    const queueUrl = await prepareDatabase(databaseUrl, keys.queuePassword, redisUrl, given === undefined);
    if (!(await hasAdminToken(databaseUrl))) {
      isBootstrapping = true;
      await readOrMake(keys.bootstrapTokenFile, newAdminToken);
    }
    /** Passes on settings from the environment of the command. */
    const passed = (...names: string[]): Record<string, string> =>
      Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
    const redis: Record<string, string> = redisUrl === undefined ? {} : { REDIS_URL: redisUrl, ...passed('HOOP_ALLOW_LOSSY_QUEUE') };
    /** Where the worker puts large bodies, and the control plane finds them. */
    const blobs: Record<string, string> = env['HOOP_BLOB_S3_URL']
      ? passed('HOOP_BLOB_S3_URL', 'HOOP_BLOB_S3_REGION', 'HOOP_BLOB_S3_STYLE', 'HOOP_BLOB_S3_PLAIN', 'HOOP_BLOB_S3_CREDENTIALS_FILE')
      : { HOOP_BLOB_DIR: env['HOOP_BLOB_DIR'] || path.join(folder.path, 'blobs') };
    /** On other addresses than loopback each process says itself what it needs. */
    const tls = passed('HOOP_PLAIN_HTTP');
    const controlPlaneEnvironment = (): Record<string, string> => ({
      ...blobs,
      ...tls,
      DATABASE_URL: databaseUrl,
      HOOP_HOST: options.host,
      HOOP_PORT: String(port),
      HOOP_PUBLIC_URL: controlPlaneUrl,
      HOOP_RELAY_PUBLIC_URL: relayUrl,
      HOOP_PROXY_PUBLIC_URL: proxyUrl,
      HOOP_GRANT_KEY_FILE: keys.grantKeyFile,
      HOOP_SEALING_PUBLIC_KEY_FILE: keys.sealingPublicKeyFile,
      HOOP_RECORDING_KEY_FILE: keys.recordingKeyFile,
      HOOP_RELAY_TOKEN_FILE: keys.relayTokenFile,
      HOOP_ROW_KEY_FILE: keys.rowKeyFile,
      HOOP_NOTIFICATION_PUBLIC_KEY_FILE: keys.notificationPublicKeyFile,
      HOOP_LOG_PUBLIC_KEY_FILE: keys.logPublicKeyFile,
      ...passed('HOOP_LOG_ORIGIN'),
      ...(slackSecretFile === undefined ? {} : { HOOP_SLACK_SIGNING_SECRET_FILE: slackSecretFile }),
      ...passed('HOOP_SLACK_HOOK_ORIGINS'),
      ...(isBootstrapping ? { HOOP_BOOTSTRAP_TOKEN_FILE: keys.bootstrapTokenFile } : {}),
      ...redis,
    });
    const workerEnvironment = (): Record<string, string> => ({
      ...blobs,
      ...passed('HOOP_BLOB_BYTES'),
      DATABASE_URL: databaseUrl,
      HOOP_PUBLIC_URL: controlPlaneUrl,
      HOOP_NOTIFICATION_KEY_FILE: keys.notificationKeyFile,
      HOOP_RECORDING_KEY_FILE: keys.recordingKeyFile,
      HOOP_LOG_KEY_FILE: keys.logKeyFile,
      HOOP_ROW_PUBLIC_KEY_FILE: keys.rowPublicKeyFile,
      HOOP_EVENT_FILES_DIR: folder.events,
      ...passed('HOOP_LOG_ORIGIN', 'HOOP_WITNESS_FILE', 'HOOP_WITNESS_URL', 'HOOP_WITNESS_CIDRS', 'HOOP_WITNESS_SECONDS'),
      ...redis,
    });
    // No database: what it needs to know, the control plane tells it; its queue role reaches the queue alone.
    const relayEnvironment = (): Record<string, string> => ({
      ...tls,
      HOOP_CONTROL_PLANE_URL: controlPlaneUrl,
      HOOP_RELAY_TOKEN_FILE: keys.relayTokenFile,
      HOOP_SEALING_KEY_FILE: keys.sealingKeyFile,
      HOOP_HOST: options.host,
      HOOP_PORT: String(relayPort),
      HOOP_PROXY_HOST: options.host,
      HOOP_PROXY_PORT: String(proxyPort),
      HOOP_CA_CERTIFICATE_FILE: keys.caCertificateFile,
      HOOP_CA_KEY_FILE: keys.caKeyFile,
      HOOP_WORKERS: String(options.workers),
      HOOP_JOURNAL_FOLDER: env['HOOP_JOURNAL_FOLDER'] || path.join(folder.path, 'journal'),
      ...passed(
        'HOOP_RECORD_DURABLE_IN',
        'HOOP_JOURNAL_MAX_BYTES',
        'HOOP_DISCOVERY_SAMPLE_EVERY',
        ...Object.keys(env).filter((name) => /^HOOP_(?:MAX|METRICS)_/.test(name)),
      ),
      ...(redisUrl === undefined ? { HOOP_QUEUE_URL: queueUrl } : redis),
    });
    const outcomes = await Promise.allSettled([
      // The relay listens only once it has the control plane's configuration.
      start('control-plane', controlPlaneEnvironment).then(() => start('relay', relayEnvironment, relayNodeFlags)),
      start('worker', workerEnvironment),
    ]);
    const [relay, worker] = outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    }) as [SupervisedChild, SupervisedChild];

    return {
      controlPlaneUrl,
      relayUrl,
      proxyUrl,
      postgresPort: postgres?.port ?? null,
      children: started,
      forgetBootstrapToken: () => {
        isBootstrapping = false;
      },
      stop: async () => {
        // From here on nothing of Postgres starts again: a Postgres that ends now has been told to end as we were.
        postgres?.letEnd();
        await relay.stop();
        await drainQueue(queueConnectionFromEnv({ DATABASE_URL: databaseUrl, ...redis }), say);
        await worker.stop();
        await Promise.all(started.map((child) => child.stop()));
        await postgres?.stop();
      },
      kill: () => {
        for (const child of started) child.kill();
      },
    };
  } catch (error) {
    postgres?.letEnd();
    await Promise.all(started.map((child) => child.stop()));
    await postgres?.stop();
    throw error;
  }
}
