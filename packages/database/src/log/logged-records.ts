/** Records as the log digests them, with everything that is stored of them. */
import { createHash } from 'node:crypto';

import { auditEventRecord, callRecord, formDigest } from '@hoop/recording';
import type { LoggedRecord, StoredCall } from '@hoop/recording';

import { toAuditEvent } from '../audit-event/store.ts';
import type { AuditEventModel, CallModel } from '../generated/models.ts';
import { memberOf } from '../members.ts';
import { dataKeyHashes } from '../records/data-key-hashes.ts';
import type { IngestClient } from '../records/ingest-client.ts';
import { toStoredCall } from '../records/stored-call.ts';
import type { RowFault, RowGuard } from '../row-signatures/guard.ts';

/** Where large bodies lie. */
export interface BlobSource {
  /** Rejects where the store is away; null where it has no such blob. */
  get(key: string): Promise<Uint8Array | null>;
}

export interface DigestedRecord extends LoggedRecord {
  /** 32 bytes. */
  readonly digest: Uint8Array;
  /** Why an audit event was not written by Hoop; null: Hoop wrote it, or the record is a call. */
  readonly fault: RowFault | null;
}

/**
 * The records of these ids, by id; none where the row is gone, or holds what no record can hold (an endless time, say):
 * one row that was spoilt must not keep all others out of the log.
 *
 * @param blobs reads bodies that lie in the blob store, and so proves that they are what was stored; absent: what their
 *   rows say of them is believed. Null: there is no store, and such bodies count as gone.
 * @param guard checks the signatures of audit events; absent: they are not asked for
 */
export async function readLoggedRecords(
  client: IngestClient,
  ids: { readonly calls: readonly string[]; readonly auditEvents: readonly string[] },
  blobs?: BlobSource | null,
  guard: RowGuard | null = null,
): Promise<Map<string, DigestedRecord>> {
  const records = new Map<string, DigestedRecord>();
  const add = (read: () => LoggedRecord, faultOf: () => RowFault | null = () => null): void => {
    try {
      const record = read();
      records.set(record.id, { ...record, digest: formDigest(record.kind, record.form), fault: faultOf() });
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    }
  };
  for (const read of await storedCallReaders(client, ids.calls, blobs)) add(() => callRecord(read()));
  if (ids.auditEvents.length > 0) {
    const { rows } = await client.query<object>({
      name: 'logged-audit-events',
      text: 'SELECT * FROM audit_events WHERE id = ANY($1::text[])',
      values: [ids.auditEvents],
    });
    for (const row of rows) {
      const model = toModel<AuditEventModel>(row);
      add(
        () => auditEventRecord(toAuditEvent(model)),
        () => guard?.faultOf('audit_event', model as AuditEventModel & Record<string, unknown>) ?? null,
      );
    }
  }
  return records;
}

/** Calls with everything that is stored of them. Throws where a row holds what no call can hold. */
export async function readStoredCalls(client: IngestClient, ids: readonly string[]): Promise<StoredCall[]> {
  return (await storedCallReaders(client, ids)).map((read) => read());
}

async function storedCallReaders(client: IngestClient, ids: readonly string[], blobs?: BlobSource | null): Promise<(() => StoredCall)[]> {
  if (ids.length === 0) return [];
  const { rows } = await client.query<object>({
    name: 'logged-calls',
    text: 'SELECT * FROM calls WHERE id = ANY($1::text[])',
    values: [ids],
  });
  // Postgres hashes the bodies that it has; of those in the blob store it knows what was put there.
  const bodies = await client.query<{ call_id: string; side: 'request' | 'response'; hash: string | null; blob: string | null }>({
    name: 'logged-bodies',
    text: `SELECT call_id, side, encode(COALESCE(sha256(sealed), hash), 'hex') AS hash, blob FROM call_bodies WHERE call_id = ANY($1::text[])`,
    values: [ids],
  });
  const models = rows.map((row) => toModel<CallModel>(row));
  const keyIds = [...new Set(models.map((row) => row.dataKeyId).filter((id) => id !== null))];
  const keyHashes = await dataKeyHashes(client, keyIds);
  const bodyHashes = new Map(bodies.rows.map((row) => [`${row.call_id}:${row.side}`, row.hash]));
  for (const { call_id, side, blob } of blobs === undefined ? [] : bodies.rows) {
    if (blob !== null) bodyHashes.set(`${call_id}:${side}`, await blobHash(blobs ?? null, blob));
  }
  return models.map((row) => () => toStoredCall(row, bodyHashes, keyHashes));
}

async function blobHash(blobs: BlobSource | null, key: string): Promise<string | null> {
  const bytes = (await blobs?.get(key)) ?? null;
  return bytes === null ? null : createHash('sha256').update(bytes).digest('hex');
}

/** Columns as `pg` gives them, by the names that Prisma's models have. */
function toModel<T>(row: object): T {
  const model: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(row)) model[memberOf(column)] = value;
  return model as T;
}
