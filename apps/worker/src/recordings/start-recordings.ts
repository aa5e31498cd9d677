import { AppError, queueNames } from '@hoop/contract';
import { recordEntries } from '@hoop/database';
import { deadLetter, isOutage, openQueueWorker } from '@hoop/queue';
import { unpackRecordBatch } from '@hoop/recording';

import type { Part, WorkerContext } from '../context.ts';
import { createGroupWriter } from './group-writer.ts';
import { createBlobStorer } from './store-blobs.ts';
import { watchDeadLetters } from './watch-dead-letters.ts';

/** Jobs in hand at once: what arrives while a transaction is under way goes into the next together. */
const concurrency = 12;

/**
 * Writes batches of records into Postgres. A job is done only when its transaction is committed, so that a worker that
 * is killed leaves it for another; writing it twice changes nothing. What cannot be written is kept as a failed job.
 */
export function startRecordings({ config, db, log, now }: WorkerContext): Part {
  const { blobs, blobBytes = 65_536 } = config;
  const onFailure = (error: Error): void =>
    log.warn({ event: 'blob_store_unavailable', error: error.message, cause: String(error.cause) }, 'large bodies go into their rows');
  const storeBlobs = blobs === undefined ? null : createBlobStorer({ blobs, blobBytes, now, onFailure });
  const writer = createGroupWriter({
    parallel: 2,
    write: async (entries) => recordEntries(db.pool, storeBlobs === null ? entries : await storeBlobs(entries)),
    isOutage,
    onOutage: (error) => log.warn({ event: 'database_unavailable', error: error.message }, 'records wait for the database'),
  });

  const worker = openQueueWorker<unknown>(
    queueNames.recordings,
    config.queue,
    async (job, signal) => {
      const rejected = await writer.write(entriesOf(job.payload), signal);
      if (rejected.length > 0) {
        const named = rejected.slice(0, 10).map((one) => `${one.callId}: ${one.reason}`);
        throw deadLetter(`${rejected.length} of the calls in this batch could not be written, the others were: ${named.join('; ')}`);
      }
    },
    {
      concurrency,
      ...(config.lockMs === undefined ? {} : { lockMs: config.lockMs }),
      onError: (error) => log.error({ event: 'recordings_failed', error: error.message }),
      onReady: () => log.info({ event: 'recordings_ready' }),
    },
  );
  const watch = watchDeadLetters({ config, log });
  return {
    async close() {
      await Promise.all([worker.close(), watch.close()]);
    },
  };
}

function entriesOf(payload: unknown): ReturnType<typeof unpackRecordBatch> {
  try {
    return unpackRecordBatch(payload);
  } catch (error) {
    throw error instanceof AppError ? deadLetter(error.detail) : error;
  }
}
