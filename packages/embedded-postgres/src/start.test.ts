import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { EmbeddedPostgresError, startPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './index.ts';
import { isAlive } from './leftover.ts';
import type { RunAsMode } from './run-as.ts';

const isRoot = process.getuid?.() === 0;

let scratch: string;
const running: EmbeddedPostgres[] = [];

beforeEach(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-embedded-test-'));
  await chmod(scratch, 0o755);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
  await rm(scratch, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startPostgres({
    folder: path.join(scratch, 'data'),
    port: 0,
    password: 'a p@ss/word',
    unsafeNoFsync: true,
    ...options,
  });
  running.push(server);
  return server;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows as unknown[];
  } finally {
    await client.end();
  }
}

const stop = async (server: EmbeddedPostgres): Promise<void> => {
  running.splice(running.indexOf(server), 1);
  await server.stop();
};

describe('an embedded Postgres', () => {
  test('starts on an absent folder, keeps its data over a stop and start, and syncs to disk unless told otherwise', async () => {
    const first = await start({ unsafeNoFsync: false });
    await query(first.url, 'create table kept (n int); insert into kept values (7)');
    expect(await query(first.url, "select current_setting('fsync') as fsync, current_setting('data_checksums') as sums")).toEqual([
      { fsync: 'on', sums: 'on' },
    ]);
    await stop(first);
    expect(isAlive(first.pid)).toBe(false);
    const second = await start({ unsafeNoFsync: false });
    expect(second.leftover).toBe('none');
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  test('listens on loopback alone and asks for the password', async () => {
    const server = await start();
    await expect(query(server.url.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toThrow(/password authentication failed/);
    expect(
      await query(server.url, "select current_setting('listen_addresses') as a, current_setting('unix_socket_directories') as s"),
    ).toEqual([{ a: '127.0.0.1', s: '' }]);
  });

  test('says in one sentence that the port is taken', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as net.AddressInfo;
    const failure = await start({ port }).catch((error: unknown) => error);
    holder.close();
    expect(failure).toBeInstanceOf(EmbeddedPostgresError);
    expect((failure as Error).message).toBe(`Port ${port} is already in use on 127.0.0.1.`);
  });

  test('says in one sentence that the folder cannot be made', async () => {
    await writeFile(path.join(scratch, 'file'), '');
    await expect(start({ folder: path.join(scratch, 'file', 'data') })).rejects.toThrow(/cannot be written \(ENOTDIR\)\.$/);
  });

  test('says that the password does not fit an existing folder', async () => {
    await stop(await start());
    await expect(start({ password: 'another' })).rejects.toThrow(/password of the embedded Postgres does not fit/);
  });

  test('removes a pid file whose process is gone or is something else', async () => {
    await stop(await start());
    // Our own process: alive, and no Postgres.
    await writeFile(path.join(scratch, 'data', 'postmaster.pid'), `${process.pid}\n${path.join(scratch, 'data')}\n`);
    const server = await start();
    expect(server.leftover).toBe('file');
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('recovers what was committed before the server was killed', async () => {
    let sentence = '';
    let tell = (): void => {};
    const died = new Promise<void>((resolve) => (tell = resolve));
    const server = await start({
      unsafeNoFsync: false,
      onExit: (said) => {
        sentence = said;
        tell();
      },
    });
    await query(server.url, 'create table kept (n int); insert into kept select generate_series(1, 1000)');
    process.kill(server.pid, 'SIGKILL');
    await died;
    expect(sentence).toBe('Postgres ended unexpectedly (SIGKILL).');
    await stop(server);
    const again = await start({ unsafeNoFsync: false });
    expect(await query(again.url, 'select count(*)::int as n from kept')).toEqual([{ n: 1000 }]);
  });

  test('stops soon after the process that started it was killed, and the next start takes the folder over', async () => {
    const folder = path.join(scratch, 'data');
    const program = `import { startPostgres } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
      const server = await startPostgres({ folder: ${JSON.stringify(folder)}, port: 0, password: 'a p@ss/word', unsafeNoFsync: true });
      console.log(server.pid); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--conditions=@hoop/source', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const orphan = Number(line);
    expect(isAlive(orphan)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const server = await start();
    expect(server.pid).not.toBe(orphan);
    // It removes its pid file a moment before it is gone.
    await expect.poll(() => isAlive(orphan)).toBe(false);
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('takes over a server whose starter and watcher were both killed', async () => {
    const server = await start();
    const pidFile = path.join(scratch, 'data', 'postmaster.pid');
    expect(Number.parseInt(await readFile(pidFile, 'utf8'), 10)).toBe(server.pid);
    const next = await start();
    expect(next.leftover).toBe('server');
    expect(isAlive(server.pid)).toBe(false);
  });
});

async function withTemporaryFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}

test('makes its database although TMPDIR names a folder that is not there', () =>
  withTemporaryFolder(path.join(scratch, 'nowhere'), async () => {
    expect(await query((await start()).url, 'select 1 as one')).toEqual([{ one: 1 }]);
  }));

describe.runIf(isRoot)('as root, an embedded Postgres', () => {
  const startedAs = async (mode: RunAsMode, folder: string): Promise<EmbeddedPostgres> => {
    const server = await start({ folder, runAs: mode });
    expect(server.mode).toBe(mode);
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    return server;
  };

  test.each(['user', 'copy'] as const)('runs as a user that nobody else is, without the rights of root (%s)', async (mode) => {
    // As `user` needs the programs to be where anybody can get to them.
    const folder = path.join(scratch, 'data');
    const server = await start({ folder, runAs: mode }).catch((error: Error) => {
      if (mode === 'copy' || !/neither as a user of its own/.test(error.message)) throw error;
    });
    if (server === undefined) return;
    const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
    const uid = Number(/^Uid:\t(\d+)\t\1\t\1\t\1$/m.exec(status)?.[1]);
    expect(uid).toBeGreaterThanOrEqual(61_070);
    expect(uid).toBeLessThan(61_184);
    expect(status).toMatch(new RegExp(`^Gid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect((await readFile('/etc/passwd', 'utf8')).split('\n').filter((line) => line.split(':')[2] === String(uid))).toEqual([]);
    // Nothing of the data is left to the user that ran initdb.
    for (const name of [folder, ...(await readdir(folder, { recursive: true })).map((one) => path.join(folder, one))])
      expect((await lstat(name)).uid, name).toBe(uid);
  });

  test('takes over data that an earlier version kept as nobody', async () => {
    const folder = path.join(scratch, 'data');
    await stop(await start({ folder, runAs: 'copy' }));
    for (const name of [folder, ...(await readdir(folder, { recursive: true })).map((one) => path.join(folder, one))])
      await chown(name, 65_534, 65_534);
    const server = await start({ folder, runAs: 'copy' });
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect((await stat(path.join(folder, 'PG_VERSION'))).uid).not.toBe(65_534);
  });

  for (const mode of ['namespace', 'copy'] as const) {
    test(`works under a folder of mode 0700 (${mode})`, async () => {
      const closed = path.join(scratch, 'closed');
      await mkdir(closed, { mode: 0o700 });
      const server = await startedAs(mode, path.join(closed, 'data'));
      expect((await stat(path.join(closed, 'data'))).mode & 0o777).toBe(0o700);
      await stop(server);
    });
  }

  test('goes from one way to another on the same data, and removes the programs it copied', async () => {
    const folder = path.join(scratch, 'data');
    // A folder of its own: others on this machine copy programs too.
    const temporary = path.join(scratch, 'temporary');
    await mkdir(temporary);
    await withTemporaryFolder(temporary, async () => {
      await stop(await startedAs('copy', folder));
      await stop(await startedAs('namespace', folder));
      const last = await startedAs('copy', folder);
      expect(await readdir(temporary)).toHaveLength(1);
      await stop(last);
      expect(await readdir(temporary)).toEqual([]);
    });
  });

  test('does not try to run as a user that cannot get to the data', async () => {
    const closed = path.join(scratch, 'closed');
    await mkdir(closed, { mode: 0o700 });
    await expect(start({ folder: path.join(closed, 'data'), runAs: 'user' })).rejects.toThrow(
      /neither as a user of its own nor in a user namespace/,
    );
  });
});
