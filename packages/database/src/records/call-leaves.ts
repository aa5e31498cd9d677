/** What the log is to hold of calls that were just written: their digests, made of what was written. */
import { hash } from 'node:crypto';

import { canonicalCall } from '@hoop/recording';
import type { LogLeafKind } from '@hoop/recording';

import { binaryArray } from '../binary-array.ts';
import { asHeld } from './call-row.ts';
import type { NewCall } from './call-row.ts';
import type { IngestClient } from './ingest-client.ts';
import { toStoredCall } from './stored-call.ts';
import type { Change } from './upsert-calls.ts';

export interface InsertedBodies {
  /** SHA-256 (hex), by `<call id>:<side>`. */
  readonly hashes: ReadonlyMap<string, string>;
  /** None of them was there already: one that was stays as it is. */
  readonly areNew: boolean;
}

/** What the digests of new rows are made of, beside the rows. */
export interface WrittenWith extends InsertedBodies {
  /** SHA-256 (hex) of data keys as they are stored, by id. */
  readonly keyHashes: ReadonlyMap<string, string>;
  readonly recordedAt: Date;
}

export interface NewLeaf {
  readonly callId: string;
  /** Null: the sequencer reads the row, which holds more than was written now. */
  readonly digest: { readonly kind: LogLeafKind; readonly bytes: Uint8Array } | null;
}

/** A call is a leaf of the log once both halves are there, and once more where `unknown` turned out otherwise. */
export function leavesOf(rows: readonly NewCall[], changed: ReadonlyMap<string, Change>, written: WrittenWith): NewLeaf[] {
  const leaves: NewLeaf[] = [];
  for (const row of rows) {
    const change = changed.get(row.id);
    if (change === undefined || !change.has_head || change.state === 'pending') continue;
    const isWhole = change.previous === null && written.areNew;
    leaves.push({ callId: row.id, digest: isWhole ? digestOf(row, written) : null });
  }
  return leaves;
}

function digestOf(row: NewCall, { hashes, keyHashes, recordedAt }: WrittenWith): NewLeaf['digest'] {
  const textOf = (held: NewCall): string =>
    canonicalCall(toStoredCall({ ...held, recordedAt, previous: null, purgedAt: null }, hashes, keyHashes));
  let text: string | null = null;
  try {
    text = textOf(row);
  } catch (error) {
    // Lone surrogates have no canonical form.
    if (!(error instanceof TypeError)) throw error;
  }
  if (text === null || text.includes('\\u0000')) text = textOf(asHeld(row));
  return { kind: row.state === 'unknown' ? 'call_unknown' : 'call', bytes: hash('sha256', text, 'buffer') };
}

export async function enqueueForLog(client: IngestClient, leaves: readonly NewLeaf[]): Promise<void> {
  if (leaves.length === 0) return;
  await client.query({
    name: 'records-log',
    text: `INSERT INTO log_pending (kind, ref_id, leaf_kind, digest)
           SELECT 'call', id, leaf_kind, digest FROM unnest($1::text[], $2::text[], $3::bytea[]) AS r(id, leaf_kind, digest)`,
    values: [
      binaryArray(
        'text',
        leaves.map((leaf) => leaf.callId),
      ),
      binaryArray(
        'text',
        leaves.map((leaf) => leaf.digest?.kind ?? null),
      ),
      binaryArray(
        'bytea',
        leaves.map((leaf) => leaf.digest?.bytes ?? null),
      ),
    ],
  });
}
