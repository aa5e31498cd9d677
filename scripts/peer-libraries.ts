/** Installs the client libraries of `test/peers`, a workspace of its own: only the peers' run needs them. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.resolve(import.meta.dirname, '../test/peers');
const stamp = path.join(folder, 'node_modules', '.installed');

/** Does nothing where what is there is what the lockfile says. Returns the reason where it fails, else null. */
export function installPeerLibraries(): string | null {
  const hash = createHash('sha256');
  for (const name of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'])
    hash.update(readFileSync(path.join(folder, name))).update('\0');
  const digest = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return null;
  process.stderr.write('hoop: installing the client libraries of test/peers (first run, or their lockfile changed)…\n');
  const bootstrap = readFileSync(path.resolve(import.meta.dirname, 'bootstrap.cjs'), 'utf8');
  const pnpm = /pnpm@[\d.]+/.exec(bootstrap)![0];
  const { status, error, stdout, stderr } = spawnSync('npx', ['--yes', pnpm, 'install', '--frozen-lockfile', '--ignore-scripts'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) return `The client libraries of test/peers could not be installed:\n${error?.message ?? `${stdout}\n${stderr}`}`;
  writeFileSync(stamp, digest);
  return null;
}
