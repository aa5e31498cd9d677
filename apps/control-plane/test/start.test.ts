import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bareEnvironment } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startControlPlane, type ControlPlaneConfig } from '../src/index.ts';
import { startHarness, type Harness } from './harness.ts';

let h: Harness;
let folder: string;
beforeAll(async () => {
  h = await startHarness();
  folder = await mkdtemp(join(tmpdir(), 'hoop-keys-'));
});
afterAll(async () => {
  await h.close();
  await rm(folder, { recursive: true });
});

let serial = 0;
async function file(content: unknown): Promise<string> {
  const path = join(folder, `key-${++serial}`);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('the control plane does not start', () => {
  const secret = 'c2VjcmV0LXBhcnQtb2YtYS1rZXk';
  const cases: [string, (config: ControlPlaneConfig) => Promise<Partial<ControlPlaneConfig>>, RegExp][] = [
    ['without a key file', async () => ({ grantKeyFile: join(folder, 'nothing') }), /cannot be read: ENOENT/],
    ['with a key file that is not JSON', async () => ({ grantKeyFile: await file(`{"d":"${secret}`) }), /is not JSON/],
    ['with an empty key set', async () => ({ recordingKeyFile: await file({ keys: [] }) }), /at least one key/],
    [
      'with a key that has no kid',
      async () => ({ recordingKeyFile: await file({ keys: [{ kty: 'OKP', d: secret }] }) }),
      /each with a kid/,
    ],
    [
      'with a private sealing key, which it must not have',
      async () => ({ sealingPublicKeyFile: await file(h.sealingKeys) }),
      /must not be able to open/,
    ],
    ['with a grant key that cannot sign', async () => ({ grantKeyFile: await file(h.grantKeys) }), /private Ed25519/],
    ['with a recording key that cannot open', async (config) => ({ recordingKeyFile: config.sealingPublicKeyFile }), /private keys only/],
    ['with a relay token that could be guessed', async () => ({ relayTokenFile: await file('short') }), /shorter than 32/],
    ['with a bootstrap token that could be guessed', async () => ({ bootstrapTokenFile: await file('short') }), /shorter than 32/],
  ];

  it.each(cases)('%s', async (_what, over, message) => {
    const failure = await startControlPlane({ ...h.config, ...(await over(h.config)) }).then(
      () => null,
      (error: Error) => error,
    );
    expect(failure?.message).toMatch(message);
    expect(failure?.message).not.toContain(secret);
  });

  it('on a port that is taken, and lets go of the database', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(startControlPlane({ ...h.config, port })).rejects.toThrow(/EADDRINUSE/);
    taken.close();
  });
});

describe('the bootstrap token', () => {
  it('is stored only while there is no admin token at all', async () => {
    const other = await file('another-bootstrap-token-of-thirty-two-characters');
    await (await startControlPlane({ ...h.config, bootstrapTokenFile: other })).close();
    expect(await h.database.prisma.adminToken.count({ where: { name: 'bootstrap' } })).toBe(1);
  });
});

describe('the process', () => {
  it('tells where it listens by log and by IPC, and drains and exits 0 on SIGTERM', async () => {
    const { config } = h;
    const child = fork(fileURLToPath(new URL('../src/main.ts', import.meta.url)), {
      execArgv: ['--conditions=@hoop/source'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...bareEnvironment(),
        DATABASE_URL: config.databaseUrl,
        HOOP_PORT: '0',
        HOOP_GRANT_KEY_FILE: config.grantKeyFile,
        HOOP_ROW_KEY_FILE: config.rowKeyFile,
        HOOP_SEALING_PUBLIC_KEY_FILE: config.sealingPublicKeyFile,
        HOOP_RECORDING_KEY_FILE: config.recordingKeyFile,
        HOOP_RELAY_TOKEN_FILE: config.relayTokenFile,
      },
    });
    let output = '';
    child.stdout!.on('data', (chunk) => (output += String(chunk)));
    child.stderr!.on('data', (chunk) => (output += String(chunk)));
    const message = await new Promise<{ event: string; url: string }>((resolve, reject) => {
      // Before that it says what it is doing.
      child.on('message', (one: { event: string; url: string }) => one.event !== 'starting' && resolve(one));
      child.once('exit', () => reject(new Error(output)));
    });
    expect(message.event).toBe('listening');
    await expect.poll(() => output).toContain(`"event":"listening","url":"${message.url}"`);
    expect((await fetch(`${message.url}/readyz`)).status).toBe(200);
    const stream = await fetch(`${message.url}/internal/relay/changes`, { headers: { authorization: `Bearer ${h.relayToken}` } });
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect([code, output.includes(h.relayToken)]).toEqual([0, false]);
    await stream.text().catch(() => undefined);
  });

  it('says what is missing in one line, and exits 1', async () => {
    const child = fork(fileURLToPath(new URL('../src/main.ts', import.meta.url)), {
      execArgv: ['--conditions=@hoop/source'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: bareEnvironment(),
    });
    let output = '';
    child.stderr!.on('data', (chunk) => (output += String(chunk)));
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
    expect(JSON.parse(output.trim().split('\n').at(-1)!)).toMatchObject({
      event: 'failed',
      message: expect.stringContaining('DATABASE_URL is not set'),
    });
  });
});
