/** The export of the log (see export-lines.ts of @hoop/recording), read from one snapshot of the database. */
import { setTimeout as delay } from 'node:timers/promises';

import { checkpointLine, headerLine, leafLine, logLeafHash, tileLine } from '@hoop/recording';
import type { Content, ExportedLeaf, Hash, LogLeafKind } from '@hoop/recording';
import type pg from 'pg';

import type { IngestClient } from '../records/ingest-client.ts';
import { readLoggedRecords } from './logged-records.ts';
import type { BlobSource } from './logged-records.ts';
import { storedLevel, tileLeaves } from './nodes.ts';

export interface LogExport {
  readonly size: number;
  /** Lines with their line feeds. Ends the snapshot when it is done or given up. */
  readonly lines: AsyncGenerator<string, void, void>;
  /** Ends the snapshot where `lines` is not read. */
  close(): Promise<void>;
}

/** Leaves read at once. */
const chunkLeaves = 4 * tileLeaves;
const settleAttempts = 30;
const settleMs = 100;

/**
 * Opens an export of everything that is sequenced by now. Null where nothing is.
 *
 * Records with a further leaf on its way (a purge of this moment, say) cannot be verified from a snapshot, so it waits
 * for one without such: a few seconds at most.
 *
 * @param blobs reads the bodies that lie in the blob store; null: there is none
 */
export async function openLogExport(pool: pg.Pool, verifierKey: string, blobs: BlobSource | null): Promise<LogExport | null> {
  const client = await pool.connect();
  // Lost while nobody asks it anything: the next statement fails by it, and the export with that.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    const broken = await client.query('ROLLBACK').then(
      () => undefined,
      (error: Error) => error,
    );
    client.off('error', ignore);
    client.release(broken);
  };
  try {
    let unsettled = await openSnapshot(client);
    for (let attempt = 1; unsettled.size > 0 && attempt < settleAttempts; attempt++) {
      await client.query('ROLLBACK');
      await delay(settleMs);
      unsettled = await openSnapshot(client);
    }
    const { rows } = await client.query<{ size: string; note: string }>(
      'SELECT size, note FROM log_checkpoints ORDER BY size DESC LIMIT 1',
    );
    const [newest] = rows;
    if (newest === undefined) {
      await close();
      return null;
    }
    const size = Number(newest.size);
    return { size, close, lines: linesOf(client, { size, note: newest.note, verifierKey, unsettled, blobs }, close) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @returns ids of records that are leaves already and have another one pending */
async function openSnapshot(client: IngestClient): Promise<Set<string>> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows } = await client.query<{ ref_id: string }>(
    'SELECT DISTINCT p.ref_id FROM log_pending p WHERE EXISTS (SELECT 1 FROM log_leaves l WHERE l.ref_id = p.ref_id) LIMIT 100000',
  );
  return new Set(rows.map((row) => row.ref_id));
}

interface Snapshot {
  readonly size: number;
  readonly note: string;
  readonly verifierKey: string;
  readonly unsettled: ReadonlySet<string>;
  readonly blobs: BlobSource | null;
}

async function* linesOf(client: IngestClient, snapshot: Snapshot, close: () => Promise<void>): AsyncGenerator<string, void, void> {
  try {
    yield headerLine(snapshot.note, snapshot.verifierKey);
    for (let start = 0; start < snapshot.size; start += chunkLeaves)
      yield* chunkOf(client, snapshot, start, Math.min(start + chunkLeaves, snapshot.size));
  } finally {
    await close();
  }
}

interface LeafRow {
  readonly index: string;
  readonly kind: LogLeafKind;
  readonly ref_id: string;
  readonly digest: Buffer;
}

async function* chunkOf(client: IngestClient, snapshot: Snapshot, start: number, end: number): AsyncGenerator<string, void, void> {
  const leaves = (
    await client.query<LeafRow>(
      'SELECT index, kind, ref_id, digest FROM log_leaves WHERE index >= $1 AND index < $2 ORDER BY log_leaves.index',
      [start, end],
    )
  ).rows;
  const later = await laterLeaves(client, leaves, snapshot.size);
  const last = leaves.filter((leaf) => !later.has(leaf.index) && !snapshot.unsettled.has(leaf.ref_id));
  const idsOf = (isAudit: boolean): string[] => last.filter((leaf) => (leaf.kind === 'audit_event') === isAudit).map((leaf) => leaf.ref_id);
  const records = await readLoggedRecords(client, { calls: idsOf(false), auditEvents: idsOf(true) }, snapshot.blobs);
  const notes = new Map(
    (
      await client.query<{ size: string; note: string }>(
        'SELECT size, note FROM log_checkpoints WHERE size > $1 AND size <= $2 AND size < $3',
        [start, end, snapshot.size],
      )
    ).rows.map((row) => [Number(row.size), row.note]),
  );
  const roots = new Map(
    (
      await client.query<{ index: string; hash: Buffer }>(
        'SELECT index, hash FROM log_nodes WHERE level = $1 AND index >= $2 AND index < $3',
        [storedLevel, start / tileLeaves, Math.ceil(end / tileLeaves)],
      )
    ).rows.map((row) => [Number(row.index), row.hash]),
  );

  // By position, not by row: a row that is gone from the middle must not take a tile or a checkpoint with it.
  let hashes: Hash[] = [];
  let next = 0;
  for (let index = start; index < end; index++) {
    for (; next < leaves.length && Number(leaves[next]!.index) <= index; next++) {
      const leaf = leaves[next]!;
      hashes.push(logLeafHash(leaf.kind, leaf.ref_id, leaf.digest));
      yield leafLine({
        index: Number(leaf.index),
        kind: leaf.kind,
        id: leaf.ref_id,
        digest: leaf.digest.toString('hex'),
        ...contentOf(leaf),
      });
    }
    const note = notes.get(index + 1);
    if (note !== undefined) yield checkpointLine(note);
    if ((index + 1) % tileLeaves !== 0 && index + 1 !== snapshot.size) continue;
    const tile = Math.floor(index / tileLeaves);
    yield tileLine(tile, hashes, roots.get(tile) ?? null);
    hashes = [];
  }

  function contentOf(leaf: LeafRow): Pick<ExportedLeaf, 'content' | 'record'> {
    const after = later.get(leaf.index);
    if (after !== undefined) return { content: after };
    if (snapshot.unsettled.has(leaf.ref_id)) return { content: 'unsettled' };
    const record = records.get(leaf.ref_id);
    return record === undefined ? { content: 'missing' } : { content: 'here', record: record.form };
  }
}

/** For each leaf that is not the last of its record: what the next one makes of its content. */
async function laterLeaves(client: IngestClient, leaves: readonly LeafRow[], size: number): Promise<Map<string, Content>> {
  const { rows } = await client.query<{ index: string; ref_id: string; kind: LogLeafKind }>({
    name: 'log-leaves-of',
    text: 'SELECT index, ref_id, kind FROM log_leaves WHERE ref_id = ANY($1::text[]) AND index < $2 ORDER BY ref_id, log_leaves.index',
    values: [[...new Set(leaves.map((leaf) => leaf.ref_id))], size],
  });
  const later = new Map<string, Content>();
  rows.forEach((row, at) => {
    const before = rows[at - 1];
    if (before?.ref_id !== row.ref_id) return;
    later.set(before.index, row.kind === 'call_purge' && before.kind !== 'call_purge' ? 'purged' : 'superseded');
  });
  return later;
}
