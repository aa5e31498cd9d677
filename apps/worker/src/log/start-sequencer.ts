import { guardOf, LogTampered, sequenceLog } from '@hoop/database';
import type { SequenceResult } from '@hoop/database';
import { logSigner } from '@hoop/recording';

import type { Part, WorkerContext } from '../context.ts';
import { raiseIntegrityAlarm } from './integrity-alarm.ts';
import { pause } from './pause.ts';

/** Leaves of one batch: about half a second of work. */
const batch = 4096;
const tamperedPauseMs = 30_000;

/**
 * Makes leaves of what waits, a batch every `sequenceMs`, or at once where more waits than a batch holds. Ingestion only
 * adds rows to the queue of leaves and never waits for it. Without the log's key nothing is sequenced, and it says so.
 */
export function startSequencer(context: WorkerContext): Part {
  const { config, db, log, now } = context;
  if (config.logKeys === undefined) {
    log.error({ event: 'log_not_sequenced' }, 'HOOP_LOG_KEY_FILE is not set: records wait, and nothing proves them yet');
    return { close: () => Promise.resolve() };
  }
  const signer = logSigner(config.logKeys, config.logOrigin);
  const everyMs = config.sequenceMs ?? 250;
  const closing = new AbortController();

  async function sequence(): Promise<SequenceResult | null> {
    const { rows } = await db.pool.query('SELECT 1 FROM log_pending LIMIT 1');
    return rows.length === 0 ? null : sequenceLog(db.pool, { limit: batch, sign: signer.sign, guard: guardOf(db.prisma), now: now() });
  }

  async function run(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted;) {
      try {
        const result = await sequence();
        failures = 0;
        for (const id of result?.absent ?? [])
          await raiseIntegrityAlarm(
            context,
            'record_missing',
            `${id} was to be sequenced, but is missing or unreadable: it was removed or damaged.`,
          );
        for (const id of result?.altered ?? [])
          await raiseIntegrityAlarm(context, 'record_altered', `${id} was final in the log and was changed after it.`);
        for (const fault of result?.refused ?? [])
          await raiseIntegrityAlarm(context, 'row_not_authentic', `${fault.detail} It gets no leaf in the log.`);
        if ((result?.taken ?? 0) < batch) await pause(everyMs, closing.signal);
      } catch (error) {
        if (error instanceof LogTampered) {
          await raiseIntegrityAlarm(context, 'log_tampered', error.message);
          await pause(tamperedPauseMs, closing.signal);
        } else {
          log.warn({ event: 'sequencer_failed', error: (error as Error).message }, 'records wait to be sequenced');
          await pause(Math.min(everyMs * 2 ** failures++, 5000), closing.signal);
        }
      }
    }
  }
  const running = run();
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}
