/** Finds the leftovers of an earlier run that was killed: a `postmaster.pid`, and perhaps a server that still runs. */
import { execFile } from 'node:child_process';
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { EmbeddedPostgresError } from './error.ts';

/** A checkpoint on a slow disk takes its time. */
const stopWithinMs = 180_000;

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Is `pid` a Postgres that serves this folder? Process ids are used again, so the number alone says nothing. */
async function servesFolder(pid: number, folder: string): Promise<boolean> {
  if (process.platform === 'linux') {
    try {
      const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')[0] ?? '';
      return path.basename(command) === 'postgres' && (await readlink(`/proc/${pid}/cwd`)) === (await realpath(folder));
    } catch {
      return false;
    }
  }
  const command = await new Promise<string>((resolve) => {
    execFile('ps', ['-o', 'command=', '-p', String(pid)], (_error, stdout) => resolve(stdout ?? ''));
  });
  return command.includes('postgres') && command.includes(folder);
}

/**
 * Stops a server that an earlier run left on this folder and removes its pid file. The caller holds the folder exclusively,
 * so no other process can be using it. Postgres then recovers from the crash on its own.
 */
export async function clearLeftover(folder: string): Promise<'none' | 'file' | 'server'> {
  const file = path.join(folder, 'postmaster.pid');
  let pid: number;
  try {
    pid = Number.parseInt(await readFile(file, 'utf8'), 10);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
    throw error;
  }
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid) || !(await servesFolder(pid, folder))) {
    await rm(file, { force: true });
    return 'file';
  }
  // Fast shutdown (SIGINT); immediate (SIGQUIT) if that hangs. Either leaves a folder that can be started.
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    process.kill(pid, signal);
    for (let waited = 0; waited < stopWithinMs; waited += 20) {
      if (!isAlive(pid)) {
        await rm(file, { force: true });
        return 'server';
      }
      await delay(20);
    }
  }
  throw new EmbeddedPostgresError(
    `A Postgres of an earlier run (process ${pid}) still uses ${folder} and does not stop: end it, then start again.`,
  );
}
