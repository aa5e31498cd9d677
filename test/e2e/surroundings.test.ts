/** `npm start` in surroundings that are not of its choosing: proxies, signals to others, readers that leave, few files. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { descendants, endAll, hoopStart, isRunning, run, type HoopProcess } from './hoop.ts';

const anyPorts = ['--port', '0', '--relay-port', '0', '--proxy-port', '0', '--postgres-port', '0'];
/** Nothing listens there. */
const nowhere = 'http://127.0.0.1:9';
const proxies = { HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere, ALL_PROXY: nowhere, http_proxy: nowhere, NODE_USE_ENV_PROXY: '1' };

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-surroundings-'));
  await chmod(scratch, 0o755);
});
afterEach(endAll);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const npmStart = (name: string, args: readonly string[], env: Record<string, string> = {}): HoopProcess =>
  run('npm', ['start', '--', '--no-demo', '--data-dir', path.join(scratch, name), ...anyPorts, ...args], env);

test('proxies in the environment, and a TMPDIR that is not there, do not keep npm start from starting', async () => {
  const start = npmStart('proxies', ['--once'], { ...proxies, TMPDIR: path.join(scratch, 'nowhere') });
  expect(await start.ended, start.stderr()).toBe(0);
  expect(start.stderr()).toContain('which is no folder that can be written to; it is not used.');
});

test('nor do they keep the command alone from reaching what it started, and it says what it is doing', async () => {
  const start = hoopStart(path.join(scratch, 'direct'), ['--once', '--no-demo'], { ...proxies, TMPDIR: path.join(scratch, 'nowhere') });
  expect(await start.ended, start.stderr()).toBe(0);
  for (const step of [
    'Starting Postgres',
    'Preparing the database',
    'Starting the control plane',
    'Starting the relay',
    'Starting the worker',
  ])
    expect(start.stderr()).toContain(`hoop: ${step}…\n`);
});

test.skipIf(process.platform !== 'linux').each([
  ['npm', 'SIGTERM'],
  ['npm', 'SIGKILL'],
  ["npm's shell", 'SIGTERM'],
  ["npm's shell", 'SIGKILL'],
] as const)('all of it stops when %s gets a %s', async (whom, signal) => {
  const start = npmStart('signals', []);
  await start.heard(/Ready\./);
  const npm = start.child.pid!;
  const all = await descendants(npm, '');
  expect(all.length).toBeGreaterThan(5);
  // Where the shell has become the command, they are one.
  const shell = (await descendants(npm, 'scripts/bootstrap.cjs start'))[0]!;
  process.kill(whom === 'npm' ? npm : shell, signal);
  await expect.poll(() => all.filter(isRunning)).toEqual([]);
});

test('a reader that leaves ends it in good order', async () => {
  const start = hoopStart(path.join(scratch, 'direct'), ['--no-demo']);
  start.child.stdout!.destroy();
  expect(await start.ended).toBe(0);
  expect(start.stderr()).toMatch(/hoop: Stopping…\n$/);
  expect(start.stderr()).not.toMatch(/EPIPE|Error|^\s+at /m);
});

test.skipIf(process.platform === 'win32')('too low a limit of open files is one clear sentence', async () => {
  const command = `ulimit -n 100; exec "$0" --conditions=@hoop/source --disable-warning=ExperimentalWarning apps/cli/src/main.ts start --data-dir "$1"`;
  const start = run('/bin/sh', ['-c', command, process.execPath, path.join(scratch, 'files')]);
  expect(await start.ended).toBe(1);
  expect(start.stderr()).toBe(
    'hoop: The limit of open files is 100, and Hoop needs at least 128 to start: raise it with "ulimit -n 1024" or in the limits of the service.\n',
  );
});
