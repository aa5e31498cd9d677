/** A whole control plane on a database of its own, with an issuer, for tests. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { BlobStore } from '@hoop/blobs';
import { newId, tokenExchangeGrantType, jwtTokenType } from '@hoop/contract';
import type { Database } from '@hoop/database';
import type { LogJwkSet } from '@hoop/recording';
import { generateRecordingKeys, generateSealingKeys, type JwkSet } from '@hoop/sealing';
import { createTestDatabase, startIssuer, type TestDatabase, type TestIssuer } from '@hoop/testkit';
import { generateGrantKeys } from '@hoop/tokens';
import { pino } from 'pino';

import { openSignedDatabase, rowKeys } from '../../../packages/database/test/row-keys.ts';
import { expectDocumentedHeaders } from './documented-headers.ts';
import { startControlPlane, type ControlPlane, type ControlPlaneConfig } from '../src/index.ts';

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
  readonly text: string;
}

export interface Request {
  readonly body?: unknown;
  readonly form?: Record<string, string> | URLSearchParams;
  readonly headers?: Record<string, string>;
  /** @default the bootstrap token; null: none */
  readonly token?: string | null;
}

export interface Harness {
  readonly url: string;
  readonly adminToken: string;
  readonly relayToken: string;
  readonly issuer: TestIssuer;
  readonly database: Database;
  readonly testDatabase: TestDatabase;
  readonly sealingKeys: JwkSet;
  readonly recordingKeys: JwkSet;
  readonly grantKeys: JwkSet;
  readonly config: ControlPlaneConfig;
  readonly controlPlane: ControlPlane;
  /** Every log line so far. */
  readonly logged: () => string;
  readonly call: <T = Record<string, any>>(method: string, path: string, request?: Request) => Promise<Answer<T>>;
  /** A token of a role; made through the API. */
  readonly tokenOf: (role: 'admin' | 'operator' | 'approver' | 'auditor') => Promise<string>;
  readonly makeProvider: (over?: Record<string, unknown>) => Promise<Record<string, any>>;
  readonly makeIdentity: (over?: Record<string, unknown>) => Promise<Record<string, any>>;
  readonly makeConnection: (over?: Record<string, unknown>) => Promise<Record<string, any>>;
  readonly exchange: (token: string, over?: Record<string, string>) => Promise<Answer<Record<string, any>>>;
  readonly close: () => Promise<void>;
}

export const unique = (prefix: string): string => `${prefix}-${newId('request').slice(-12)}`;

export interface HarnessOptions {
  readonly blobs?: BlobStore;
  readonly now?: () => number;
  readonly tls?: ControlPlaneConfig['tls'];
  readonly slackSigningSecret?: string;
  readonly slackHooks?: ControlPlaneConfig['slackHooks'];
  /** Give it a key to which channels' secrets are sealed. */
  readonly notifications?: boolean;
  /** How long a computation may take. @default as the control plane has it */
  readonly computationDeadlineMs?: number;
  /** Public keys of the log. */
  readonly logKeys?: LogJwkSet;
}

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const testDatabase = await createTestDatabase();
  const issuer = await startIssuer(options.now === undefined ? {} : { now: options.now });
  const folder = await mkdtemp(join(tmpdir(), 'hoop-control-plane-'));
  const [sealing, recording, grant] = await Promise.all([generateSealingKeys(), generateRecordingKeys(), generateGrantKeys()]);
  const adminToken = `hoop_admin_${'b'.repeat(20)}${newId('request')}`;
  const relayToken = `relay-${newId('request')}${newId('request')}`;
  const file = async (name: string, content: unknown): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
    return path;
  };
  const config: ControlPlaneConfig = {
    databaseUrl: testDatabase.url,
    host: '127.0.0.1',
    port: 0,
    relayAudience: 'urn:hoop:relay',
    relayPublicUrl: 'http://127.0.0.1:7710',
    grantKeyFile: await file('grant.json', grant.privateJwks),
    sealingPublicKeyFile: await file('sealing.json', sealing.publicJwks),
    recordingKeyFile: await file('recording.json', recording.privateJwks),
    relayTokenFile: await file('relay.token', relayToken),
    rowKeyFile: await file('rows.json', rowKeys.privateJwks),
    bootstrapTokenFile: await file('bootstrap.token', adminToken),
    ...(options.slackSigningSecret === undefined ? {} : { slackSigningSecretFile: await file('slack.secret', options.slackSigningSecret) }),
    ...(options.slackHooks === undefined ? {} : { slackHooks: options.slackHooks }),
    ...(options.notifications === true
      ? { notificationPublicKeyFile: await file('notification.json', (await generateRecordingKeys()).publicJwks) }
      : {}),
    ...(options.logKeys === undefined
      ? {}
      : { logPublicKeyFile: await file('log.json', options.logKeys), logOrigin: 'hoop.example/audit' }),
    ...(options.blobs === undefined ? {} : { blobs: options.blobs }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    logLevel: 'debug',
  };
  let logged = '';
  const log = pino({ level: 'debug' }, { write: (line: string) => void (logged += line) });
  const controlPlane = await startControlPlane(config, { log, ...options });
  const database = openSignedDatabase(testDatabase.url, { maxConnections: 4 });

  async function call<T>(method: string, path: string, request: Request = {}): Promise<Answer<T>> {
    const headers: Record<string, string> = { ...request.headers };
    const token = request.token === undefined ? adminToken : request.token;
    if (token !== null) headers['authorization'] ??= `Bearer ${token}`;
    let body: string | undefined;
    if (request.form !== undefined) {
      headers['content-type'] ??= 'application/x-www-form-urlencoded';
      body = new URLSearchParams(request.form as Record<string, string>).toString();
    } else if (request.body !== undefined) {
      headers['content-type'] ??= 'application/json';
      body = typeof request.body === 'string' ? request.body : JSON.stringify(request.body);
    }
    const response = await fetch(`${controlPlane.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    expectDocumentedHeaders(method, path, response);
    const text = await response.text();
    const isJson = text !== '' && /[/+]json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, body: (isJson ? JSON.parse(text) : {}) as T };
  }

  async function make(path: string, body: Record<string, unknown>): Promise<Record<string, any>> {
    const made = await call('POST', path, { body });
    if (made.status !== 201) throw new Error(`POST ${path}: ${made.status} ${made.text}`);
    return made.body as Record<string, any>;
  }

  const makeProvider: Harness['makeProvider'] = (over = {}) =>
    make('/v1/identity-providers', {
      name: unique('provider'),
      issuer: `https://${unique('issuer')}.example`,
      audiences: ['hoop'],
      algorithms: ['ES256'],
      ...over,
    });
  const makeIdentity: Harness['makeIdentity'] = async (over = {}) =>
    make('/v1/identities', {
      name: unique('identity'),
      provider: over['provider'] ?? (await makeProvider())['name'],
      match: 'claims.sub == "machine"',
      owner: 'ops',
      ...over,
    });
  const makeConnection: Harness['makeConnection'] = (over = {}) =>
    make('/v1/connections', { name: unique('connection'), target: 'https://api.payments.example', ...over });

  const tokens = new Map<string, Promise<string>>();
  return {
    url: controlPlane.url,
    adminToken,
    relayToken,
    issuer,
    database,
    testDatabase,
    sealingKeys: sealing.privateJwks,
    recordingKeys: recording.privateJwks,
    grantKeys: grant.publicJwks,
    config,
    controlPlane,
    logged: () => logged,
    call: call as Harness['call'],
    async tokenOf(role) {
      const known = tokens.get(role) ?? make('/v1/admin-tokens', { name: role, role }).then((made) => made['token'] as string);
      tokens.set(role, known);
      return known;
    },
    makeProvider,
    makeIdentity,
    makeConnection,
    exchange: (token, over = {}) =>
      call('POST', '/oauth/token', {
        token: null,
        form: { grant_type: tokenExchangeGrantType, subject_token: token, subject_token_type: jwtTokenType, ...over },
      }),
    async close() {
      await controlPlane.close();
      await database.close();
      await issuer.close();
      await testDatabase.drop();
      await rm(folder, { recursive: true });
    },
  };
}

/** The issuer of the harness as a registered provider, with an identity and a connection that it may use. */
export async function registerIssuer(h: Harness, over: { provider?: Record<string, unknown>; identity?: Record<string, unknown> } = {}) {
  const provider = await h.makeProvider({ issuer: h.issuer.issuer, allowedCidrs: ['127.0.0.0/8'], ...over.provider });
  const identity = await h.makeIdentity({ provider: provider['name'], ...over.identity });
  const connection = await h.makeConnection({ identities: [identity['name']] });
  return { provider, identity, connection };
}
