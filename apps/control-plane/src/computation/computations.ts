/**
 * Runs tasks in worker threads, each with a deadline after which its thread is ended. A caller has one task under way at a
 * time and a few waiting, and callers take turns, so that no caller's requests delay another's for long.
 */
import { MessageChannel } from 'node:worker_threads';

import { AppError } from '@hoop/contract';
import { Piscina } from 'piscina';

import type { TaskInput, TaskName, TaskOutput } from './tasks.ts';
import type { Answer } from './worker.ts';

export interface Computations {
  /**
   * @param caller who asks: the id of an actor
   * @param options.deadlineMs from when the task begins. @default 5000
   * @throws AppError `too_costly` at the deadline, `unavailable` where too many tasks wait, and what the task refuses
   */
  run<N extends TaskName>(caller: string, name: N, input: TaskInput<N>, options?: { readonly deadlineMs?: number }): Promise<TaskOutput<N>>;
  close(): Promise<void>;
}

const threads = 2;
const defaultDeadlineMs = 5000;
const maxWaitingOfCaller = 32;
const maxWaiting = 128;
const maxHeapMb = 512;
/** Threads get none of the flags that the process has from NODE_OPTIONS; from the sources they need this one. */
const threadArguments = import.meta.url.endsWith('.ts') ? ['--conditions=@hoop/source', '--disable-warning=ExperimentalWarning'] : [];

export interface ComputationsOptions {
  /** @default 5000 */
  readonly deadlineMs?: number;
  /** Tasks of one caller that may wait. @default 32 */
  readonly maxWaitingOfCaller?: number;
  /** Told of a thread that failed outside of a task. */
  readonly onError?: (error: unknown) => void;
}

export function createComputations(options: ComputationsOptions = {}): Computations {
  const turns = createTurns(options.maxWaitingOfCaller ?? maxWaitingOfCaller);
  let pool: Piscina | undefined;
  const underWay = new Set<(error: unknown) => void>();
  const started = (): Piscina => (pool ??= start());
  const start = (): Piscina => {
    const made = new Piscina({
      filename: new URL('./worker.ts', import.meta.url).href,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: 60_000,
      // A task carries all of its input.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
      execArgv: threadArguments,
    });
    // A thread that cannot start fails the tasks under way, and neither the process nor those who wait.
    made.on('error', (error: unknown) => {
      options.onError?.(error);
      for (const fail of underWay) fail(error);
    });
    return made;
  };
  return {
    async run(caller, name, input, { deadlineMs = options.deadlineMs ?? defaultDeadlineMs } = {}) {
      await turns.take(caller);
      const deadline = new AbortController();
      const broken = Promise.withResolvers<never>();
      underWay.add(broken.reject);
      let timer: NodeJS.Timeout | undefined;
      // Starting a thread takes time that does not count as computation.
      const { port1: begun, port2: tell } = new MessageChannel();
      begun.once('message', () => (timer = setTimeout(() => deadline.abort(), deadlineMs)));
      begun.unref();
      try {
        if (deadlineMs <= 0) deadline.abort();
        // The type of the list is that of browsers.
        const transferList = [tell] as never;
        const running = started().run({ name, input, begun: tell }, { signal: deadline.signal, transferList });
        const answer = (await Promise.race([running, broken.promise])) as Answer;
        if ('refusal' in answer) throw new AppError(answer.refusal.code, answer.refusal.detail, { extras: answer.refusal.extras });
        return answer.value as never;
      } catch (error) {
        if (error instanceof AppError) throw error;
        if (!deadline.signal.aborted && (error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
        const limit = deadline.signal.aborted ? `${deadlineMs} ms` : `${maxHeapMb} MiB`;
        throw new AppError('too_costly', `This took more than ${limit} and was stopped: send less, or simpler patterns and conditions.`, {
          cause: error,
        });
      } finally {
        clearTimeout(timer);
        underWay.delete(broken.reject);
        begun.close();
        turns.give(caller);
      }
    },
    close: async () => pool?.destroy(),
  };
}

/** As many turns at a time as there are threads, one of each caller at most; the longest-waiting caller is next. */
function createTurns(maxOwn: number) {
  const busy = new Set<string>();
  const waiting: { readonly caller: string; readonly begin: () => void }[] = [];
  const next = (): void => {
    while (busy.size < threads) {
      const at = waiting.findIndex(({ caller }) => !busy.has(caller));
      if (at < 0) return;
      const [one] = waiting.splice(at, 1);
      busy.add(one!.caller);
      one!.begin();
    }
  };
  return {
    take(caller: string): Promise<void> {
      const own = waiting.filter((one) => one.caller === caller).length;
      if (waiting.length >= maxWaiting || own >= maxOwn) {
        throw new AppError('unavailable', 'Too many computations of this kind wait. Try again when some have finished.', {
          headers: { 'retry-after': '2' },
        });
      }
      return new Promise((begin) => {
        waiting.push({ caller, begin });
        next();
      });
    },
    give(caller: string): void {
      busy.delete(caller);
      next();
    },
  };
}
