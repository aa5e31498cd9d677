/** A process of the product that can be killed with -9 at any moment and started again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { bareEnvironment, progressUntil, signalIfPresent } from '@hoop/testkit';

export interface Part {
  readonly name: string;
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
  /** Starts it again. Does not wait until it is ready. */
  start(): void;
  /** Resolves once it can work; rejects where it makes no progress, or ends again and again without getting there. */
  ready(): Promise<void>;
  /** In good order; resolves to the exit code, null where a signal ended it. */
  stop(): Promise<number | null>;
}

const mostEnds = 200;
const againAfterMs = 150;
const appMain = (app: string): string => fileURLToPath(new URL(`../../apps/${app}/src/main.ts`, import.meta.url));
/** Ends the process when we are gone. */
const guard = fileURLToPath(new URL('../../apps/cli/src/start/child-guard.ts', import.meta.url));

export interface AppPart extends Part {
  readonly pid: () => number;
}

/** `apps/<app>/src/main.ts` with exactly this environment. A process that exits on its own is started again, as a supervisor does. */
export function startApp(app: string, name: string, env: Record<string, string>, logFile: string, args: readonly string[] = []): AppPart {
  let child: ChildProcess;
  let isWanted = false;
  let ends = 0;
  let isListening = false;

  function launch(): void {
    const log = openSync(logFile, 'a', 0o600);
    try {
      child = spawn(
        process.execPath,
        ['--conditions=@hoop/source', '--disable-warning=ExperimentalWarning', `--import=${guard}`, appMain(app), ...args],
        {
          env: { ...bareEnvironment(), ...env },
          stdio: ['ignore', log, log, 'ipc'],
        },
      );
    } finally {
      closeSync(log);
    }
    const own = child;
    own.on('message', (message) => {
      if ((message as { event?: string }).event !== 'listening') return;
      isListening = true;
      ends = 0;
    });
    own.once('exit', () => {
      isListening = false;
      ends++;
      if (isWanted && own === child) setTimeout(() => isWanted && own === child && launch(), againAfterMs);
    });
  }

  const gone = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  const start = (): void => {
    if (isWanted) return;
    isWanted = true;
    launch();
  };
  start();
  return {
    name,
    start,
    pid: () => child.pid!,
    async kill() {
      isWanted = false;
      child.kill('SIGKILL');
      await gone();
    },
    async ready() {
      const look = (): { ends: number; logBytes: number; isListening: boolean } => ({
        ends,
        logBytes: statSync(logFile).size,
        isListening,
      });
      await progressUntil(`starting the ${name}`, look, (seen) => seen.isListening || seen.ends >= mostEnds, { everyMs: 5 }).catch(
        (error: Error) => {
          throw new Error(`${error.message}: ${lastLines(logFile)}`);
        },
      );
      if (!isListening) throw new Error(`The ${name} ended ${ends} times before it was ready: ${lastLines(logFile)}`);
    },
    async stop() {
      isWanted = false;
      child.kill('SIGTERM');
      await gone();
      return child.exitCode;
    },
  };
}

const lastLines = (file: string): string => readFileSync(file, 'utf8').trim().split('\n').slice(-10).join('\n');

/** The process that `parent` starts and keeps running beside itself. */
export function childPart(name: string, parent: AppPart): Part {
  const children = (): number[] => {
    try {
      const pid = parent.pid();
      return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    } catch {
      // The parent is gone as well.
      return [];
    }
  };
  return {
    name,
    kill: () => {
      for (const pid of children()) signalIfPresent(pid, 'SIGKILL');
      return Promise.resolve();
    },
    start: () => undefined,
    ready: () => parent.ready(),
    stop: () => parent.stop(),
  };
}
