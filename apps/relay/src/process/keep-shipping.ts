/** The process that ships the journals, beside the relay's: started again when it dies. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

import type { Logger } from 'pino';

import { forkArguments } from './node-flags.ts';

const backoffFirstMs = 100;
const backoffMostMs = 10_000;
/** A process that lived so long did not die of its start. */
const steadyMs = 30_000;

/** Returns what stops it, once no relay of this process writes any more; it ships the rest first, within its limit. */
export function keepShipping(log: Logger): () => Promise<void> {
  let child: ChildProcess | null = null;
  let isStopping = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  const start = (): void => {
    const startedAt = performance.now();
    const started = fork(process.argv[1]!, ['ship'], { execArgv: forkArguments(), stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child = started;
    started.once('exit', (code, signal) => {
      child = null;
      if (isStopping) return;
      failures = performance.now() - startedAt > steadyMs ? 1 : failures + 1;
      const delayMs = Math.min(backoffFirstMs * 2 ** (failures - 1), backoffMostMs);
      log.error({ event: 'shipper_died', pid: started.pid, code, signal, delayMs }, 'the shipper died and is started again');
      timer = setTimeout(start, delayMs);
    });
  };
  start();

  return () =>
    new Promise((resolve) => {
      isStopping = true;
      clearTimeout(timer);
      if (child === null) {
        resolve();
        return;
      }
      child.once('exit', () => resolve());
      child.kill('SIGTERM');
    });
}
