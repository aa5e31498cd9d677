/** An embedded Postgres: real server programs, one data folder, one TCP port on loopback, a password. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdir, readdir, rm, writeFile, chown } from 'node:fs/promises';
import type net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';

import pg from 'pg';

import { findBinaries } from './binaries.ts';
import { EmbeddedPostgresError } from './error.ts';
import { clearLeftover } from './leftover.ts';
import { findPort, tryPort } from './ports.ts';
import { chooseRunner, giveTo, type RunAsMode, type Runner } from './run-as.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

export interface EmbeddedPostgresOptions {
  /** The data folder; made and initialised if it is absent or empty. */
  readonly folder: string;
  /** TCP port on 127.0.0.1; 0: a free one. */
  readonly port: number;
  /** Password of the owner role. It is set when the folder is initialised and must be the same ever after. */
  readonly password: string;
  /** Owner role, a superuser. @default "hoop" */
  readonly user?: string;
  /** Database that is made if it is absent. @default "hoop" */
  readonly database?: string;
  /** Receives each line of the server's log. */
  readonly onLog?: (line: string) => void;
  /** Called when the server ends although nobody stopped it. */
  readonly onExit?: (sentence: string) => void;
  /** For throw-away databases of tests: a crash of the machine may lose or corrupt data. @default false */
  readonly unsafeNoFsync?: boolean;
  /** Further settings, as for `postgres -c`. Leave `log_min_messages` at `log` or below: readiness is read from the log. */
  readonly settings?: Readonly<Record<string, string>>;
  /** For tests: of the ways to run as root, only this. */
  readonly runAs?: RunAsMode;
}

export interface EmbeddedPostgres {
  /** Connection URL of the owner role. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly mode: RunAsMode;
  /** The leftover of an earlier run that did not stop cleanly. */
  readonly leftover: 'none' | 'file' | 'server';
  /** Fast shutdown: open transactions are rolled back, what is committed is on disk. */
  stop(): Promise<void>;
}

/**
 * Postgres logs a line at least every ten seconds while it recovers (`log_startup_progress_interval`), however long that takes.
 * One that says nothing for so long hangs.
 */
const silentForMs = 300_000;

export async function startPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { user = 'hoop', database = 'hoop', password } = options;
  const folder = path.resolve(options.folder);
  await makeFolder(folder);
  const port = options.port === 0 ? await findPort('127.0.0.1') : options.port;
  await checkPort(port);
  const leftover = await clearLeftover(folder);
  const runner = await chooseRunner(await findBinaries(), folder, options.runAs);
  try {
    if ((await readdir(folder)).length === 0) {
      await giveTo(folder, runner.initialOwner);
      await initialise(runner, { folder, user, password, noSync: options.unsafeNoFsync === true });
    }
    await giveTo(folder, runner.owner);
    const server = await launch(runner, { ...options, folder, port });
    try {
      await ensureDatabase({ port, user, password, database });
    } catch (error) {
      await server.stop();
      throw error;
    }
    return {
      url: `postgresql://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`,
      port,
      pid: server.pid,
      mode: runner.mode,
      leftover,
      stop: async () => {
        await server.stop();
        await runner.close();
      },
    };
  } catch (error) {
    await runner.close();
    throw error;
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new EmbeddedPostgresError(`The data folder ${folder} cannot be written (${(error as NodeJS.ErrnoException).code}).`, {
      cause: error,
    });
  }
}

/** Fails with a sentence if something else listens there. */
async function checkPort(port: number): Promise<void> {
  const failure = await tryPort(port, '127.0.0.1');
  if (failure === undefined) return;
  const { code } = failure;
  throw new EmbeddedPostgresError(
    code === 'EADDRINUSE' ? `Port ${port} is already in use on 127.0.0.1.` : `Port ${port} cannot be used on 127.0.0.1 (${code}).`,
    { cause: failure },
  );
}

interface Cluster {
  readonly folder: string;
  readonly user: string;
  readonly password: string;
  readonly noSync: boolean;
}

async function initialise(runner: Runner, { folder, user, password, noSync }: Cluster): Promise<void> {
  const scratch = await makeTemporaryFolder('hoop-initdb-');
  try {
    const passwordFile = path.join(scratch, 'password');
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (runner.initialOwner !== undefined) {
      await chown(passwordFile, runner.initialOwner, runner.initialOwner);
      await chown(scratch, runner.initialOwner, runner.initialOwner);
    }
    const child = runner.spawnInitial(
      runner.binaries.initdb,
      [
        `--pgdata=${runner.dataArgument}`,
        `--username=${user}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
        '--lc-messages=C',
        '--data-checksums',
        ...(noSync ? ['--no-sync'] : []),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: serverEnvironment() },
    );
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) {
      // A folder that is half made would be taken for a database by the next start.
      for (const entry of await readdir(folder)) await rm(path.join(folder, entry), { recursive: true, force: true });
      throw new EmbeddedPostgresError(
        `The database could not be created in ${folder}: ${initdbReason(output) ?? `initdb ended with ${code}`}`,
      );
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** initdb's last lines say that it cleans up; the reason comes before. */
function initdbReason(output: string): string | undefined {
  const lines = output.trim().split('\n');
  return lines.find((line) => /error:|FATAL:|PANIC:|ERROR:/.test(line)) ?? lines.findLast((line) => line !== '');
}

/** Postgres takes settings from PG* variables; ours come from us alone. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { LC_ALL: 'C', TZ: 'UTC' };
  if (process.env['PATH'] !== undefined) env['PATH'] = process.env['PATH'];
  return env;
}

interface Server {
  readonly pid: number;
  stop(): Promise<void>;
}

async function launch(runner: Runner, options: EmbeddedPostgresOptions): Promise<Server> {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    logging_collector: 'off',
    log_destination: 'stderr',
    timezone: 'UTC',
    max_connections: '200',
    ...(options.unsafeNoFsync === true ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
    ...options.settings,
  };
  const args = [
    '-D',
    runner.dataArgument,
    '-p',
    String(options.port),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  // Its own process group: a Ctrl-C in the terminal must reach us alone, so that we stop things in order.
  const child = runner.spawn(runner.binaries.postgres, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: serverEnvironment(),
    detached: true,
  });
  let isStopping = false;
  const ended = once(child, 'exit');
  await readiness(child, options);
  const pid = child.pid!;
  const watcher = watchUs(pid);
  const exited = ended.then(async () => {
    await watcher?.end();
    if (!isStopping) options.onExit?.(`Postgres ended unexpectedly (${child.signalCode ?? `exit ${child.exitCode}`}).`);
  });
  return {
    pid,
    stop: async () => {
      isStopping = true;
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await exited;
    },
  };
}

async function readiness(child: ChildProcess, options: EmbeddedPostgresOptions): Promise<void> {
  const lines = createInterface({ input: child.stderr! });
  const said: string[] = [];
  let settle: ((error?: Error) => void) | undefined;
  const ready = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error));
  });
  const timer = setTimeout(() => {
    child.kill('SIGQUIT');
    settle?.(
      new EmbeddedPostgresError(
        `Postgres printed nothing for ${silentForMs / 1000} seconds while starting, and was stopped: ${reasonIn(said)}`,
      ),
    );
  }, silentForMs);
  lines.on('line', (line) => {
    timer.refresh();
    options.onLog?.(line);
    said.push(line);
    if (said.length > 100) said.shift();
    if (line.includes('database system is ready to accept connections')) settle?.();
  });
  child.once('error', (error) => settle?.(new EmbeddedPostgresError(`Postgres could not be started: ${error.message}`, { cause: error })));
  child.once('close', () => settle?.(new EmbeddedPostgresError(`Postgres did not start: ${reasonIn(said)}`)));
  try {
    await ready;
  } finally {
    clearTimeout(timer);
  }
}

function reasonIn(lines: readonly string[]): string {
  const line = lines.findLast((one) => /(?:FATAL|PANIC|ERROR):/.test(one)) ?? lines.at(-1) ?? 'it said nothing.';
  return line.replace(/^.*?(?:FATAL|PANIC|ERROR):\s*/, '');
}

/**
 * A shell that waits for the end of a pipe that only we hold. If we are killed without a chance to clean up, the pipe
 * ends and the shell stops Postgres. (If the shell is killed too, the next start finds and stops the server.)
 */
function watchUs(pid: number): { end(): Promise<void> } | undefined {
  if (process.platform === 'win32') return undefined;
  const watcher = spawn('/bin/sh', ['-c', `read -r _; kill -INT ${pid}`], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  const gone = new Promise<void>((resolve) => {
    watcher.once('exit', () => resolve());
    watcher.once('error', () => resolve());
  });
  watcher.unref();
  (watcher.stdin as net.Socket | null)?.unref();
  return {
    end: () => {
      watcher.ref();
      watcher.kill('SIGKILL');
      return gone;
    },
  };
}

async function ensureDatabase({
  port,
  user,
  password,
  database,
}: {
  port: number;
  user: string;
  password: string;
  database: string;
}): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
  // Where the connection drops, the statement under way is rejected.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  } catch (error) {
    if ((error as { code?: string }).code === '28P01') {
      throw new EmbeddedPostgresError(
        'The password of the embedded Postgres does not fit this data folder: its key file was replaced or lost.',
        { cause: error },
      );
    }
    throw error;
  } finally {
    await client.end();
  }
}
