import { setTimeout as delay } from 'node:timers/promises';

import { maintenanceJobSchema, maintenanceTaskSchema, queueNames } from '@hoop/contract';
import type { MaintenanceJob } from '@hoop/contract';
import { deadLetter, openQueue, openQueueWorker } from '@hoop/queue';

import type { Part, WorkerContext } from '../context.ts';
import { intervals, tasks } from './tasks.ts';

/** Runs each task on its schedule: once per interval, however many workers there are. */
export function startMaintenance(context: WorkerContext): Part {
  const { config, log } = context;
  const queue = openQueue<MaintenanceJob>(queueNames.maintenance, config.queue, { maxConnections: 1 });
  const closing = new AbortController();
  const onError = (error: Error): void => log.error({ event: 'maintenance_failed', error: error.message });

  const worker = openQueueWorker<unknown>(
    queueNames.maintenance,
    config.queue,
    async (job, signal) => {
      const parsed = maintenanceJobSchema.safeParse(job.payload);
      if (!parsed.success) throw deadLetter('There is no such task.');
      await tasks[parsed.data.task](context, signal);
    },
    { concurrency: 1, ...(config.lockMs === undefined ? {} : { lockMs: config.lockMs }), onError },
  );

  /** Schedules are rows of the queue; an outage at the start only delays them. */
  async function schedule(): Promise<void> {
    const every = intervals(config.orphanSeconds);
    for (const task of maintenanceTaskSchema.options) {
      for (let waitMs = 250; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, 5000)) {
        try {
          await queue.repeat(task, every[task], { version: 1, task });
          break;
        } catch (error) {
          onError(error as Error);
          await delay(waitMs, undefined, { signal: closing.signal }).catch(() => undefined);
        }
      }
    }
  }
  const scheduling = schedule();

  return {
    async close() {
      closing.abort();
      await scheduling;
      await worker.close();
      await queue.close();
    },
  };
}
