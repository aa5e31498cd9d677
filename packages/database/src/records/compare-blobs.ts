/** Blobs and the rows that speak of them. */
import type pg from 'pg';

/** Keys of blobs whose row is gone and that no other row speaks of, at most `limit`. */
export async function dueBlobDeletions(pool: pg.Pool, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ key: string }>(
    `SELECT d.key FROM blob_deletions d
      WHERE NOT EXISTS (SELECT 1 FROM call_bodies b WHERE b.call_id = split_part(d.key, '.', 1) AND b.blob = d.key)
      ORDER BY d.key LIMIT $1`,
    [limit],
  );
  return rows.map((row) => row.key);
}

/** They are gone. */
export async function noteBlobsDeleted(pool: pg.Pool, keys: readonly string[]): Promise<void> {
  await pool.query('DELETE FROM blob_deletions WHERE key = ANY($1::text[])', [keys]);
}

export interface BlobComparison {
  /** Blobs that no row speaks of. */
  readonly stray: readonly string[];
  /** Blobs that a row speaks of and that were not among `keys`. */
  readonly missing: readonly string[];
}

/**
 * Compares a run of the store with the rows.
 *
 * @param keys all that the store has between `after` (exclusive; null: from the first) and the last of them, or for `isLast` to the end
 */
export async function compareBlobs(pool: pg.Pool, after: string | null, keys: readonly string[], isLast: boolean): Promise<BlobComparison> {
  const to = isLast ? null : (keys.at(-1) ?? after);
  const { rows } = await pool.query<{ blob: string }>(
    `SELECT b.blob FROM call_bodies b
      WHERE b.blob IS NOT NULL AND b.call_id >= split_part($1, '.', 1) AND b.blob > $1
        AND ($2::text IS NULL OR b.call_id <= split_part($2, '.', 1) AND b.blob <= $2)`,
    [after ?? '', to],
  );
  const spoken = new Set(rows.map((row) => row.blob));
  const there = new Set(keys);
  return { stray: keys.filter((key) => !spoken.has(key)), missing: [...spoken].filter((key) => !there.has(key)) };
}

export async function readBlobCheckState(pool: pg.Pool): Promise<string | null> {
  const { rows } = await pool.query<{ after_key: string | null }>('SELECT after_key FROM blob_check_state WHERE id = 1');
  return rows[0]?.after_key ?? null;
}

/** @param after null: the next comparison begins at the first */
export async function writeBlobCheckState(pool: pg.Pool, after: string | null): Promise<void> {
  await pool.query('INSERT INTO blob_check_state (id, after_key) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET after_key = $1', [after]);
}
