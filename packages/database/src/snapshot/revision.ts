import type { Transaction } from '../database.ts';

/** The Postgres channel that announces every new revision, as decimal text. */
export const revisionChannel = 'hoop_revision';

/**
 * The next revision, for one mutation. Locks the counter until the transaction ends: mutations of configuration run
 * one after the other, which is what makes revisions ordered and lets them check and write without races. The
 * notification is sent by Postgres when, and only when, the transaction commits.
 */
export async function nextRevision(tx: Transaction): Promise<number> {
  const rows = await tx.$queryRaw<{ revision: number }[]>`
    UPDATE snapshot_state SET revision = revision + 1 WHERE id = 1 RETURNING revision`;
  const revision = rows[0]!.revision;
  await tx.$executeRaw`SELECT pg_notify(${revisionChannel}, ${String(revision)})`;
  return revision;
}

export async function readRevision(tx: Transaction): Promise<number> {
  const { revision } = await tx.snapshotState.findUniqueOrThrow({ where: { id: 1 }, select: { revision: true } });
  return revision;
}

/** Makes a new revision if what snapshots carry beside the rows (keys, issuer, audience) has changed. */
export async function noteKeys(tx: Transaction, digest: string): Promise<void> {
  const rows = await tx.$queryRaw<{ keys_digest: string | null }[]>`SELECT keys_digest FROM snapshot_state WHERE id = 1 FOR UPDATE`;
  if (rows[0]!.keys_digest === digest) return;
  await tx.snapshotState.update({ where: { id: 1 }, data: { keysDigest: digest } });
  await nextRevision(tx);
}

/** Tells relays that an id is gone. */
export async function leaveTombstone(tx: Transaction, id: string, revision: number, at: Date): Promise<void> {
  await tx.tombstone.create({ data: { id, revision, removedAt: at } });
}

/** Deletes tombstones left before `before`, but for the newest of them: it marks up to where they are gone. Returns how many. */
export async function purgeTombstones(tx: Transaction, before: Date): Promise<number> {
  return tx.$executeRaw`
    DELETE FROM tombstones WHERE removed_at < ${before} AND revision < (SELECT max(revision) FROM tombstones WHERE removed_at < ${before})`;
}
