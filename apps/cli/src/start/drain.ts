import { setTimeout as delay } from 'node:timers/promises';

import { queueNames } from '@hoop/contract';
import { openQueue, type QueueConnection } from '@hoop/queue';

const drainWithinMs = 10_000;

/** Waits until the worker has written every record that waits in the queue, or the time is over: they are not lost, only later. */
export async function drainQueue(connection: QueueConnection, say: (sentence: string) => void): Promise<void> {
  const deadline = AbortSignal.timeout(drainWithinMs);
  try {
    const queue = openQueue(queueNames.recordings, connection);
    try {
      for (;;) {
        const { waiting, active } = await queue.counts();
        if (waiting + active === 0) return;
        if (deadline.aborted) {
          say(`${waiting + active} batches of records stay in the queue until the next start.`);
          return;
        }
        await delay(50);
      }
    } finally {
      await queue.close();
    }
  } catch (error) {
    say(`The queue could not be looked at (${(error as Error).message}); what is in it stays until the next start.`);
  }
}
