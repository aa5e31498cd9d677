/** A child process of ours: started, known to listen, started again when it dies, stopped in good order. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { StartError } from '../start-error.ts';
import { childEnvironment } from '../environment.ts';

export interface ChildSpec {
  readonly name: string;
  /** Path of the program. */
  readonly main: string;
  readonly args?: readonly string[];
  /** Further flags of Node. */
  readonly nodeFlags?: readonly string[];
  /** All the environment that it gets, asked for at each start. */
  readonly env: () => Record<string, string>;
  /** Receives its output; appended to. */
  readonly logFile: string;
  /** How long it may drain before it is killed. @default 30000 */
  readonly stopWithinMs?: number;
}

export interface SupervisedChild {
  readonly name: string;
  /** Where it said it listens; empty if it listens nowhere. */
  readonly url: string;
  readonly pid: number | undefined;
  /** SIGTERM, then SIGKILL when its time is over. Resolves once it is gone. */
  stop(): Promise<void>;
  /** SIGKILL at once. */
  kill(): void;
}

const listenWithinMs = 60_000;
const firstDelayMs = 200;
const lastDelayMs = 10_000;
/** One that lived so long starts again without a delay that has grown. */
const healthyAfterMs = 30_000;

const guard = fileURLToPath(new URL('./child-guard.ts', import.meta.url));

/** Where Node keeps what it made of the sources; it does without if it cannot write there. */
const compileCache = fileURLToPath(new URL('../../../../node_modules/.cache/hoop-compile', import.meta.url));

export const nodeArguments: readonly string[] = ['--conditions=@hoop/source', '--disable-warning=ExperimentalWarning'];

function launch(spec: ChildSpec): ChildProcess {
  const log = openSync(spec.logFile, 'a', 0o600);
  try {
    return spawn(process.execPath, [...nodeArguments, ...(spec.nodeFlags ?? []), `--import=${guard}`, spec.main, ...(spec.args ?? [])], {
      env: { ...childEnvironment(), NODE_COMPILE_CACHE: compileCache, ...spec.env() },
      stdio: ['ignore', log, log, 'ipc'],
      // Its own process group: a Ctrl-C in the terminal must reach us alone, so that we stop things in order.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

/** Resolves with the URL that the child says it listens on; rejects with why it ended. */
function listening(child: ChildProcess, spec: ChildSpec): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      clearTimeout(timer);
      void lastWords(spec.logFile).then((words) => reject(new StartError(`The ${spec.name} ${what}${words === '' ? '.' : `: ${words}`}`)));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready within ${listenWithinMs / 1000} seconds`);
    }, listenWithinMs);
    child.on('message', (message) => {
      const { event, url } = message as { event?: unknown; url?: unknown };
      if (event !== 'listening') return;
      clearTimeout(timer);
      resolve(typeof url === 'string' ? url : '');
    });
    child.once('error', (error) => fail(`could not be started (${error.message})`));
    child.once('exit', (code, signal) => fail(`ended as it started (${signal ?? `exit ${code}`})`));
  });
}

/** The last thing of note in a log, on one line. */
async function lastWords(logFile: string): Promise<string> {
  const handle = await open(logFile, 'r').catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 8192);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
    const telling = lines.findLast((line) => /error|"level":[56]0/i.test(line)) ?? lines.at(-1) ?? '';
    if (!telling.startsWith('{')) return telling.trim();
    const { msg, err } = JSON.parse(telling) as { msg?: string; err?: { message?: string } };
    return err?.message ?? msg ?? telling;
  } catch {
    return `see ${logFile}`;
  } finally {
    await handle.close();
  }
}

/**
 * Starts the child and resolves once it listens. A child that ends before that is an error; one that ends later is
 * started again, with a delay that doubles.
 */
export async function supervise(spec: ChildSpec, say: (sentence: string) => void): Promise<SupervisedChild> {
  let child = launch(spec);
  let isStopping = false;
  let delayMs = firstDelayMs;
  let timer: NodeJS.Timeout | undefined;
  const url = await listening(child, spec);
  watch(Date.now());

  function watch(since: number): void {
    child.once('exit', (code, signal) => {
      if (isStopping) return;
      if (Date.now() - since >= healthyAfterMs) delayMs = firstDelayMs;
      say(`The ${spec.name} ended (${signal ?? `exit ${code}`}); it starts again in ${delayMs / 1000} s. Its log: ${spec.logFile}`);
      timer = setTimeout(restart, delayMs);
      delayMs = Math.min(delayMs * 2, lastDelayMs);
    });
  }

  function restart(): void {
    child = launch(spec);
    watch(Date.now());
    listening(child, spec).then(
      () => say(`The ${spec.name} is back.`),
      (error: Error) => say(error.message),
    );
  }

  return {
    name: spec.name,
    url,
    get pid() {
      return child.pid;
    },
    stop: async () => {
      isStopping = true;
      clearTimeout(timer);
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const deadline = setTimeout(() => {
        say(`The ${spec.name} did not stop in time and is killed.`);
        child.kill('SIGKILL');
      }, spec.stopWithinMs ?? 30_000);
      await gone;
      clearTimeout(deadline);
    },
    kill: () => {
      isStopping = true;
      clearTimeout(timer);
      child.kill('SIGKILL');
    },
  };
}
