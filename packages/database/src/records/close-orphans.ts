import type pg from 'pg';

import { notifyCallChanges } from './call-changes.ts';
import { withTransaction } from './transaction.ts';

/**
 * Closes calls whose outcome did not come within `seconds` of their intent's being written as `unknown`: their relay
 * died, or lost its way to the queue. At most `limit` of them in one transaction, oldest first; resolves to how many.
 * An outcome that comes after all replaces `unknown` (see `ingestEntries`).
 */
export async function closeOrphans(pool: pg.Pool, seconds: number, limit = 1000): Promise<number> {
  // Rows that another transaction is about to conclude are skipped, not waited for.
  const close = {
    text: `
      WITH orphans AS MATERIALIZED (
        SELECT id FROM calls
         WHERE state = 'pending' AND recorded_at < now() - make_interval(secs => $1)
         ORDER BY recorded_at LIMIT $2 FOR UPDATE SKIP LOCKED
      ), closed AS (
        UPDATE calls SET state = 'unknown', previous = 'pending', concluded_at = now()
          FROM orphans WHERE calls.id = orphans.id
        RETURNING calls.id, calls.session_id
      ), counted AS (
        UPDATE sessions SET failed_count = failed_count + n
          FROM (SELECT session_id, count(*)::integer AS n FROM closed GROUP BY session_id) AS per
         WHERE sessions.id = per.session_id
      ), logged AS (
        INSERT INTO log_pending (kind, ref_id) SELECT 'call', id FROM closed
      )
      SELECT id FROM closed`,
    values: [seconds, limit],
  };
  return withTransaction(pool, async (client) => {
    const { rows } = await client.query<{ id: string }>(close);
    await notifyCallChanges(
      client,
      rows.map((row) => row.id),
    );
    return rows.length;
  });
}
