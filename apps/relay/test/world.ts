/**
 * A relay with all that it needs, for tests of the relay alone: a real queue on a real Postgres, real keys, and a small
 * server that hands out a snapshot the way the control plane does. What the relay records is read back from the queue.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { connectionSettingsSchema, newId, queueNames, snapshotSchema } from '@hoop/contract';
import type {
  CallHead,
  ConnectionSettings,
  ConnectionSnapshot,
  CredentialSecrets,
  CredentialSourceSettings,
  GrantClaims,
  IdentitySnapshot,
  MaskRule,
  OutcomeEntry,
  ProviderSnapshot,
  RecordEntry,
  Rule,
  Snapshot,
} from '@hoop/contract';
import { openQueueWorker, prepareQueueSchema } from '@hoop/queue';
import { unpackRecordBatch } from '@hoop/recording';
import { boundHosts, generateRecordingKeys, generateSealingKeys, sealSecrets } from '@hoop/sealing';
import { createTestDatabase, startGate } from '@hoop/testkit';
import type { Gate } from '@hoop/testkit';
import { generateGrantKeys, mintGrant } from '@hoop/tokens';

import { pino } from 'pino';

import { startRelay } from '../src/index.ts';
import type { RelayConfig, RelayParts, RunningRelay } from '../src/index.ts';
import { Shipper } from '../src/shipping/ship.ts';

export const grantIssuer = 'http://control-plane.test';
export const grantAudience = 'urn:hoop:relay';
export const allowAll: Rule[] = [{ name: 'all', effect: 'allow' }];

export interface RecordedCall {
  intent: CallHead | null;
  head: CallHead | null;
  outcome: OutcomeEntry | null;
  repeats: number;
}

export interface ConnectionInput {
  readonly name?: string;
  readonly target: string;
  readonly settings?: Partial<Omit<ConnectionSettings, 'target' | 'limits' | 'recording' | 'paths'>> & {
    readonly paths?: Partial<ConnectionSettings['paths']>;
    readonly limits?: Partial<ConnectionSettings['limits']>;
    readonly recording?: Partial<ConnectionSettings['recording']>;
  };
  readonly rules?: Rule[];
  readonly mask?: MaskRule[];
  readonly credential?: { readonly settings: CredentialSourceSettings; readonly secrets: CredentialSecrets } | null;
  readonly identities?: readonly string[];
}

type Keys = Awaited<ReturnType<typeof generateGrantKeys>>;

export class World {
  readonly grantKeys: Keys;
  readonly sealingKeys: Keys;
  readonly recordingKeys: Keys;
  readonly provider: ProviderSnapshot;
  readonly identity: IdentitySnapshot;
  readonly log: string[] = [];
  readonly jobs: string[] = [];
  readonly calls = new Map<string, RecordedCall>();
  /** Bodies of reports of discovery. */
  readonly observations: string[] = [];
  relay!: RunningRelay;
  shipper: Shipper | null = null;
  /** Between the relay and its queue. */
  queueGate!: Gate;
  snapshot: Snapshot;
  /** Whether the control plane breaks every connection. */
  trouble: 'none' | 'down' = 'none';
  readonly #server: http.Server;
  readonly #streams = new Set<http.ServerResponse>();
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly #recorded: (() => void)[] = [];
  #config!: RelayConfig;

  private constructor(keys: { grant: Keys; sealing: Keys; recording: Keys }) {
    this.grantKeys = keys.grant;
    this.sealingKeys = keys.sealing;
    this.recordingKeys = keys.recording;
    this.provider = {
      id: newId('identity_provider'),
      name: 'ci',
      disabled: false,
      settings: {
        kind: 'oidc',
        issuer: 'https://issuer.test',
        audiences: ['hoop'],
        algorithms: ['ES256'],
        maxAgeSeconds: 3600,
        clockToleranceSeconds: 30,
        allowedCidrs: ['127.0.0.0/8'],
      },
    };
    this.identity = {
      id: newId('identity'),
      name: 'nightly-billing',
      providerId: this.provider.id,
      match: 'claims.repository == "acme/billing"',
      owner: 'ops@acme.example',
      labels: { team: 'billing' },
      disabled: false,
      grantsNotBefore: 0,
      unmanaged: { mode: 'deny', hosts: [], allowedCidrs: [] },
    };
    this.snapshot = {
      revision: 1,
      full: true,
      grantIssuer,
      grantAudience,
      grantKeys: this.grantKeys.publicJwks as Snapshot['grantKeys'],
      recordingKey: this.recordingKeys.publicJwks.keys[0]! as Snapshot['recordingKey'],
      providers: [this.provider],
      identities: [this.identity],
      connections: [],
      removed: [],
      revokedGrants: [],
    };
    this.#server = http.createServer((req, res) => this.#serve(req, res));
  }

  static async start(change: Partial<RelayConfig> = {}, parts: RelayParts = {}): Promise<World> {
    const world = new World({
      grant: await generateGrantKeys(),
      sealing: await generateSealingKeys(),
      recording: await generateRecordingKeys(),
    });
    const database = await createTestDatabase({ empty: true });
    world.#closers.push(() => database.drop());
    const role = `relay_${newId('relay').slice(4)}`;
    const password = newId('relay');
    await prepareQueueSchema({ ownerUrl: database.url, role, password });
    const queueUrl = new URL(database.url);
    world.queueGate = await startGate({ host: queueUrl.hostname, port: Number(queueUrl.port) });
    world.#closers.push(() => world.queueGate.close());
    queueUrl.host = `127.0.0.1:${world.queueGate.port}`;
    queueUrl.username = role;
    queueUrl.password = password;

    const folder = await mkdtemp(path.join(tmpdir(), 'hoop-relay-'));
    world.#closers.push(() => rm(folder, { recursive: true }));
    const relayTokenFile = path.join(folder, 'relay-token');
    await writeFile(relayTokenFile, 'relay-token-of-the-test\n');
    await new Promise<void>((resolve) => world.#server.listen(0, '127.0.0.1', resolve));
    world.#closers.push(async () => {
      world.#server.close();
      world.#server.closeAllConnections();
    });

    world.#config = {
      host: '127.0.0.1',
      port: 0,
      workers: 1,
      controlPlaneUrl: `http://127.0.0.1:${(world.#server.address() as AddressInfo).port}`,
      relayTokenFile,
      sealingKeys: world.sealingKeys.privateJwks,
      queue: { kind: 'postgres', url: queueUrl.href },
      snapshotMaxAgeMs: 30_000,
      recorderTimeoutMs: 60_000,
      drainTimeoutMs: 5_000,
      ...change,
    };
    const worker = openQueueWorker(
      queueNames.recordings,
      { kind: 'postgres', url: database.url },
      async (job) => world.#take(job.payload),
      {
        concurrency: 1,
      },
    );
    world.#closers.unshift(() => worker.close());
    const { journal } = world.#config;
    if (journal !== undefined) world.startShipper(journal.folder);
    world.#closers.unshift(async () => void (await world.shipper?.close(5000)));
    world.relay = await startRelay(world.#config, { logTo: { write: (line) => void world.log.push(line) }, ...parts });
    world.#closers.unshift(() => world.relay.close());
    return world;
  }

  /** Of the journals in this folder, as the process beside the relay does it. */
  startShipper(folder: string): void {
    const { sealingKeys, queue, recorderTimeoutMs: timeoutMs } = this.#config;
    this.shipper = new Shipper({ folder, sealingKeys, queue, timeoutMs }, pino({}, { write: (line) => void this.log.push(line) }));
  }

  get config(): RelayConfig {
    return this.#config;
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
  }

  /** Publishes a revision and waits until the relay works with it. */
  async publish(change: (snapshot: Snapshot) => void): Promise<void> {
    const next = structuredClone(this.snapshot);
    change(next);
    next.revision++;
    this.snapshot = snapshotSchema.parse(next);
    this.announce();
    // Each turn is an answered request, so this ends as soon as the relay has taken the revision.
    while (this.relay.revision() < this.snapshot.revision) await (await fetch(`${this.relay.url}/-/healthz`)).text();
  }

  announce(): void {
    for (const stream of this.#streams) stream.write(`event: revision\ndata: {"revision":${this.snapshot.revision}}\n\n`);
  }

  dropStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  async connect(input: ConnectionInput): Promise<ConnectionSnapshot> {
    const id = newId('connection');
    const settings = connectionSettingsSchema.parse({ target: input.target, allowedCidrs: ['127.0.0.0/8'], ...input.settings });
    let credential: ConnectionSnapshot['credential'] = null;
    const given = input.credential === undefined ? staticCredential('test-secret-value-1234567890') : input.credential;
    if (given) {
      const credentialSourceId = newId('credential_source');
      const sealed = await sealSecrets(this.sealingKeys.publicJwks, {
        connectionId: id,
        credentialSourceId,
        hosts: boundHosts(settings, given.settings),
        secrets: given.secrets,
      });
      credential = { id: credentialSourceId, revision: 1, settings: given.settings, sealed };
    }
    const connection: ConnectionSnapshot = {
      id,
      name: input.name ?? `c-${id.slice(-10)}`,
      disabled: false,
      settings,
      identityIds: [...(input.identities ?? [this.identity.id])],
      credential,
      policy: { id: newId('policy'), revision: 1, rules: input.rules ?? allowAll, mask: input.mask ?? [] },
    };
    await this.publish((snapshot) => snapshot.connections.push(connection));
    return connection;
  }

  async grant(
    connections: readonly ConnectionSnapshot[],
    claims: Partial<GrantClaims> = {},
    key = this.grantKeys.privateJwks.keys[0]!,
  ): Promise<string> {
    const iat = claims.iat ?? Math.floor(Date.now() / 1000);
    return mintGrant(
      { key, now: Date.now() },
      {
        iss: grantIssuer,
        aud: grantAudience,
        sub: this.identity.id,
        jti: newId('grant'),
        iat,
        exp: iat + 300,
        connections: connections.map((connection) => connection.id),
        subject: { issuer: 'https://issuer.test', subject: 'repo:acme/billing', claims: { repository: 'acme/billing' } },
        ...claims,
      },
    );
  }

  /** `fetch` through the relay with a fresh grant. */
  async call(connection: ConnectionSnapshot, rest: string, init: RequestInit & { duplex?: 'half' } = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has('hoop-grant')) headers.set('hoop-grant', await this.grant([connection]));
    return fetch(`${this.relay.url}/${connection.name}${rest}`, { redirect: 'manual', ...init, headers });
  }

  /** The record of a call, once it satisfies `isComplete`. @default: it has an outcome */
  async record(
    callId: string | null,
    isComplete: (call: RecordedCall) => boolean = (call) => call.outcome !== null,
  ): Promise<RecordedCall> {
    if (callId === null) throw new Error('the response names no call');
    return this.recorded(() => {
      const call = this.calls.get(callId);
      return call && isComplete(call) ? call : undefined;
    });
  }

  /** Waits until what was recorded has what is looked for. */
  async recorded<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#recorded.push(resolve));
    }
  }

  #take(payload: unknown): void {
    this.jobs.push(JSON.stringify(payload));
    for (const entry of unpackRecordBatch(payload)) this.#keep(entry);
    for (const wake of this.#recorded.splice(0)) wake();
  }

  #keep(entry: RecordEntry): void {
    const id = entry.type === 'outcome' ? entry.callId : entry.head.callId;
    const call = this.calls.get(id) ?? { intent: null, head: null, outcome: null, repeats: 0 };
    this.calls.set(id, call);
    if (entry.type === 'intent') {
      call.intent = entry.head;
      call.head = entry.head;
    } else if (entry.type === 'outcome') {
      call.outcome = entry;
    } else {
      call.head = entry.head;
      call.outcome = entry.outcome;
      call.repeats = entry.repeats ?? 0;
    }
  }

  #serve(req: http.IncomingMessage, res: http.ServerResponse): void {
    if (req.headers.authorization !== 'Bearer relay-token-of-the-test') return void res.writeHead(401).end();
    if (this.trouble === 'down') return void req.socket.destroy();
    const url = new URL(req.url!, 'http://x');
    if (url.pathname === '/internal/relay/changes') {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
      this.#streams.add(res);
      res.on('close', () => this.#streams.delete(res));
      res.write(`event: revision\ndata: {"revision":${this.snapshot.revision}}\n\n`);
      return;
    }
    if (url.pathname === '/internal/relay/mask-observations') {
      req.setEncoding('utf8');
      let body = '';
      req.on('data', (chunk: string) => (body += chunk));
      req.on('end', () => {
        this.observations.push(body);
        for (const wake of this.#recorded.splice(0)) wake();
        res.writeHead(200, { 'content-type': 'application/json' }).end('{"taken":1}');
      });
      return;
    }
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify(this.snapshot));
  }
}

export function staticCredential(secret: string): { settings: CredentialSourceSettings; secrets: CredentialSecrets } {
  return {
    settings: { type: 'static', injection: { into: 'header', name: 'authorization', template: 'Bearer {secret}' } },
    secrets: { secret },
  };
}
