/** A worker process that takes a job and never ends it: the test kills it with -9. `argv`: queue name, connection as JSON, lockMs. */
import { openQueueWorker } from '@hoop/queue';
import type { QueueConnection } from '@hoop/queue';

const [, , name, connection, lockMs] = process.argv;
openQueueWorker(
  name!,
  JSON.parse(connection!) as QueueConnection,
  async (job) => {
    process.send!({ taken: job.id });
    await new Promise(() => undefined);
  },
  { lockMs: Number(lockMs) },
);
