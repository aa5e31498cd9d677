/** Appending to the log: in batches, under one lock, each batch with a signed checkpoint. */
import { appendedNodes, logLeafHash, rangeNodes, rootHash } from '@hoop/recording';
import type { LogLeaf, LogLeafKind } from '@hoop/recording';

import { binaryArray } from '../binary-array.ts';
import type { IngestClient } from '../records/ingest-client.ts';
import type { LogHead } from './log.ts';
import { readNodes, storedLevel } from './nodes.ts';
import { queryOfClient } from './query.ts';
import { LogTampered } from './tampered.ts';

/** The Postgres channel that announces a new size. */
export const logChannel = 'hoop_log';

export interface PendingLeaf {
  /** Position in the queue of pending leaves. */
  readonly id: string;
  readonly kind: 'audit_event' | 'call';
  readonly refId: string;
  /** Of the leaf, where whoever wrote the record has made it already; else null. */
  readonly leafKind: LogLeafKind | null;
  readonly digest: Uint8Array | null;
}

/**
 * Takes the log's lock until the transaction ends. `size` and `root` are of the log as it stands.
 * Only a holder of the lock may append.
 */
export async function lockLog(client: IngestClient): Promise<LogHead> {
  const { rows } = await client.query<{ size: string; root: Buffer }>('SELECT size, root FROM log_state WHERE id = 1 FOR UPDATE');
  const [row] = rows;
  if (!row) throw new LogTampered('The log has no state row: it was removed, or the database was not migrated whole.');
  return { size: Number(row.size), root: row.root };
}

/** The oldest pending leaves. Rows of transactions that are not committed yet come later, and lose nothing by it. */
export async function pendingLeaves(client: IngestClient, limit: number): Promise<PendingLeaf[]> {
  const { rows } = await client.query<PendingLeaf>(
    `SELECT id, kind, ref_id AS "refId", leaf_kind AS "leafKind", digest FROM log_pending ORDER BY log_pending.id LIMIT $1`,
    [limit],
  );
  return rows;
}

/**
 * Appends leaves under the lock and stores the nodes that come to exist.
 *
 * @param sign makes the signed note of the new head
 * @throws LogTampered where the stored nodes do not give the stored root: then somebody changed the log, and nothing is appended
 */
export async function appendLeaves(
  client: IngestClient,
  head: LogHead,
  leaves: readonly LogLeaf[],
  sign: (head: LogHead) => string,
  now: number,
): Promise<LogHead> {
  const lookup = await readNodes(queryOfClient(client), rangeNodes(0, head.size));
  if (Buffer.compare(rootHash(head.size, lookup), head.root) !== 0) {
    throw new LogTampered(
      `The stored log of ${head.size} leaves does not have its recorded root: its rows were changed. Nothing was appended.`,
    );
  }
  await checkNewest(client, head);
  if (leaves.length === 0) return head;
  const nodes = appendedNodes(
    head.size,
    leaves.map((leaf) => logLeafHash(leaf.kind, leaf.refId, leaf.digest)),
    lookup,
  );
  const added = new Map(nodes.map((node) => [`${node.level}/${node.index}`, node.hash]));
  const size = head.size + leaves.length;
  const next: LogHead = { size, root: rootHash(size, (level, index) => added.get(`${level}/${index}`) ?? lookup(level, index)) };
  const at = new Date(now);
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  await client.query({
    name: 'log-leaves',
    text: `INSERT INTO log_leaves (index, kind, ref_id, digest, at)
           SELECT $1::bigint + n - 1, kind, ref_id, digest, $5
             FROM unnest($2::text[], $3::text[], $4::bytea[]) WITH ORDINALITY AS r(kind, ref_id, digest, n)`,
    values: [
      head.size,
      binaryArray(
        'text',
        leaves.map((leaf) => leaf.kind),
      ),
      binaryArray(
        'text',
        leaves.map((leaf) => leaf.refId),
      ),
      binaryArray(
        'bytea',
        leaves.map((leaf) => leaf.digest),
      ),
      at,
    ],
  });
  const stored = nodes.filter((node) => node.level >= storedLevel);
  if (stored.length > 0) {
    await client.query(
      `INSERT INTO log_nodes (level, index, hash)
       SELECT level, index, decode(hash, 'hex') FROM unnest($1::smallint[], $2::bigint[], $3::text[]) AS r(level, index, hash)`,
      [stored.map((node) => node.level), stored.map((node) => node.index), stored.map((node) => hex(node.hash))],
    );
  }
  await client.query('INSERT INTO log_checkpoints (size, note, at) VALUES ($1, $2, $3)', [size, sign(next), at]);
  await client.query(`UPDATE log_state SET size = $1, root = $2 WHERE id = 1`, [size, Buffer.from(next.root)]);
  await client.query('SELECT pg_notify($1, $2)', [logChannel, String(size)]);
  return next;
}

/** Throws where there are rows beyond the signed end of the log. */
async function checkNewest(client: IngestClient, { size }: LogHead): Promise<void> {
  const { rows } = await client.query<{ leaf: string | null; checkpoint: string | null }>(
    'SELECT (SELECT max(index) FROM log_leaves) AS leaf, (SELECT max(size) FROM log_checkpoints) AS checkpoint',
  );
  const { leaf, checkpoint } = rows[0]!;
  if (Number(leaf ?? -1) === size - 1 && Number(checkpoint ?? 0) === size) return;
  throw new LogTampered(
    `The log says that it has ${size} leaves; its newest leaf is ${leaf}, its newest checkpoint is of ${checkpoint}: its rows were changed. Nothing was appended.`,
  );
}

export async function removePending(client: IngestClient, pending: readonly PendingLeaf[]): Promise<void> {
  await client.query('DELETE FROM log_pending WHERE id = ANY($1::bigint[])', [pending.map((leaf) => leaf.id)]);
}
