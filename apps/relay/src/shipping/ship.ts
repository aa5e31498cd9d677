/**
 * Ships journals: reads what is durable in them, seals the bodies under their sessions' keys and hands the batches to the
 * `recordings` queue. It works in a process of its own, in the relay's trust zone. A journal whose relay is gone is
 * shipped to its end and removed.
 */
import { setTimeout as delay } from 'node:timers/promises';

import { queueNames } from '@hoop/contract';
import type { PackedRecordBatch } from '@hoop/contract';
import { JournalDamaged, JournalToShip, listJournals, lockForShipping } from '@hoop/journal';
import type { FileLock, JournalKeys } from '@hoop/journal';
import { openQueue } from '@hoop/queue';
import type { JobQueue, QueueConnection } from '@hoop/queue';
import type { JwkSet } from '@hoop/sealing';
import { openMetrics } from '@hoop/telemetry';
import type { MetricsAddress } from '@hoop/telemetry';
import type { Logger } from 'pino';

import { nextBatch } from './batches.ts';
import type { ShippedBatch } from './batches.ts';
import { journalKeys } from './journal-keys.ts';
import { registerJournals } from './journal-metrics.ts';
import type { ShippingCounters } from './journal-metrics.ts';

export interface ShipperConfig {
  /** The folder of the journals. */
  readonly folder: string;
  readonly sealingKeys: JwkSet;
  readonly queue: QueueConnection;
  /** Of one attempt to hand a batch over, milliseconds. */
  readonly timeoutMs: number;
  /** Where metrics are served; absent: nowhere. */
  readonly metrics?: MetricsAddress;
}

/** How long it waits where less than a full batch is there: a job of the queue costs the same for one record as for hundreds. */
const collectMs = 50;
const retryFirstMs = 50;
const retryMostMs = 2000;
const metricsRetryMs = 10_000;

export class Shipper {
  readonly #config: ShipperConfig;
  readonly #log: Logger;
  readonly #keys: JournalKeys;
  readonly #queue: JobQueue<PackedRecordBatch>;
  readonly #journals = new Map<string, JournalToShip>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #metrics = openMetrics();
  readonly #counters: ShippingCounters;
  readonly #listening: Promise<void>;
  #isDraining = false;
  #lock: FileLock | null = null;

  constructor(config: ShipperConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#keys = journalKeys(config.sealingKeys);
    this.#queue = openQueue<PackedRecordBatch>(queueNames.recordings, config.queue, { timeoutMs: config.timeoutMs });
    this.#counters = registerJournals(this.#metrics.registry, () => [...this.#journals.values()]);
    this.#listening = config.metrics === undefined ? Promise.resolve() : this.#serveMetrics(config.metrics);
    this.#running = this.#run();
  }

  /**
   * Ships what is left of journals whose writers are gone, for so long at most.
   * @returns whether nothing was left; the rest is shipped by whoever has the volume next
   */
  async close(timeoutMs: number): Promise<boolean> {
    this.#isDraining = true;
    const timer = setTimeout(() => this.#stop.abort(), timeoutMs);
    await this.#running;
    clearTimeout(timer);
    this.#stop.abort();
    await this.#listening;
    await this.#metrics.close();
    const isAll = this.#journals.size === 0;
    for (const journal of this.#journals.values()) await journal.close();
    this.#lock?.unlock();
    await this.#queue.close();
    return isAll;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted;) {
      let isBehind = false;
      try {
        this.#lock ??= await lockForShipping(this.#config.folder);
        if (this.#lock !== null) {
          await this.#findJournals();
          for (const journal of this.#journals.values()) isBehind = (await this.#ship(journal)) || isBehind;
        }
        failures = 0;
      } catch (error) {
        failures++;
        this.#log.warn({ event: 'shipping_failed', error: String(error) }, 'a journal cannot be shipped for now');
      }
      if (isBehind) continue;
      if (this.#isDraining && this.#lock !== null && this.#journals.size === 0) return;
      await this.#pause(failures === 0 ? collectMs : Math.min(retryFirstMs * 2 ** failures, retryMostMs));
    }
  }

  /** A port that is taken must not keep records from being shipped. */
  async #serveMetrics(address: MetricsAddress): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const url = await this.#metrics.listen(address);
        this.#log.info({ event: 'metrics', url }, `metrics at ${url}`);
        return;
      } catch (error) {
        this.#log.error({ event: 'metrics_failed', error: String(error) }, 'the metrics cannot be served for now');
        await this.#pause(metricsRetryMs);
      }
    }
  }

  async #findJournals(): Promise<void> {
    for (const id of await listJournals(this.#config.folder)) {
      if (!this.#journals.has(id)) this.#journals.set(id, await JournalToShip.open(this.#config.folder, id, this.#keys));
    }
  }

  /** Hands over one batch, so that each journal has its turn. Returns whether the batch was full, and more may wait behind it. */
  async #ship(journal: JournalToShip): Promise<boolean> {
    // Asked before reading: what a writer that is gone has written is all there by then.
    const isAbandoned = journal.isAbandoned();
    if (await journal.isHeldBack()) return false;
    try {
      for (;;) {
        const next = await nextBatch(journal.reader, isAbandoned);
        if (next === null) break;
        await this.#send(journal.id, next);
        journal.reader.markShipped(next.end, next.batch.head.count);
        this.#counters.shipped(next.batch.head.count);
        if (next.isFull || this.#stop.signal.aborted) return true;
        if (!isAbandoned) return false;
      }
    } catch (error) {
      if (!(error instanceof JournalDamaged)) throw error;
      await journal.holdBack(error);
      this.#log.error(
        { event: 'journal_damaged', journal: journal.id, epoch: error.at.epoch, offset: error.at.offset },
        `${error.message} Nothing behind it is shipped until a person has looked: see hoop recordings check --journals.`,
      );
      return false;
    }
    if (isAbandoned) {
      await journal.remove();
      this.#journals.delete(journal.id);
    }
    return false;
  }

  async #send(journalId: string, { batch, first, last }: ShippedBatch): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        // The queue ignores what it has under this id: after a restart more groups may have come to stand behind the first one.
        await this.#queue.addBytes(`${journalId}-${first}-${last}`, batch.head, 'packed', batch.bytes);
        return;
      } catch (error) {
        this.#counters.failed();
        if (this.#stop.signal.aborted) throw error;
        this.#log.warn({ event: 'shipping_failed', error: String(error) }, 'the recordings queue did not take a batch');
        await this.#pause(Math.min(retryFirstMs * 2 ** failures, retryMostMs));
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
