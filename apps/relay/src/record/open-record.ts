/** Opens what makes the record of calls durable: the relay's journal, or the queue. */
import { newId, queueNames } from '@hoop/contract';
import type { PackedRecordBatch } from '@hoop/contract';
import { isMemory, openJournal } from '@hoop/journal';
import type { JournalWriter } from '@hoop/journal';
import { openQueue } from '@hoop/queue';
import { createRecorder, packBatch, packGroup } from '@hoop/recording';
import type { Recorder } from '@hoop/recording';
import type { Logger } from 'pino';

import type { RelayConfig } from '../config.ts';
import { journalKeys } from '../shipping/journal-keys.ts';

export interface OpenRecord {
  readonly recorder: Recorder;
  /** Null: the queue is the durable step. */
  readonly journal: JournalWriter | null;
  /** To be called once the recorder is closed. */
  close(): Promise<void>;
}

/** Rejects where the folder of the journal cannot be used, with a sentence that names it. */
export async function openRecord(relayId: string, config: RelayConfig, log: Logger): Promise<OpenRecord> {
  const { recorderTimeoutMs: timeoutMs } = config;
  const options = {
    relayId,
    timeoutMs,
    onFailure: (error: unknown, attempt: number) =>
      log.warn({ event: 'recording_failed', attempt, error: describe(error) }, 'a batch of records could not be made durable'),
  };
  if (config.journal === undefined) {
    const queue = openQueue<PackedRecordBatch>(queueNames.recordings, config.queue, { timeoutMs });
    const recorder = createRecorder({
      ...options,
      pack: packBatch,
      send: (jobId, { head, bytes }) => queue.addBytes(jobId, head, 'packed', bytes),
    });
    return { recorder, journal: null, close: () => queue.close() };
  }
  const { folder, maxBytes } = config.journal;
  const { writer, close } = await openJournal(folder, {
    id: newId('journal'),
    keys: journalKeys(config.sealingKeys),
    maxBytes,
    onTrouble: (error) => log.error({ event: 'journal_trouble', error: describe(error) }, 'the journal cannot be written'),
  }).catch((error: unknown) => {
    throw new Error(`The folder of the journal, ${folder}, cannot be used: ${describe(error)}.`, { cause: error });
  });
  if (await isMemory(folder))
    log.error({ event: 'weak_journal', folder }, 'the folder of the journal is in memory: a loss of power loses what was not shipped');
  // Groups are written one after the other: the next one collects while one is being synced.
  const recorder = createRecorder({
    ...options,
    maxInFlight: 1,
    pack: packGroup,
    send: (_id, { parts, entries }) => writer.append(parts, entries),
  });
  return { recorder, journal: writer, close };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
