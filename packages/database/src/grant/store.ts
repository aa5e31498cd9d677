import type { Transaction } from '../database.ts';

/** Notes that a grant is revoked. Idempotent: the first one stays. @returns whether it is new */
export async function insertRevokedGrant(
  tx: Transaction,
  row: { jti: string; identityId: string | null; exp: number; revision: number; revokedBy: string; at: Date },
): Promise<boolean> {
  const { at, ...rest } = row;
  const { count } = await tx.revokedGrant.createMany({ data: [{ ...rest, revokedAt: at }], skipDuplicates: true });
  return count === 1;
}

export async function isGrantRevoked(tx: Transaction, jti: string): Promise<boolean> {
  return (await tx.revokedGrant.count({ where: { jti } })) > 0;
}

/** Deletes those of grants that ended before `endedBefore` anyway. Returns how many. */
export async function purgeRevokedGrants(tx: Transaction, endedBefore: Date): Promise<number> {
  return (await tx.revokedGrant.deleteMany({ where: { exp: { lt: Math.floor(endedBefore.getTime() / 1000) } } })).count;
}
