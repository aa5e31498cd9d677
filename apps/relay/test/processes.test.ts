/** The relay as it is started: its own process, signals, and several processes on one port. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { bareEnvironment, startTarget } from '@hoop/testkit';
import type { TestTarget } from '@hoop/testkit';
import type { ConnectionSnapshot } from '@hoop/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { World } from './world.ts';

let world: World;
let target: TestTarget;
let connection: ConnectionSnapshot;
let folder: string;
const held: (() => void)[] = [];
let arrived = Promise.withResolvers<void>();

beforeAll(async () => {
  world = await World.start();
  target = await startTarget((req, res) => {
    if (req.url === '/hold') {
      held.push(() => res.end('held'));
      arrived.resolve();
      return;
    }
    res.end('ok');
  });
  connection = await world.connect({ target: target.url });
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-relay-'));
  await writeFile(path.join(folder, 'keys.json'), JSON.stringify(world.sealingKeys.privateJwks));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await target?.close();
  await world?.close();
});

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly log: string[];
}

function launch(env: Record<string, string | undefined> = {}): ChildProcess {
  const { config } = world;
  return spawn(process.execPath, ['--conditions=@hoop/source', path.join(import.meta.dirname, '../src/main.ts')], {
    env: {
      ...bareEnvironment(),
      HOOP_CONTROL_PLANE_URL: config.controlPlaneUrl,
      HOOP_RELAY_TOKEN_FILE: config.relayTokenFile,
      HOOP_SEALING_KEY_FILE: path.join(folder, 'keys.json'),
      HOOP_QUEUE_URL: config.queue.url,
      HOOP_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function start(env: Record<string, string> = {}): Promise<Started> {
  const child = launch(env);
  const log: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      log.push(line);
      const { event, url: found } = JSON.parse(line) as { event?: string; url?: string };
      if (event === 'listening') resolve(found!);
    });
    child.once('exit', (code) => reject(new Error(`exit ${code}: ${log.join('\n')}`)));
  });
  return { child, url, log };
}

const call = async (url: string, rest: string) =>
  fetch(`${url}/${connection.name}${rest}`, { headers: { 'hoop-grant': await world.grant([connection]) } });

it('drains on SIGTERM: finishes what is under way, takes nothing new, records all and exits with 0', async () => {
  const { child, url } = await start();
  arrived = Promise.withResolvers();
  const answer = call(url, '/hold');
  await arrived.promise;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  for (let isListening = true; isListening;)
    isListening = await call(url, '/x').then(
      (response) => response.status === 200,
      () => false,
    );
  held.pop()!();
  const response = await answer;
  expect(await response.text()).toBe('held');
  expect(await exited).toEqual([0, null]);
  expect((await world.record(response.headers.get('hoop-call'))).outcome).toMatchObject({ state: 'completed' });
});

it('is killed in the middle of a call, and the intent of the call is there', async () => {
  const { child, url } = await start();
  arrived = Promise.withResolvers();
  const answer = call(url, '/hold').catch(() => null);
  await arrived.promise;
  child.kill('SIGKILL');
  expect(await answer).toBe(null);
  const { outcome } = await world.recorded(() =>
    [...world.calls.values()].find(
      ({ intent }) => intent?.path === '/hold' && intent.relayId !== world.relay.id && !world.calls.get(intent.callId)!.outcome,
    ),
  );
  expect(outcome).toBe(null);
  held.pop()!();
});

/** On a connection of its own, so that any of the processes may get it; null where it is cut. */
async function freshCall(url: string): Promise<{ status: number; callId: string } | null> {
  const grant = await world.grant([connection]);
  return new Promise((resolve) => {
    const request = http.get(`${url}/${connection.name}/x`, { agent: false, headers: { 'hoop-grant': grant } }, (response) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode!, callId: String(response.headers['hoop-call']) }));
      response.on('error', () => resolve(null));
    });
    request.on('error', () => resolve(null));
  });
}

it('serves from several processes, replaces one that dies, and stops them all', async () => {
  const { child, url, log } = await start({ HOOP_WORKERS: '2' });
  const pids = (): number[] =>
    log.filter((line) => line.includes('worker_started')).map((line) => (JSON.parse(line) as { pid: number }).pid);
  const seen = async (): Promise<Set<string>> => {
    const relays = new Set<string>();
    while (relays.size < 2) {
      const answer = await freshCall(url);
      if (answer?.status === 200) relays.add((await world.record(answer.callId, ({ intent }) => intent !== null)).intent!.relayId);
    }
    return relays;
  };
  const first = await seen();
  expect(pids().filter((pid) => pid !== undefined)).toHaveLength(2);
  process.kill(pids()[0]!, 'SIGKILL');
  while (pids().length < 3) await freshCall(url);
  expect(log.some((line) => line.includes('worker_died'))).toBe(true);
  for (let second = await seen(); [...second].every((id) => first.has(id));) second = await seen();
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

describe('does not start', () => {
  const failure = async (env: Record<string, string | undefined>): Promise<string> => {
    const child = launch(env);
    let text = '';
    child.stdout!.on('data', (chunk) => (text += String(chunk)));
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(1);
    return (JSON.parse(text.trim()) as { msg: string }).msg;
  };

  it('without a variable that it needs, and says which', async () => {
    for (const name of ['HOOP_CONTROL_PLANE_URL', 'HOOP_RELAY_TOKEN_FILE', 'HOOP_SEALING_KEY_FILE']) {
      expect(await failure({ [name]: undefined })).toContain(name);
    }
    expect(await failure({ HOOP_QUEUE_URL: undefined, DATABASE_URL: 'postgresql://x@y/z' })).toContain('No queue');
    expect(await failure({ HOOP_WORKERS: 'many' })).toContain('HOOP_WORKERS');
  });

  it('with a key file that is not one, and does not quote it', async () => {
    await writeFile(path.join(folder, 'bad.json'), '{"d":"canary-of-a-key"');
    const message = await failure({ HOOP_SEALING_KEY_FILE: path.join(folder, 'bad.json') });
    expect(message).toContain('HOOP_SEALING_KEY_FILE');
    expect(message).not.toContain('canary');
  });
});
