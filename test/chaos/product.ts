/** The product as it is deployed: control plane, two relays, worker, each a process of its own, on a Postgres and perhaps a Redis. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { migrateDatabase } from '@hoop/database';
import { findPort } from '@hoop/embedded-postgres';
import { prepareQueueSchema, type QueueConnection } from '@hoop/queue';
import { startIssuer } from '@hoop/testkit';

import { makeKeys } from '../../apps/cli/src/start/keys.ts';
import { childPart, startApp, type AppPart, type Part } from './part.ts';
import { startPostgresPart, startRedisPart, type ServerPart } from './servers.ts';
import { startCountingTarget, type CountingTarget } from './target.ts';

export interface Product {
  readonly folder: string;
  readonly target: CountingTarget;
  readonly secrets: { readonly credential: string; readonly canary: string };
  readonly databaseUrl: string;
  readonly queue: QueueConnection;
  readonly controlPlaneUrl: string;
  readonly relayUrls: readonly string[];
  readonly recordingKeyFile: string;
  readonly rowKeyFile: string;
  readonly logPublicKeyFile: string;
  /** Where large bodies lie. */
  readonly blobFolder: string;
  readonly adminToken: string;
  readonly controlPlane: AppPart;
  readonly relays: readonly AppPart[];
  readonly worker: AppPart;
  /** Ships the journal of the first relay, which starts it again. */
  readonly shipper: Part;
  /** The folder of the first relay's journal. */
  readonly journalFolder: string;
  /** A shipper of that folder, once its relay is gone. */
  startShipper(): AppPart;
  readonly postgres: ServerPart;
  readonly redis: ServerPart | undefined;
  /** Everything that may be killed. */
  readonly parts: readonly Part[];
  /** A token of the one identity. */
  identityToken(): Promise<string>;
  /** A grant for all connections, by the identity's token. Rejects while the control plane is away. */
  grant(): Promise<string>;
  /** Asks the REST API as an admin; throws where the answer is not of the 200s. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<unknown>;
  /** Ends what still runs and removes everything. */
  close(): Promise<void>;
}

export interface ProductOptions {
  readonly queue: 'postgres' | 'redis';
  /** Relays. @default 2 */
  readonly relays?: number;
  /** The first relay's record becomes durable in a journal. @default false */
  readonly journal?: boolean;
  readonly orphanSeconds?: number;
  /** @default the product's own */
  readonly deferredLostSeconds?: number;
  readonly recorderTimeoutMs?: number;
  /** Where Postgres keeps its data. @default a folder beside the rest */
  readonly postgresFolder?: string;
  readonly postgresSettings?: Readonly<Record<string, string>>;
}

/** Smaller than most of the load's uploads. */
const blobBytes = 8192;

/** Connections of the same target; what they differ in is in their names. */
export const connections = ['strict', 'relaxed'] as const;
export type ConnectionName = (typeof connections)[number];

export async function startProduct(options: ProductOptions): Promise<Product> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-chaos-'));
  // Where we are root, Postgres runs as another user, who has to get through.
  await chmod(folder, 0o711);
  const closers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).toReversed()) await one();
  };
  try {
    return await open(folder, options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  folder: string,
  options: ProductOptions,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Product> {
  const inside = async (name: string): Promise<string> => {
    const made = path.join(folder, name);
    await mkdir(made, { mode: 0o700 });
    return made;
  };
  const [keyFolder, logs, blobFolder, journalFolder] = [
    await inside('keys'),
    await inside('logs'),
    await inside('blobs'),
    await inside('journal'),
  ];
  const secrets = { credential: `cred_${randomBytes(20).toString('hex')}`, canary: `canary-${randomBytes(20).toString('hex')}` };
  const adminToken = `hoop_admin_${randomBytes(32).toString('base64url')}`;
  const [keys, issuer, target] = await Promise.all([makeKeys(keyFolder), startIssuer(), startCountingTarget(secrets)]);
  closers.push(
    () => issuer.close(),
    () => target.close(),
  );
  await writeFile(keys.bootstrapTokenFile, adminToken, { mode: 0o600 });

  const postgres = await startPostgresPart({
    folder: options.postgresFolder ?? path.join(folder, 'postgres'),
    password: keys.postgresPassword,
    ...(options.postgresSettings === undefined ? {} : { settings: options.postgresSettings }),
  });
  closers.push(() => postgres.stop());
  const redis = options.queue === 'redis' ? await startRedisPart() : undefined;
  if (redis) closers.push(() => redis.stop());
  await migrateDatabase(postgres.url);
  await prepareQueueSchema({ ownerUrl: postgres.url, role: 'hoop_relay', password: keys.queuePassword });
  const relayQueue = new URL(postgres.url);
  relayQueue.username = 'hoop_relay';
  relayQueue.password = keys.queuePassword;

  const port = await findPort('127.0.0.1');
  const controlPlaneUrl = `http://127.0.0.1:${port}`;
  const relayPorts: number[] = [];
  for (let n = 0; n < (options.relays ?? 2); n++) relayPorts.push(await findPort('127.0.0.1'));
  const relayUrls = relayPorts.map((one) => `http://127.0.0.1:${one}`);
  const queueEnv: Record<string, string> = redis ? { REDIS_URL: redis.url } : {};
  const start = (app: string, name: string, env: Record<string, string>, args: readonly string[] = []): AppPart => {
    const part = startApp(app, name, { ...env, ...queueEnv }, path.join(logs, `${name}.log`), args);
    closers.push(() => part.kill());
    return part;
  };
  const controlPlane = start('control-plane', 'control-plane', {
    DATABASE_URL: postgres.url,
    HOOP_PORT: String(port),
    HOOP_PUBLIC_URL: controlPlaneUrl,
    HOOP_RELAY_PUBLIC_URL: relayUrls[0]!,
    HOOP_GRANT_KEY_FILE: keys.grantKeyFile,
    HOOP_SEALING_PUBLIC_KEY_FILE: keys.sealingPublicKeyFile,
    HOOP_RECORDING_KEY_FILE: keys.recordingKeyFile,
    HOOP_RELAY_TOKEN_FILE: keys.relayTokenFile,
    HOOP_BOOTSTRAP_TOKEN_FILE: keys.bootstrapTokenFile,
    HOOP_ROW_KEY_FILE: keys.rowKeyFile,
    HOOP_LOG_PUBLIC_KEY_FILE: keys.logPublicKeyFile,
    HOOP_BLOB_DIR: blobFolder,
  });
  const worker = start('worker', 'worker', {
    DATABASE_URL: postgres.url,
    HOOP_LOG_KEY_FILE: keys.logKeyFile,
    HOOP_ROW_PUBLIC_KEY_FILE: keys.rowPublicKeyFile,
    HOOP_BLOB_DIR: blobFolder,
    HOOP_BLOB_BYTES: String(blobBytes),
    HOOP_ORPHAN_SECONDS: String(options.orphanSeconds ?? 4),
    ...(options.deferredLostSeconds === undefined ? {} : { HOOP_DEFERRED_LOST_SECONDS: String(options.deferredLostSeconds) }),
  });
  const relayEnv = (n: number): Record<string, string> => ({
    HOOP_CONTROL_PLANE_URL: controlPlaneUrl,
    HOOP_RELAY_TOKEN_FILE: keys.relayTokenFile,
    HOOP_SEALING_KEY_FILE: keys.sealingKeyFile,
    HOOP_PORT: String(relayPorts[n]),
    HOOP_RECORDER_TIMEOUT_MS: String(options.recorderTimeoutMs ?? 2000),
    ...(n === 0 && options.journal === true ? { HOOP_JOURNAL_FOLDER: journalFolder } : {}),
    ...(redis ? {} : { HOOP_QUEUE_URL: relayQueue.href }),
  });
  const relays = relayPorts.map((_port, n) => start('relay', `relay-${n + 1}`, relayEnv(n)));
  const shipper = childPart('shipper', relays[0]!);

  const ask: Product['ask'] = async (method, apiPath, body, headers = {}) => {
    const response = await fetch(controlPlaneUrl + apiPath, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(120_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${apiPath}: ${response.status} ${text}`);
    return text.startsWith('{') ? JSON.parse(text) : text;
  };
  const product: Product = {
    folder,
    target,
    secrets,
    databaseUrl: postgres.url,
    queue: redis ? { kind: 'redis', url: redis.url } : { kind: 'postgres', url: postgres.url },
    controlPlaneUrl,
    relayUrls,
    recordingKeyFile: keys.recordingKeyFile,
    rowKeyFile: keys.rowKeyFile,
    logPublicKeyFile: keys.logPublicKeyFile,
    blobFolder,
    adminToken,
    controlPlane,
    relays,
    worker,
    shipper,
    journalFolder,
    startShipper: () => start('relay', 'shipper', relayEnv(0), ['ship']),
    postgres,
    redis,
    parts: [controlPlane, ...relays, worker, ...(options.journal === true ? [shipper] : []), postgres, ...(redis ? [redis] : [])],
    ask,
    identityToken: () => issuer.sign({ repository: 'acme/billing' }),
    async grant() {
      const response = await fetch(`${controlPlaneUrl}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token: await issuer.sign({ repository: 'acme/billing' }),
          subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        }),
        signal: AbortSignal.timeout(120_000),
      });
      const answer = (await response.json()) as { access_token?: string };
      if (answer.access_token === undefined) throw new Error(`The exchange was refused: ${JSON.stringify(answer)}`);
      return answer.access_token;
    },
    close,
  };
  await controlPlane.ready();
  await setUp(product, issuer.issuer);
  await Promise.all([...relays, worker].map((part) => part.ready()));
  return product;
}

async function setUp({ ask, target, secrets }: Product, issuer: string): Promise<void> {
  const first = { 'if-none-match': '*' };
  await ask('POST', '/v1/identity-providers', {
    name: 'ci',
    issuer,
    audiences: ['hoop'],
    algorithms: ['ES256'],
    allowedCidrs: ['127.0.0.0/8'],
  });
  await ask('POST', '/v1/identities', { name: 'nightly', provider: 'ci', match: 'claims.repository == "acme/billing"', owner: 'ops' });
  for (const name of connections) {
    await ask('POST', '/v1/connections', {
      name,
      target: target.url,
      allowedCidrs: ['127.0.0.0/8'],
      identities: ['nightly'],
      recording: { durability: name },
    });
    await ask(
      'PUT',
      `/v1/connections/${name}/credential`,
      { settings: { type: 'static', injection: { into: 'header' } }, secrets: { secret: secrets.credential } },
      first,
    );
    const rules = [
      { name: 'use', effect: 'allow', match: { methods: ['GET', 'POST'] } },
      { name: 'nobody deletes', effect: 'deny', match: { methods: ['DELETE'] }, reason: 'Nothing is deleted here.' },
    ];
    await ask('PUT', `/v1/connections/${name}/policy`, { rules, mask: [{ path: '$..canary' }] }, first);
  }
}
