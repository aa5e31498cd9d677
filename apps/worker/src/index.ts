/** The worker in this process. The product starts it through main.ts, which adds signals. */
import { requireDurableQueue } from '@hoop/queue';

import { startApprovals } from './approvals/start-approvals.ts';
import type { WorkerConfig } from './config.ts';
import { openContext } from './context.ts';
import type { WorkerOptions } from './context.ts';
import { startEventSinks } from './event-sinks/start-event-sinks.ts';
import { startSequencer } from './log/start-sequencer.ts';
import { startWitness } from './log/start-witness.ts';
import { startMaintenance } from './maintenance/start-maintenance.ts';
import { startRecordings } from './recordings/start-recordings.ts';

export type { WorkerConfig } from './config.ts';
export { readConfig } from './config.ts';

export interface RunningWorker {
  /** Takes no more jobs, ends those in hand, disconnects. */
  close(): Promise<void>;
}

/** Resolves once every part runs; where a server is away, the parts wait for it. Rejects where the queue's settings lose records. */
export async function startWorker(config: WorkerConfig, options: WorkerOptions = {}): Promise<RunningWorker> {
  const context = openContext(config, options);
  try {
    await requireDurableQueue(config.queue, ({ setting, value, isLossy, sentence }) =>
      context.log[isLossy ? 'error' : 'warn']({ event: 'weak_queue', setting, value }, sentence),
    );
  } catch (error) {
    await context.db.close();
    throw error;
  }
  const parts = [
    startRecordings(context),
    startApprovals(context),
    startMaintenance(context),
    startSequencer(context),
    startWitness(context),
    startEventSinks(context),
  ];
  let closing: Promise<void> | undefined;
  return {
    close: () =>
      (closing ??= (async () => {
        await Promise.all(parts.map((part) => part.close()));
        await context.db.close();
      })()),
  };
}
