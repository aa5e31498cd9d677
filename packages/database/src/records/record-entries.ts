import type { RecordEntry } from '@hoop/contract';
import pg from 'pg';

import { ingestEntries } from './ingest-entries.ts';
import { withTransaction } from './transaction.ts';

export interface RejectedEntry {
  readonly callId: string;
  /** Why, in words that hold nothing of the entry: the database's own message may quote it. */
  readonly reason: string;
}

/**
 * Writes entries in one transaction. Where the database cannot hold one of them (a number out of range, say), the
 * others are written all the same, and that one is named.
 *
 * @throws where the database is away, or for any other reason that is not an entry's own: nothing is written of what
 *   was not yet, and the same entries can be handed in again.
 */
export async function recordEntries(pool: pg.Pool, entries: readonly RecordEntry[]): Promise<RejectedEntry[]> {
  try {
    await withTransaction(pool, (client) => ingestEntries(client, entries));
    return [];
  } catch (error) {
    const reason = reasonInTheData(error);
    if (reason === null) throw error;
    const callIds = [...new Set(entries.map(callIdOf))];
    if (callIds.length === 1) return [{ callId: callIds[0]!, reason }];
    const half = new Set(callIds.slice(0, callIds.length >> 1));
    const first = await recordEntries(
      pool,
      entries.filter((entry) => half.has(callIdOf(entry))),
    );
    return [
      ...first,
      ...(await recordEntries(
        pool,
        entries.filter((entry) => !half.has(callIdOf(entry))),
      )),
    ];
  }
}

const callIdOf = (entry: RecordEntry): string => (entry.type === 'outcome' ? entry.callId : entry.head.callId);

/** Data exceptions (22), integrity violations (23), limits such as an index row's size (54); a time that is none. Else null. */
function reasonInTheData(error: unknown): string | null {
  if (error instanceof RangeError) return 'a number, time or length is out of range';
  if (!(error instanceof pg.DatabaseError) || !/^(?:22|23|54)/.test(error.code ?? '')) return null;
  return `the database refuses it with SQLSTATE ${error.code}`;
}
