/** A process of the product that can be killed with -9 at any moment, and comes back when it is told to. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Part {
  readonly name: string;
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
  /** Starts it again. Does not wait until it is ready. */
  start(): void;
  /** Resolves once it can work; rejects where that takes too long. */
  ready(): Promise<void>;
  /** In good order; resolves to the exit code, null where a signal ended it. */
  stop(): Promise<number | null>;
}

const readyWithinMs = 60_000;
const againAfterMs = 150;
const appMain = (app: string): string => fileURLToPath(new URL(`../../apps/${app}/src/main.ts`, import.meta.url));
/** Ends the process when we are gone. */
const guard = fileURLToPath(new URL('../../apps/cli/src/start/child-guard.ts', import.meta.url));
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/hoop-compile', import.meta.url));

export interface AppPart extends Part {
  readonly pid: () => number;
}

/** `apps/<app>/src/main.ts` with exactly this environment. One that ends by itself is started again, as a supervisor does. */
export function startApp(app: string, name: string, env: Record<string, string>, logFile: string): AppPart {
  let child: ChildProcess;
  let isWanted = false;
  let listening = Promise.withResolvers<void>();
  let isListening = false;

  function launch(): void {
    const log = openSync(logFile, 'a', 0o600);
    try {
      child = spawn(
        process.execPath,
        ['--conditions=@hoop/source', '--disable-warning=ExperimentalWarning', `--import=${guard}`, appMain(app)],
        {
          env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: compileCache, ...env },
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
      listening.resolve();
    });
    own.once('exit', () => {
      if (isListening) listening = Promise.withResolvers();
      isListening = false;
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
    ready: () =>
      within(
        readyWithinMs,
        listening.promise,
        () => `The ${name} (process ${child.pid}, exit ${child.exitCode ?? child.signalCode}) was not ready in time: ${lastLines(logFile)}`,
      ),
    async stop() {
      isWanted = false;
      child.kill('SIGTERM');
      await gone();
      return child.exitCode;
    },
  };
}

async function within<T>(ms: number, work: Promise<T>, complaint: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(complaint())), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const lastLines = (file: string): string => readFileSync(file, 'utf8').trim().split('\n').slice(-10).join('\n');
