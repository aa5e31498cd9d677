import { durationSeconds, newId } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { freezeHolds } from '../legal-hold/store.ts';
import { readRetention, retentionOfConnections } from '../retention/store.ts';

/**
 * Deletes approvals that ended and were asked for longer ago than their connection keeps what is recorded (never more
 * than the global maximum), at most `limit` of each connection. Who decided what stays in the audit events. Left alone is
 * what is under a legal hold, and a broken glass whose review is open. Resolves to how many.
 */
export async function purgeApprovals(tx: Transaction, now: number, limit: number): Promise<number> {
  const { unattributed, maximum } = await readRetention(tx);
  const most = maximum === null ? Number.POSITIVE_INFINITY : durationSeconds(maximum);
  const held = await freezeHolds(tx);
  // A step from one connection's first approval to the next one's, along the index.
  const connections = await tx.$queryRaw<{ id: string }[]>`
    WITH RECURSIVE asked AS (
      SELECT min(connection_id) AS id FROM approvals
      UNION ALL
      SELECT (SELECT min(a.connection_id) FROM approvals a WHERE a.connection_id > asked.id) FROM asked WHERE asked.id IS NOT NULL
    )
    SELECT asked.id FROM asked WHERE asked.id IS NOT NULL`;
  const retentions = await retentionOfConnections(
    tx,
    connections.map(({ id }) => id),
  );
  let purged = 0;
  for (const { id } of connections) {
    if (held.connections.includes(id) || retentions.get(id) === 'untrusted') continue;
    const seconds = Math.min(durationSeconds(retentions.get(id) ?? unattributed), most);
    // Ids begin with the time.
    const before = newId('approval', Math.max(0, now - seconds * 1000));
    purged += await tx.$executeRaw`
      DELETE FROM approvals WHERE id IN (
        SELECT a.id FROM approvals a
         WHERE a.connection_id = ${id} AND a.id < ${before} AND a.state NOT IN ('pending', 'approved')
           AND (a.state <> 'consumed' OR a.is_call_recorded)
           AND a.identity_id <> ALL(${held.identities}) AND a.session_id <> ALL(${held.sessions})
           AND NOT EXISTS (SELECT 1 FROM break_glass_reviews b WHERE b.approval_id = a.id AND b.closed_at IS NULL)
         ORDER BY a.id LIMIT ${limit} FOR UPDATE SKIP LOCKED)`;
  }
  return purged;
}
