/** What Prometheus is told of the journals on this volume. */
import type { JournalToShip } from '@hoop/journal';
import { Counter, Gauge } from '@hoop/telemetry';
import type { Metrics } from '@hoop/telemetry';

export interface ShippingCounters {
  /** The queue has taken a batch of so many entries. */
  shipped(entries: number): void;
  /** The queue has not taken a batch. */
  failed(): void;
}

/** @param journals those that the shipper has open at the time */
export function registerJournals(registry: Metrics['registry'], journals: () => readonly JournalToShip[]): ShippingCounters {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number | Promise<number>): void => {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await read());
      },
    });
  };
  gauge(
    'hoop_journal_unshipped_entries',
    'Records (intents and outcomes of calls) that are durable in the journals and not in the queue yet: of at most so many calls a record is lost with the disk.',
    async () => (await Promise.all(journals().map(({ reader }) => reader.unshippedEntries()))).reduce((sum, one) => sum + one, 0),
  );
  gauge('hoop_journals', 'Journals on the volume, those of relays that are gone included.', () => journals().length);
  gauge(
    'hoop_journals_damaged',
    'Journals of which nothing is shipped until a person has looked (hoop recordings check --journals).',
    () => journals().filter((journal) => journal.wasHeldBack).length,
  );
  const entries = new Counter({ name: 'hoop_journal_shipped_entries_total', help: 'Records that the queue has taken.', registers });
  const failures = new Counter({
    name: 'hoop_journal_shipping_failures_total',
    help: 'Attempts to hand a batch to the queue that failed.',
    registers,
  });
  return { shipped: (count) => entries.inc(count), failed: () => failures.inc() };
}
