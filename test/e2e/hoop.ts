/** The `hoop` command as a process, for end-to-end tests: no import of what it is made of. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

import { stuckAfterMs } from '@hoop/testkit';

export const root: string = path.resolve(import.meta.dirname, '../..');

export interface HoopProcess {
  readonly child: ChildProcess;
  /** The output so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the first match in what it prints to either; rejects if it ends without. */
  heard(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code once it has ended and all is printed. */
  readonly ended: Promise<number | null>;
}

const anyPorts = ['--port', '0', '--relay-port', '0', '--proxy-port', '0', '--postgres-port', '0'];

function follow(child: ChildProcess): HoopProcess {
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const note = (): void => {
    for (const wake of waiting) wake();
  };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    note();
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    note();
  });
  let isOver = false;
  const ended = once(child, 'close').then(([code]) => {
    isOver = true;
    note();
    return code as number | null;
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    heard: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(`${stdout}\n${stderr}`);
          if (match === null && !isOver) return;
          waiting.delete(look);
          if (match === null) reject(new Error(`It ended without ${pattern}:\n${stdout}\n${stderr}`));
          else resolve(match);
        };
        waiting.add(look);
        look();
      }),
  };
}

const processes = new Set<HoopProcess>();

/** Runs a program of the repository. */
export function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
  stdin: 'ignore' | 'pipe' = 'ignore',
): HoopProcess {
  const inherited: NodeJS.ProcessEnv = { ...process.env };
  // vitest's own; and a Hoop of the test's must not use what is configured for another.
  for (const name of Object.keys(inherited))
    if (/^(?:HOOP_|VITEST|NODE_OPTIONS|DATABASE_URL$|REDIS_URL$)/.test(name)) delete inherited[name];
  const followed = follow(spawn(program, args, { cwd: root, env: { ...inherited, ...env }, stdio: [stdin, 'pipe', 'pipe'] }));
  processes.add(followed);
  void followed.ended.then(() => processes.delete(followed));
  return followed;
}

/** `hoop …` on the Node that runs the tests. */
export const hoop = (args: readonly string[], env: Record<string, string> = {}, stdin: 'ignore' | 'pipe' = 'ignore'): HoopProcess =>
  run(
    process.execPath,
    ['--conditions=@hoop/source', '--disable-warning=ExperimentalWarning', 'apps/cli/src/main.ts', ...args],
    env,
    stdin,
  );

/** `hoop start` on any free ports. */
export const hoopStart = (folder: string, args: readonly string[] = [], env: Record<string, string> = {}): HoopProcess =>
  hoop(['start', '--data-dir', folder, ...anyPorts, ...args], env);

/** Ends what a failed test left running. */
export async function endAll(): Promise<void> {
  for (const { child, ended } of processes) {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stuckAfterMs);
    await ended;
    clearTimeout(timer);
  }
}

/** The process's children and theirs whose command line contains `text` (Linux). */
export async function descendants(pid: number, text: string): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = /\) \S (\d+)/.exec(stat)?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isUnder = (one: number): boolean => {
    for (let at = parents.get(one); at !== undefined; at = parents.get(at)) if (at === pid) return true;
    return false;
  };
  const found: number[] = [];
  for (const one of parents.keys()) {
    if (!isUnder(one)) continue;
    const command = await readFile(`/proc/${one}/cmdline`, 'utf8').catch(() => '');
    if (command.replaceAll('\0', ' ').includes(text)) found.push(one);
  }
  return found;
}

/** Whether it gets the processor: neither stopped nor ended (Linux). */
export function isScheduled(pid: number): boolean {
  try {
    return !/\) [TtZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** False also for one that has ended and that nobody has asked about yet. */
export function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
