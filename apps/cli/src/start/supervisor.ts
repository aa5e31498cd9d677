/** A child process of ours: started, known to listen, started again when it dies, stopped in good order. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { StartError } from '../start-error.ts';
import { childEnvironment } from '../environment.ts';
import { readReason } from './log-reason.ts';

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
  /** Longest that one step of its start may take before it counts as stuck. @default 300000 */
  readonly stuckAfterMs?: number;
  /** Between two sentences about a start that takes its time. @default 15000 */
  readonly tellEveryMs?: number;
}

export interface SupervisedChild {
  readonly name: string;
  /** The address on which it listens, as it reported; empty if it does not listen. */
  readonly url: string;
  readonly pid: number | undefined;
  /** SIGTERM, then SIGKILL when its time is over. Resolves once it is gone. */
  stop(): Promise<void>;
  /** SIGKILL at once. */
  kill(): void;
}

/**
 * Nothing limits a start as a whole: a loaded machine is slow, and no less right. A step of it that takes so long is one
 * that does not end.
 */
const stuckAfterMs = 300_000;
const tellEveryMs = 15_000;
const firstDelayMs = 200;
const lastDelayMs = 10_000;
/** One that lived so long starts again without a delay that has grown. */
const healthyAfterMs = 30_000;

const guard = fileURLToPath(new URL('./child-guard.ts', import.meta.url));

/** Where Node keeps what it made of the sources; it does without if it cannot write there. */
const compileCache = fileURLToPath(new URL('../../../../node_modules/.cache/hoop-compile', import.meta.url));

export const nodeArguments: readonly string[] = ['--conditions=@hoop/source', '--disable-warning=ExperimentalWarning'];

interface Launched {
  readonly child: ChildProcess;
  /** Bytes of the log that are of earlier starts. */
  readonly logFrom: number;
}

function launch(spec: ChildSpec): Launched {
  const log = openSync(spec.logFile, 'a', 0o600);
  try {
    const child = spawn(
      process.execPath,
      [...nodeArguments, ...(spec.nodeFlags ?? []), `--import=${guard}`, spec.main, ...(spec.args ?? [])],
      {
        env: { ...childEnvironment(), NODE_COMPILE_CACHE: compileCache, ...spec.env() },
        stdio: ['ignore', log, log, 'ipc'],
        // Its own process group: a Ctrl-C in the terminal must reach us alone, so that we stop things in order.
        detached: true,
      },
    );
    return { child, logFrom: fstatSync(log).size };
  } finally {
    closeSync(log);
  }
}

/** Messages of a child: the step that it begins, why it fails, or that it listens. */
interface ChildMessage {
  readonly event?: unknown;
  readonly step?: unknown;
  readonly message?: unknown;
  readonly url?: unknown;
}

/**
 * Resolves with the URL that the child says it listens on; rejects with the reason why it ended. Waits for as long as the
 * child goes from step to step, and says every now and then where it is.
 */
async function listening({ child, logFrom }: Launched, spec: ChildSpec, say: (sentence: string) => void): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const startedAt = performance.now();
  let step = 'loading its program';
  let reason = '';
  const seconds = (): number => Math.round((performance.now() - startedAt) / 1000);
  let hasFailed = false;
  /** The first reason stands: a child that was ended because it was stuck also exits. */
  const fail = async (sentence: string): Promise<void> => {
    if (hasFailed) return;
    hasFailed = true;
    const found = reason || (await readReason(spec.logFile, logFrom));
    reject(new StartError(`The ${spec.name} ${sentence}${found === '' ? '.' : `: ${found}`}`));
  };
  const stuck = setTimeout(() => {
    child.kill('SIGKILL');
    void fail(`was stuck at ${step} and was ended after ${seconds()} seconds`);
  }, spec.stuckAfterMs ?? stuckAfterMs);
  const telling = setInterval(() => {
    say(`Still starting the ${spec.name} (${seconds()} s): ${step}.`);
  }, spec.tellEveryMs ?? tellEveryMs);
  child.on('message', (message) => {
    const { event, step: begun, message: why, url } = message as ChildMessage;
    if (event === 'listening') resolve(typeof url === 'string' ? url : '');
    if (event === 'failed' && typeof why === 'string') reason = why;
    if (event !== 'starting' || typeof begun !== 'string' || begun === step) return;
    step = begun;
    stuck.refresh();
  });
  child.once('error', (error) => void fail(`could not be started (${error.message})`));
  child.once('exit', (code, signal) => void fail(`ended as it started (${signal ?? `exit ${code}`}) while it was ${step}`));
  try {
    return await promise;
  } finally {
    clearTimeout(stuck);
    clearInterval(telling);
  }
}

/**
 * Starts the child and resolves once it listens. A child that ends before that is an error; one that ends later is
 * started again, with a delay that doubles.
 */
export async function supervise(spec: ChildSpec, say: (sentence: string) => void): Promise<SupervisedChild> {
  let launched = launch(spec);
  let { child } = launched;
  let isStopping = false;
  let delayMs = firstDelayMs;
  let timer: NodeJS.Timeout | undefined;
  const url = await listening(launched, spec, say);
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
    launched = launch(spec);
    ({ child } = launched);
    watch(Date.now());
    listening(launched, spec, say).then(
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
