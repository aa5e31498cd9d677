/**
 * Postgres refuses to run as root. Where we are root, there are three ways, tried in this order:
 *
 * 1. `user`: as a user of its own, on a data folder that belongs to it. Needs every folder on the way to the programs and the data to be open.
 * 2. `namespace`: in a user namespace in which root appears as `nobody`. The kernel still sees root's files as its own, so that
 *    a clone under a folder of mode 0700 works. Some containers forbid it.
 * 3. `copy`: as a user of its own, with the programs copied to a folder that it can reach, and the data folder entered before the
 *    privileges are dropped and named through `/proc/self/cwd`.
 *
 * The user of its own is a number that nobody else has: other services run as `nobody` too, and could read the data or end
 * the server. initdb insists on a name for the user that runs it, so it alone runs as `nobody`, before the folder changes hands.
 */
import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { chmod, chown, cp, lstat, readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { binariesIn, type Binaries } from './binaries.ts';
import { EmbeddedPostgresError } from './error.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

export type RunAsMode = 'direct' | 'user' | 'namespace' | 'copy';

const nobody = 65_534;
const namespaceArguments = ['--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'];

export interface Runner {
  readonly mode: RunAsMode;
  readonly binaries: Binaries;
  /** The data folder as the programs must be told it. */
  readonly dataArgument: string;
  /** Who must own the data, as this process sees it; undefined: leave it. */
  readonly owner: number | undefined;
  /** Who must own the folder, and what else initdb reads, while initdb runs; undefined: leave it. */
  readonly initialOwner: number | undefined;
  /** Runs a program on the folder once it is made. */
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** Runs initdb. */
  spawnInitial(program: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** Removes what was copied. */
  close(): Promise<void>;
}

/** Can anybody get through every folder on the way to `target`? */
export async function isReachableByAnybody(target: string): Promise<boolean> {
  for (let folder = path.resolve(target); ; folder = path.dirname(folder)) {
    const { mode } = await stat(folder);
    if (folder !== path.resolve(target) && (mode & 0o001) === 0) return false;
    if (folder === path.dirname(folder)) return true;
  }
}

const works = (program: string, args: string[], options: { uid?: number; gid?: number } = {}): Promise<boolean> =>
  new Promise((resolve) => {
    try {
      execFile(program, args, { timeout: 300_000, ...options }, (error) => resolve(error === null));
    } catch {
      // A uid that we may not take is thrown, not reported.
      resolve(false);
    }
  });

const as = (id: number): { uid: number; gid: number } => ({ uid: id, gid: id });

/** Numbers that systemd's conventions and distributions leave unused: https://systemd.io/UIDS-GIDS */
const firstOwn = 61_070;
const mostOwn = 100;

/** A user and group that has no name in the system's tables, or `nobody` where this process may not become it. */
async function ownUser(): Promise<number> {
  const tables = await Promise.all(['/etc/passwd', '/etc/group'].map((file) => readFile(file, 'utf8').catch(() => '')));
  const taken = new Set(tables.flatMap((table) => table.split('\n').map((line) => Number(line.split(':')[2]))));
  for (let id = firstOwn; id < firstOwn + mostOwn; id++) {
    if (taken.has(id)) continue;
    return (await works('/bin/sh', ['-c', 'exit 0'], as(id))) ? id : nobody;
  }
  return nobody;
}

function direct(binaries: Binaries, dataFolder: string): Runner {
  return {
    mode: 'direct',
    binaries,
    dataArgument: dataFolder,
    owner: undefined,
    initialOwner: undefined,
    spawn: (program, args, options) => spawn(program, args, { ...options, cwd: dataFolder }),
    spawnInitial: (program, args, options) => spawn(program, args, { ...options, cwd: dataFolder }),
    close: async () => {},
  };
}

async function asUser(binaries: Binaries, dataFolder: string): Promise<Runner | undefined> {
  if (!(await isReachableByAnybody(binaries.postgres)) || !(await isReachableByAnybody(dataFolder))) return undefined;
  if (!(await works(binaries.postgres, ['--version'], as(nobody)))) return undefined;
  const own = await ownUser();
  return {
    mode: 'user',
    binaries,
    dataArgument: dataFolder,
    owner: own,
    initialOwner: nobody,
    spawn: (program, args, options) => spawn(program, args, { ...options, ...as(own), cwd: dataFolder }),
    spawnInitial: (program, args, options) => spawn(program, args, { ...options, ...as(nobody), cwd: dataFolder }),
    close: async () => {},
  };
}

async function inNamespace(binaries: Binaries, dataFolder: string): Promise<Runner | undefined> {
  if (process.platform !== 'linux' || !(await works('unshare', [...namespaceArguments, binaries.postgres, '--version']))) return undefined;
  // unshare(1) replaces itself with the program, so that the child's pid is Postgres' own.
  const unshared = (program: string, args: readonly string[], options: SpawnOptions): ChildProcess =>
    spawn('unshare', [...namespaceArguments, program, ...args], { ...options, cwd: dataFolder });
  return {
    mode: 'namespace',
    binaries,
    dataArgument: dataFolder,
    owner: 0,
    initialOwner: 0,
    spawn: unshared,
    spawnInitial: unshared,
    close: async () => {},
  };
}

async function fromCopy(binaries: Binaries, dataFolder: string): Promise<Runner | undefined> {
  if (process.platform !== 'linux') return undefined;
  const root = await makeTemporaryFolder('hoop-postgres-');
  const close = () => rm(root, { recursive: true, force: true });
  await cp(binaries.root, root, { recursive: true, verbatimSymlinks: true });
  await chmod(root, 0o755);
  const copied = binariesIn(root);
  if (!(await isReachableByAnybody(copied.postgres)) || !(await works(copied.postgres, ['--version'], as(nobody)))) {
    await close();
    return undefined;
  }
  const own = await ownUser();
  return {
    mode: 'copy',
    binaries: copied,
    dataArgument: '/proc/self/cwd',
    owner: own,
    initialOwner: nobody,
    spawn: (program, args, options) => spawn(program, args, { ...options, ...as(own), cwd: dataFolder }),
    spawnInitial: (program, args, options) => spawn(program, args, { ...options, ...as(nobody), cwd: dataFolder }),
    close,
  };
}

/** @param only for tests: consider just this way. */
export async function chooseRunner(binaries: Binaries, dataFolder: string, only?: RunAsMode): Promise<Runner> {
  if (process.getuid?.() !== 0) return direct(binaries, dataFolder);
  for (const [mode, make] of [
    ['user', asUser],
    ['namespace', inNamespace],
    ['copy', fromCopy],
  ] as const) {
    if (only !== undefined && only !== mode) continue;
    const runner = await make(binaries, dataFolder);
    if (runner !== undefined) return runner;
  }
  throw new EmbeddedPostgresError(
    'Postgres does not run as root, and here it can run neither as a user of its own nor in a user namespace: start Hoop as another user, or set DATABASE_URL.',
  );
}

/** Gives the data folder and all in it to `owner`, if it is not its already. */
export async function giveTo(folder: string, owner: number | undefined): Promise<void> {
  if (owner === undefined || (await stat(folder)).uid === owner) return;
  for (const entry of await readdir(folder, { recursive: true })) {
    const file = path.join(folder, entry);
    if (!(await lstat(file)).isSymbolicLink()) await chown(file, owner, owner);
  }
  // Last, so that a run cut short in the middle is finished by the next one.
  await chown(folder, owner, owner);
}
