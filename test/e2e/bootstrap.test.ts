/** scripts/bootstrap.cjs: what stands between any Node and the commands. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { createTestAuthority } from '@hoop/testkit';
import { afterEach, expect, test } from 'vitest';

import { endAll, root, run } from './hoop.ts';

afterEach(endAll);

/** The script on a Node that says it is another version. */
const bootstrapOn = (version: string, command: string): ReturnType<typeof run> =>
  run(process.execPath, [
    '-e',
    `Object.defineProperty(process.versions, 'node', { value: ${JSON.stringify(version)} }); process.argv.push(${JSON.stringify(command)}); require('./scripts/bootstrap.cjs')`,
  ]);

test('a Node that is too old is one clear sentence', async () => {
  const old = bootstrapOn('16.20.2', 'start');
  expect(await old.ended).toBe(1);
  expect(old.stderr()).toBe('hoop: Node 16.20.2 is too old: install Node 18 or newer, then run the command again.\n');
});

test('a command that does not exist is one clear sentence', async () => {
  const unknown = run(process.execPath, ['scripts/bootstrap.cjs', 'strat']);
  expect(await unknown.ended).toBe(1);
  expect(unknown.stderr()).toBe('hoop: unknown command "strat"; known: start, hoop, test, test:peers, check, bench.\n');
});

test('commands run on the Node that the lockfile pins, and so does what they run', async () => {
  const { optionalDependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const [pinned, ...others] = new Set(Object.values(optionalDependencies));
  expect(others).toEqual([]);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-bootstrap-'));
  const { ca } = await createTestAuthority();
  // All that `exec` asks a Hoop for before the program calls somebody.
  const small = http.createServer((req, res) => {
    if (req.url === '/-/ca.pem') return void res.end(ca);
    res.end(JSON.stringify({ hoop_relay_url: 'http://127.0.0.1:2', hoop_proxy_url: `http://${req.headers.host}` }));
  });
  small.listen(0, '127.0.0.1');
  await once(small, 'listening');
  const url = `http://127.0.0.1:${(small.address() as AddressInfo).port}`;
  await writeFile(path.join(folder, 'addresses.json'), JSON.stringify({ controlPlane: url }));
  const printed = run(process.execPath, [
    'scripts/bootstrap.cjs',
    'hoop',
    'exec',
    '--data-dir',
    folder,
    '--',
    'node',
    '-p',
    'process.version + process.env.HOOP_URL',
  ]);
  expect(await printed.ended, printed.stderr()).toBe(0);
  expect(printed.stdout()).toBe(`v${pinned}${url}\n`);
  small.close();
  await rm(folder, { recursive: true });
});
