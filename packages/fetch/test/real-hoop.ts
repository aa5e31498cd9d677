/** The product for this package's tests: control plane and relay in this process, on a database of their own, set up over REST. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { generateAuthority } from '@hoop/certificates';
import type { Rule } from '@hoop/contract';
import { startControlPlane } from '@hoop/control-plane';
import { prepareQueueSchema } from '@hoop/queue';
import { startRelay } from '@hoop/relay';
import type { RelayConfig } from '@hoop/relay';
import { generateRecordingKeys, generateSealingKeys } from '@hoop/sealing';
import { createTestDatabase, reservePort, startIssuer } from '@hoop/testkit';
import { generateGrantKeys } from '@hoop/tokens';
import { startWorker } from '@hoop/worker';

type Answer = Readonly<Record<string, unknown>>;

export interface RealHoop {
  readonly url: string;
  readonly relayUrl: string;
  /** Of the forward proxy; empty: there is none. */
  readonly proxyUrl: string;
  /** Of the owner role. */
  readonly databaseUrl: string;
  /** A token of the registered identity. */
  identityToken(claims?: Record<string, unknown>): Promise<string>;
  /** Asks the REST API, as an admin unless another token is given. Throws where the answer is not of the 200s. */
  ask(method: string, path: string, body?: unknown, options?: { headers?: Record<string, string>; token?: string }): Promise<Answer>;
  /** Changes something over REST as an admin. The relay works by it when this resolves. */
  change(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<void>;
  /** Registers a target with a credential `Bearer <name>-secret` that the identity may call. */
  connect(name: string, target: string, rules: Rule[]): Promise<void>;
  /** The logs of all parts so far. */
  logged(): string;
  close(): Promise<void>;
}

export interface RealHoopOptions {
  /** Also what happens in the background: deferred calls, records. @default false */
  readonly worker?: boolean;
  /** Also a forward proxy, and targets whose certificates these authorities (PEM) sign. @default false */
  readonly proxy?: { readonly targetCa: string };
  /** @default the relay's */
  readonly discovery?: RelayConfig['discovery'];
}

export async function startRealHoop(options: RealHoopOptions = {}): Promise<RealHoop> {
  const [folder, database, issuer, port, proxyPort] = await Promise.all([
    mkdtemp(path.join(tmpdir(), 'hoop-fetch-')),
    createTestDatabase(),
    startIssuer(),
    // The control plane has to name the relay before the relay can start.
    reservePort(),
    reservePort(),
  ]);
  const keep = async (name: string, content: unknown): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
    return file;
  };
  const [grant, rows, sealing, recording] = await Promise.all([
    generateGrantKeys(),
    generateGrantKeys(),
    generateSealingKeys(),
    generateRecordingKeys(),
  ]);
  const adminToken = crypto.randomUUID() + crypto.randomUUID();
  const relayToken = crypto.randomUUID() + crypto.randomUUID();
  const relayTokenFile = await keep('relay-token', relayToken);
  const relayUrl = `http://127.0.0.1:${port}`;
  const proxyUrl = options.proxy === undefined ? '' : `http://127.0.0.1:${proxyPort}`;
  const authority = options.proxy === undefined ? null : await generateAuthority(Date.now());
  let logged = '';
  const logTo = { write: (line: string) => void (logged += line) };
  const controlPlane = await startControlPlane(
    {
      databaseUrl: database.url,
      host: '127.0.0.1',
      port: 0,
      relayAudience: 'urn:hoop:relay',
      relayPublicUrl: relayUrl,
      ...(proxyUrl === '' ? {} : { proxyPublicUrl: proxyUrl }),
      grantKeyFile: await keep('grant', grant.privateJwks),
      sealingPublicKeyFile: await keep('sealing', sealing.publicJwks),
      recordingKeyFile: await keep('recording', recording.privateJwks),
      relayTokenFile,
      rowKeyFile: await keep('rows', rows.privateJwks),
      bootstrapTokenFile: await keep('admin-token', adminToken),
      logLevel: 'debug',
    },
    { logTo },
  );
  const queueUrl = new URL(database.url);
  queueUrl.username = `relay_${crypto.randomUUID().replaceAll('-', '')}`;
  queueUrl.password = crypto.randomUUID();
  await prepareQueueSchema({ ownerUrl: database.url, role: queueUrl.username, password: queueUrl.password });
  const relay = await startRelay(
    {
      host: '127.0.0.1',
      port,
      workers: 1,
      controlPlaneUrl: controlPlane.url,
      relayTokenFile,
      sealingKeys: sealing.privateJwks,
      queue: { kind: 'postgres', url: queueUrl.href },
      snapshotMaxAgeMs: 30_000,
      recorderTimeoutMs: 60_000,
      ...(authority === null
        ? {}
        : {
            proxy: { host: '127.0.0.1', port: proxyPort, certificates: authority.certificate, key: authority.key },
            targetCa: options.proxy!.targetCa,
          }),
      ...(options.discovery === undefined ? {} : { discovery: options.discovery }),
    },
    { logTo },
  );

  const queue = { kind: 'postgres', url: database.url } as const;
  const worker =
    options.worker === true
      ? await startWorker({ databaseUrl: database.url, queue, orphanSeconds: 120, rowKeys: rows.publicJwks, logLevel: 'debug' }, { logTo })
      : undefined;

  const ask: RealHoop['ask'] = async (method, apiPath, body, { headers = {}, token = adminToken } = {}) => {
    const response = await globalThis.fetch(controlPlane.url + apiPath, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${apiPath}: ${response.status} ${answer}`);
    return answer === '' ? {} : (JSON.parse(answer) as Answer);
  };
  const change: RealHoop['change'] = async (method, apiPath, body, headers = {}) => {
    await ask(method, apiPath, body, { headers });
    const snapshot = await globalThis.fetch(`${controlPlane.url}/internal/relay/snapshot`, {
      headers: { authorization: `Bearer ${relayToken}` },
    });
    const { revision } = (await snapshot.json()) as { revision: number };
    // Each turn is an answered request of the relay, so this ends as soon as it has taken the change.
    while (relay.revision() < revision) await (await globalThis.fetch(`${relayUrl}/-/healthz`)).text();
  };
  await change('POST', '/v1/identity-providers', {
    name: 'ci',
    issuer: issuer.issuer,
    audiences: ['hoop'],
    algorithms: ['ES256'],
    allowedCidrs: ['127.0.0.0/8'],
  });
  await change('POST', '/v1/identities', { name: 'nightly', provider: 'ci', match: 'claims.repository == "acme/billing"', owner: 'ops' });

  return {
    url: controlPlane.url,
    relayUrl,
    proxyUrl,
    databaseUrl: database.url,
    identityToken: (claims = {}) => issuer.sign({ repository: 'acme/billing', ...claims }),
    ask,
    change,
    async connect(name, target, rules) {
      const first = { 'if-none-match': '*' };
      await change('POST', '/v1/connections', { name, target, allowedCidrs: ['127.0.0.0/8'], identities: ['nightly'] });
      const settings = { type: 'static', injection: { into: 'header' } };
      await change('PUT', `/v1/connections/${name}/credential`, { settings, secrets: { secret: `${name}-secret` } }, first);
      await change('PUT', `/v1/connections/${name}/policy`, { rules }, first);
      // Each turn is an answered request of the relay, so this ends as soon as it has taken the change.
    },
    logged: () => logged,
    async close() {
      await worker?.close();
      await relay.close();
      await controlPlane.close();
      await issuer.close();
      await database.drop();
      await rm(folder, { recursive: true });
    },
  };
}
