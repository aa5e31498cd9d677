import type { Transaction } from '../database.ts';

export interface RetentionRecord {
  /** Duration, e.g. `90d`: for calls of no connection, and of connections that are gone. */
  readonly unattributed: string;
  /** No content is kept longer than this; null: as long as its connection says. */
  readonly maximum: string | null;
  readonly version: number;
  readonly updatedAt: Date;
}

export async function readRetention(tx: Transaction): Promise<RetentionRecord> {
  const { id: _, ...row } = await tx.retentionSettings.findUniqueOrThrow({ where: { id: 1 } });
  return row;
}

/** Locks the row until the transaction ends. */
export async function lockRetention(tx: Transaction): Promise<RetentionRecord> {
  await tx.$queryRaw`SELECT id FROM retention_settings WHERE id = 1 FOR UPDATE`;
  return readRetention(tx);
}

export async function writeRetention(
  tx: Transaction,
  change: Pick<RetentionRecord, 'unattributed' | 'maximum'>,
  now: Date,
): Promise<RetentionRecord> {
  const { id: _, ...row } = await tx.retentionSettings.update({
    where: { id: 1 },
    data: { ...change, version: { increment: 1 }, updatedAt: now },
  });
  return row;
}
