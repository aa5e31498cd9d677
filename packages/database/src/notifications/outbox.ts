/** The outbox: what transactions want done after them. */
import type { Transaction } from '../database.ts';

/** The Postgres channel that wakes the workers that drain the outbox. */
export const outboxChannel = 'hoop_outbox';

export interface OutboxRow {
  readonly id: bigint;
  readonly topic: string;
  readonly payload: Record<string, string>;
}

export async function readOutbox(tx: Transaction, limit: number): Promise<OutboxRow[]> {
  const rows = await tx.outbox.findMany({ orderBy: { id: 'asc' }, take: limit });
  return rows.map((row) => ({ id: row.id, topic: row.topic, payload: row.payload as Record<string, string> }));
}

/** After their jobs were added. */
export async function deleteOutboxRows(tx: Transaction, ids: readonly bigint[]): Promise<void> {
  await tx.outbox.deleteMany({ where: { id: { in: [...ids] } } });
}

export async function enqueueOutbox(
  tx: Transaction,
  rows: readonly { readonly topic: string; readonly payload: Record<string, string> }[],
): Promise<void> {
  if (rows.length > 0) await tx.outbox.createMany({ data: [...rows] });
}
