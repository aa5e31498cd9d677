/** Where the worker's comparison of rows, audit trail and log goes on. */
import type { Transaction } from '../database.ts';
import { integrityStart, isIntegrityPosition } from './check-integrity.ts';

export async function readIntegrityState(tx: Transaction): Promise<string> {
  const { integrityAfter } = await tx.recordCheckState.findUniqueOrThrow({ where: { id: 1 } });
  return isIntegrityPosition(integrityAfter) ? integrityAfter : integrityStart;
}

/** @param next as `RecordCheck.next`; null: from the beginning, with the next run */
export async function writeIntegrityState(tx: Transaction, next: string | null): Promise<void> {
  const ended = next === null ? { integrityEnded: new Date() } : {};
  await tx.recordCheckState.update({ where: { id: 1 }, data: { integrityAfter: next ?? integrityStart, ...ended } });
}
