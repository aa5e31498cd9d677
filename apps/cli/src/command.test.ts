import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { generateAuthority } from '@hoop/certificates';
import { describe, expect, onTestFinished, test } from 'vitest';

import { runCommand } from './command.ts';
import { writeAddresses } from './start/addresses.ts';
import { version } from './version.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; said: string }> {
  const heard = { out: '', said: '' };
  const never = new AbortController().signal;
  const code = await runCommand(args, {
    env: {},
    out: (text) => void (heard.out += `${text}\n`),
    say: (text) => void (heard.said += `${text}\n`),
    stop: never,
    kill: never,
  });
  return { code, ...heard };
}

const verbs = {
  start: [],
  exec: [],
  agent: [],
  ca: [],
  token: [],
  keys: [],
  audit: ['verify', 'export'],
  recordings: ['check'],
  rows: ['list', 'sign'],
  approvals: ['list', 'show', 'approve', 'deny', 'watch'],
  sessions: ['list', 'show', 'replay', 'export'],
  calls: ['search'],
  policy: ['backtest', 'propose'],
  version: [],
  help: [],
};

describe('help', () => {
  test('lists every command, on standard output alone', async () => {
    const { code, out, said } = await run('help');
    expect([code, said]).toEqual([0, '']);
    expect([...out.matchAll(/see hoop help (\w+)\)/g)].map(([, name]) => name)).toEqual(Object.keys(verbs));
    for (const args of [[], ['--help'], ['-h']]) expect(await run(...args)).toEqual({ code, out, said });
  });

  test.each(Object.entries(verbs).flatMap(([name, own]) => [[name], ...own.map((verb) => [name, verb])]))(
    'hoop help %s %s is what --help prints, and runs nothing',
    async (...names) => {
      const asked = await run('help', ...names.filter(Boolean));
      expect(asked).toMatchObject({ code: 0, said: '' });
      expect(asked.out).toContain(`Usage: hoop ${names.filter(Boolean).join(' ')}`);
      for (const flag of ['--help', '-h']) expect(await run(...names.filter(Boolean), flag)).toEqual(asked);
    },
  );

  test('names the verbs of each command', async () => {
    for (const [name, own] of Object.entries(verbs)) {
      const { out } = await run('help', name);
      for (const verb of own) expect(out).toMatch(new RegExp(`^ {2}${verb}\\b`, 'm'));
    }
  });
});

test('exec leaves the options and the "--" behind the name of a program to the program', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-exec-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  // All that it asks a Hoop for before the program calls somebody.
  const { certificate } = await generateAuthority(Date.now());
  const small = http.createServer((req, res) => {
    if (req.url === '/-/ca.pem') return void res.end(certificate);
    res.end(JSON.stringify({ hoop_relay_url: 'http://127.0.0.1:2', hoop_proxy_url: `http://${req.headers.host}` }));
  });
  small.listen(0, '127.0.0.1');
  await once(small, 'listening');
  onTestFinished(() => void small.close());
  const url = `http://127.0.0.1:${(small.address() as AddressInfo).port}`;
  await writeAddresses(folder, { controlPlane: url, relay: 'http://127.0.0.1:2', proxy: url });
  const given = ['--as', 'x', '--', '--help'];
  const script = `process.exit(JSON.stringify(process.argv.slice(1)) === '${JSON.stringify(given)}' && process.env.HOOP_URL ? 7 : 8)`;
  expect(await run('exec', '--data-dir', folder, '--', process.execPath, '-e', script, '--', ...given)).toEqual({
    code: 7,
    out: '',
    said: '',
  });
});

test('the version is printed by command and by option', async () => {
  for (const given of ['version', '--version']) expect(await run(given)).toEqual({ code: 0, out: `${version}\n`, said: '' });
});

test.each([
  [['stat'], 'There is no command "stat". See hoop help.'],
  [['stat', '--port', '1'], 'There is no command "stat". See hoop help.'],
  [['--bogus'], 'There is no command "--bogus". See hoop help.'],
  [['toString'], 'There is no command "toString". See hoop help.'],
  [['help', 'stat'], 'There is no command "stat". See hoop help.'],
  [['help', 'rows', 'mend'], 'There is no command "rows mend". See hoop help.'],
  [['start', '--port'], '--port needs a value. See hoop help start.'],
  [['start', '--json=yes'], "Unknown option '--json=yes'. See hoop help start."],
  [['keys'], 'hoop keys needs the name of one folder. See hoop help keys.'],
  [['keys', 'a', 'b'], 'hoop keys needs the name of one folder. See hoop help keys.'],
  [['keys', 'a', '--force'], "Unknown option '--force'. See hoop help keys."],
  [['exec'], 'hoop exec needs a command after "--". See hoop help exec.'],
  [['exec', '--as', 'x', '--'], 'hoop exec needs a command after "--". See hoop help exec.'],
  [['audit'], 'hoop audit knows verify and export. See hoop help audit.'],
  [['audit', 'export'], 'hoop audit export needs the name of one file. See hoop help audit export.'],
  [['recordings', 'mend', '--repair'], 'hoop recordings knows check. See hoop help recordings.'],
  [['recordings', 'check', 'all'], "Unexpected argument 'all'. See hoop help recordings check."],
  [['sessions', '--bogus'], 'hoop sessions needs one of list, show, replay, export. See hoop help sessions.'],
  [['sessions', 'list', '--speed', '2'], 'hoop sessions list has no --speed. See hoop help sessions list.'],
  [['approvals', 'show'], 'Usage: hoop approvals list | show ID | approve ID | deny ID | watch. See hoop help approvals show.'],
  [['approvals', 'approve', 'x', '--for'], '--for needs a value. See hoop help approvals approve.'],
] as const)('%j is refused in one sentence that says where the help is', async (args, sentence) => {
  await expect(run(...args)).rejects.toMatchObject({ name: 'StartError', message: sentence });
});
