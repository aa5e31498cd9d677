/** Sets up a relay for measurement: Postgres with fsync on, key files, a control plane's snapshot, and a process of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { connectionSettingsSchema, newId, snapshotSchema } from '@hoop/contract';
import type { ConnectionSnapshot, MaskRule, RecordingSettings, Rule, Snapshot } from '@hoop/contract';
import { migrateDatabase } from '@hoop/database';
import { startPostgres } from '@hoop/embedded-postgres';
import { prepareQueueSchema } from '@hoop/queue';
import { relayNodeFlags } from '@hoop/relay/node-flags';
import { reservePort } from '@hoop/testkit';
import { boundHosts, generateRecordingKeys, generateSealingKeys, sealSecrets } from '@hoop/sealing';
import { generateGrantKeys, mintGrant } from '@hoop/tokens';

import { startProcess } from '../measure.ts';
import type { BenchProcess } from '../measure.ts';

export interface StagedConnection {
  readonly name: string;
  readonly target: string;
  readonly mask?: MaskRule[];
  /** Beside those that every connection has. */
  readonly rules?: Rule[];
  readonly recording?: Partial<RecordingSettings>;
}

export interface Stage {
  readonly databaseUrl: string;
  /** Of the role that a relay has. */
  readonly queueUrl: string;
  readonly postgresPid: number;
  /** Resolves once everything in the journal is in the queue. */
  shipped(): Promise<void>;
  readonly relay: BenchProcess;
  readonly relayUrl: string;
  /** A grant for all connections; each is a session of its own. `another`: of the second identity. */
  grant(identity?: 'another'): Promise<string>;
  close(): Promise<void>;
}

const relayMain = path.join(import.meta.dirname, '../../apps/relay/src/main.ts');

const rules: Rule[] = [
  { name: 'read customers', effect: 'allow', match: { methods: ['GET'], paths: ['/v1/customers', '/v1/customers/:id'] } },
  { name: 'only billing', effect: 'deny', when: 'identity.labels.team != "billing"' },
  { name: 'uploads', effect: 'allow', match: { methods: ['POST', 'GET'], paths: ['/v1/files/*'] } },
  { name: 'nobody deletes', effect: 'deny', match: { methods: ['DELETE'] } },
];

export async function startStage(
  staged: readonly StagedConnection[],
  options: {
    execArgv?: readonly string[];
    redisUrl?: string;
    journal?: boolean;
    /** Core of the relay; null: not pinned to one. @default cores.underTest */
    core?: number | null;
    /** Processes of the relay. @default 1 */
    processes?: number;
  } = {},
): Promise<Stage> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hoop-bench-'));
  const postgres = await startPostgres({ folder: path.join(folder, 'postgres'), port: 0, password: newId('relay') });
  await migrateDatabase(postgres.url);
  const password = newId('relay');
  await prepareQueueSchema({ ownerUrl: postgres.url, role: 'hoop_relay', password });
  const queueUrl = new URL(postgres.url);
  queueUrl.username = 'hoop_relay';
  queueUrl.password = password;

  const [grantKeys, sealingKeys, recordingKeys] = await Promise.all([generateGrantKeys(), generateSealingKeys(), generateRecordingKeys()]);
  const identityId = newId('identity');
  const anotherId = newId('identity');
  const providerId = newId('identity_provider');
  const connections = await Promise.all(staged.map((one) => connectionOf(one, [identityId, anotherId], sealingKeys.publicJwks)));
  const snapshot = snapshotSchema.parse({
    revision: 1,
    full: true,
    grantIssuer: 'http://bench',
    grantAudience: 'urn:hoop:relay',
    grantKeys: grantKeys.publicJwks,
    recordingKey: recordingKeys.publicJwks.keys[0],
    providers: [
      {
        id: providerId,
        name: 'ci',
        disabled: false,
        settings: {
          kind: 'oidc',
          issuer: 'https://issuer.test',
          audiences: ['hoop'],
          algorithms: ['ES256'],
          maxAgeSeconds: 3600,
          clockToleranceSeconds: 30,
          allowedCidrs: [],
        },
      },
    ],
    identities: [identityId, anotherId].map((id, index) => ({
      id,
      name: ['nightly-billing', 'another'][index]!,
      providerId,
      match: 'true',
      owner: 'ops',
      labels: { team: 'billing' },
      disabled: false,
      grantsNotBefore: 0,
      unmanaged: { mode: 'deny', hosts: [], allowedCidrs: [] },
    })),
    connections,
    removed: [],
    revokedGrants: [],
  });
  const controlPlane = await serveSnapshot(snapshot);
  const metricsPort = await reservePort();
  const file = async (name: string, content: string): Promise<string> => {
    await writeFile(path.join(folder, name), content, { mode: 0o600 });
    return path.join(folder, name);
  };
  const relay = startProcess(relayMain, {
    env: {
      HOOP_CONTROL_PLANE_URL: controlPlane.url,
      HOOP_RELAY_TOKEN_FILE: await file('relay-token', 'bench'),
      HOOP_SEALING_KEY_FILE: await file('sealing-keys.json', JSON.stringify(sealingKeys.privateJwks)),
      ...(options.redisUrl === undefined ? { HOOP_QUEUE_URL: queueUrl.href } : { REDIS_URL: options.redisUrl }),
      HOOP_PORT: '0',
      HOOP_WORKERS: String(options.processes ?? 1),
      ...(options.journal === true ? { HOOP_JOURNAL_FOLDER: path.join(folder, 'journal'), HOOP_METRICS_PORT: String(metricsPort) } : {}),
      HOOP_RECORDER_TIMEOUT_MS: '10000',
    },
    execArgv: options.execArgv ?? ['--conditions=@hoop/source', ...relayNodeFlags],
    ...(options.core === undefined ? {} : { core: options.core }),
  });
  return {
    databaseUrl: postgres.url,
    queueUrl: queueUrl.href,
    postgresPid: postgres.pid,
    async shipped() {
      for (;;) {
        const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
        if (/^hoop_journal_unshipped_entries 0$/m.test(text)) return;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    relay,
    relayUrl: await relay.listening(),
    grant: (identity) => {
      const iat = Math.floor(Date.now() / 1000);
      return mintGrant(
        { key: grantKeys.privateJwks.keys[0]!, now: Date.now() },
        {
          iss: snapshot.grantIssuer,
          aud: snapshot.grantAudience,
          sub: identity === 'another' ? anotherId : identityId,
          jti: newId('grant'),
          iat,
          exp: iat + 300,
          connections: connections.map(({ id }) => id),
          subject: {
            issuer: 'https://token.actions.githubusercontent.com',
            subject: 'repo:acme/billing:ref:refs/heads/main',
            claims: { repository: 'acme/billing', ref: 'refs/heads/main', workflow: 'nightly', run_id: '8123456789', actor: 'ada' },
          },
        },
      );
    },
    async close() {
      await relay.close(15_000);
      controlPlane.close();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function connectionOf(
  staged: StagedConnection,
  identityIds: string[],
  sealingKeys: Parameters<typeof sealSecrets>[0],
): Promise<ConnectionSnapshot> {
  const id = newId('connection');
  const settings = connectionSettingsSchema.parse({
    target: staged.target,
    allowedCidrs: ['127.0.0.0/8'],
    ...(staged.recording ? { recording: staged.recording } : {}),
  });
  const source = { type: 'static' as const, injection: { into: 'header' as const, name: 'authorization', template: 'Bearer {secret}' } };
  const credentialSourceId = newId('credential_source');
  const sealed = await sealSecrets(sealingKeys, {
    connectionId: id,
    credentialSourceId,
    hosts: boundHosts(settings, source),
    secrets: { secret: 'sk_live_51Hc0ffee0123456789abcdef' },
  });
  return {
    id,
    name: staged.name,
    disabled: false,
    settings,
    identityIds,
    credential: { id: credentialSourceId, revision: 1, settings: source, sealed },
    policy: { id: newId('policy'), revision: 1, rules: [...rules, ...(staged.rules ?? [])], mask: staged.mask ?? [] },
  };
}

/** The control plane as the relay sees it while nothing changes. */
async function serveSnapshot(snapshot: Snapshot): Promise<{ url: string; close(): void }> {
  const server = http.createServer((req, res) => {
    if (!req.url!.endsWith('/changes')) {
      res.setHeader('content-type', 'application/json').end(JSON.stringify(snapshot));
      return;
    }
    const beat = (): void => void res.write(`event: revision\ndata: {"revision":${snapshot.revision}}\n\n`);
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    beat();
    const timer = setInterval(beat, 5000);
    res.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
