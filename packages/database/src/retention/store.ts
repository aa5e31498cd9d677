import { connectionSettingsSchema } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { RetentionSettingsModel } from '../generated/models.ts';
import { guardOf } from '../row-signatures/guard.ts';
import { connectionParts } from '../row-signatures/kinds.ts';

export interface RetentionRecord {
  /** Duration, e.g. `90d`: for calls of no connection, and of connections that are gone. */
  readonly unattributed: string;
  /** No content is kept longer than this; null: as long as its connection says. */
  readonly maximum: string | null;
  readonly version: number;
  readonly updatedAt: Date;
}

function toRetention({ id: _, signature: __, ...row }: RetentionSettingsModel): RetentionRecord {
  return row;
}

/** @throws AppError `row_not_authentic`: then nothing may be removed */
export async function readRetention(tx: Transaction): Promise<RetentionRecord> {
  const row = await tx.retentionSettings.findUniqueOrThrow({ where: { id: 1 } });
  return toRetention(guardOf(tx).require('retention_settings', row));
}

/** How long connections keep what is recorded, of those that there are; `untrusted` where the row cannot be trusted. */
export async function retentionOfConnections(tx: Transaction, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.connection.findMany({ where: { id: { in: [...ids] } }, include: connectionParts });
  const guard = guardOf(tx);
  return new Map(
    rows.map((row) => [
      row.id,
      guard.isAuthentic('connection', row) ? connectionSettingsSchema.parse(row.settings).recording.retention : 'untrusted',
    ]),
  );
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
  const before = await readRetention(tx);
  const data = { unattributed: change.unattributed, maximum: change.maximum, version: before.version + 1, updatedAt: now };
  const signature = guardOf(tx).sign('retention_settings', { id: 1, ...data });
  return toRetention(await tx.retentionSettings.update({ where: { id: 1 }, data: { ...data, signature } }));
}
