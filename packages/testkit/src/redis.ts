/** A real `redis-server` from PATH, for tests of the Redis backend. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { findPeer, findProgram } from './peers.ts';
import { reservePort } from './reserve-port.ts';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** SIGKILL, as a crash; `restart` then reads what the append-only file kept. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const install = 'Debian: apt-get install redis-server';

/** For `describe.skipIf(!redisIsAvailable())`: false outside of the peers' run, where it must be there under CI. */
export const redisIsAvailable = (): boolean => findPeer('redis-server', install) !== null;

async function launch(program: string, args: string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`redis-server ended: ${said.join('\n')}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      if (line.includes('Ready to accept connections')) resolve();
    });
  });
  return child;
}

export interface TestRedisOptions {
  /** Instead of the defaults, by their names in redis.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Every write is appended and synced before it is answered, nothing is evicted: what production must use. */
export async function startTestRedis({ settings = {} }: TestRedisOptions = {}): Promise<TestRedis> {
  const program = findProgram('redis-server');
  if (program === null) throw new Error(`redis-server is not on PATH. Install it (${install}).`);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-test-redis-'));
  const port = await reservePort();
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
  ];
  args.push('--maxmemory-policy', 'noeviction', ...Object.entries(settings).flatMap(([setting, value]) => [`--${setting}`, value]));
  let child = await launch(program, args);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid!;
    },
    kill: () => end('SIGKILL'),
    restart: async () => {
      child = await launch(program, args);
    },
    stop: async () => {
      await end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
