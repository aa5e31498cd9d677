import { queueNames } from '@hoop/contract';
import { openQueue } from '@hoop/queue';

import type { Part, WorkerContext } from '../context.ts';

/** Milliseconds. */
const everyMs = 60_000;

/** Says, for as long as there are some, that batches of records were given up: they are kept, and can be retried. */
export function watchDeadLetters({ config, log }: Pick<WorkerContext, 'config' | 'log'>, intervalMs: number = everyMs): Part {
  const queue = openQueue<unknown>(queueNames.recordings, config.queue, { maxConnections: 1 });
  async function look(): Promise<void> {
    try {
      const { failed } = await queue.counts();
      if (failed === 0) return;
      const [newest] = await queue.failed(1);
      log.error(
        { event: 'dead_letters', jobs: failed, newest: newest?.id, reason: newest?.reason },
        'batches of records could not be written and are kept as failed jobs',
      );
    } catch {
      // The queue's consumer reports an outage of the queue.
    }
  }
  const timer = setInterval(() => void look(), intervalMs);
  return {
    async close() {
      clearInterval(timer);
      await queue.close();
    },
  };
}
