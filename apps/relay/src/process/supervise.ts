/** Several relay processes on one port: each with a snapshot and pools of its own, started again when it dies. */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';

import type { Logger } from 'pino';

import { forkArguments } from './node-flags.ts';

export interface Supervision {
  readonly count: number;
  readonly log: Logger;
  /** Told once, when the first process listens. */
  readonly onListening: (url: string) => void;
  /** Told the steps of the first process until it listens, and why it fails. */
  readonly onProgress: (message: { readonly event: string }) => void;
  /** Called where the first process ends before it listens: another would end in the same way. */
  readonly onFailure: () => void;
}

const backoffFirstMs = 100;
const backoffMostMs = 10_000;
/** A process that lived so long did not die of its start. */
const steadyMs = 30_000;

/** Returns what stops them all; it resolves when the last has exited. */
export function superviseWorkers({ count, log, onListening, onProgress, onFailure }: Supervision): () => Promise<void> {
  cluster.setupPrimary({ execArgv: forkArguments() });
  let isStopping = false;
  let failures = 0;
  let port: string | undefined;
  const startedAt = new Map<number, number>();

  const start = (): void => {
    if (isStopping) return;
    const worker = cluster.fork(port === undefined ? {} : { HOOP_PORT: port });
    startedAt.set(worker.id, performance.now());
    log.info({ event: 'worker_started', pid: worker.process.pid }, 'a relay process was started');
  };

  cluster.on('message', (_worker: Worker, message: { event?: string; url?: string } | null) => {
    if (port !== undefined) return;
    if (message?.event === 'starting' || message?.event === 'failed') onProgress({ ...message, event: message.event });
    if (message?.event !== 'listening' || typeof message.url !== 'string') return;
    // The first has found the port, which may be any; the others share it.
    port = new URL(message.url).port || '80';
    onListening(message.url);
    for (let i = 1; i < count; i++) start();
  });
  cluster.on('exit', (worker: Worker, code: number | null, signal: string | null) => {
    const lifeMs = performance.now() - (startedAt.get(worker.id) ?? 0);
    startedAt.delete(worker.id);
    if (isStopping) return;
    if (port === undefined && code !== null) {
      onFailure();
      return;
    }
    failures = lifeMs > steadyMs ? 1 : failures + 1;
    const delayMs = Math.min(backoffFirstMs * 2 ** (failures - 1), backoffMostMs);
    log.error({ event: 'worker_died', pid: worker.process.pid, code, signal, delayMs }, 'a relay process died and is started again');
    setTimeout(start, delayMs);
  });
  start();

  return () =>
    new Promise((resolve) => {
      isStopping = true;
      const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
      let left = workers.length;
      if (left === 0) resolve();
      for (const worker of workers) {
        worker.once('exit', () => --left === 0 && resolve());
        worker.process.kill('SIGTERM');
      }
    });
}
