import type { IssuedGrant } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { freezeHolds } from '../legal-hold/store.ts';
import { readRetention } from '../retention/store.ts';

export interface GrantWrite {
  /** The grant's `jti`. */
  readonly id: string;
  readonly identityId: string;
  readonly issuer: string;
  readonly subject: string;
  /** All of the token's, without U+0000. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly connectionIds: readonly string[];
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

export async function insertGrant(tx: Transaction, { claims, connectionIds, ...row }: GrantWrite): Promise<void> {
  await tx.grant.create({ data: { ...row, claims: claims as object, connectionIds: [...connectionIds] } });
}

export async function findGrant(tx: Transaction, id: string): Promise<IssuedGrant | null> {
  const row = await tx.grant.findUnique({ where: { id } });
  if (row === null) return null;
  const { identityId, issuer, subject, connectionIds } = row;
  const claims = row.claims as IssuedGrant['claims'];
  const [issuedAt, expiresAt] = [row.issuedAt.toISOString(), row.expiresAt.toISOString()];
  return { id, identityId, issuer, subject, claims, connectionIds, issuedAt, expiresAt };
}

/** The claims that were exchanged for these grants, by the grant's id; none for a grant that is not on record (any more). */
export async function readGrantClaims(tx: Transaction, ids: readonly string[]): Promise<Map<string, Record<string, unknown>>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.grant.findMany({ where: { id: { in: [...ids] } }, select: { id: true, claims: true } });
  return new Map(rows.map((row) => [row.id, row.claims as Record<string, unknown>]));
}

/**
 * Deletes grants that ended longer ago than each of their connections keeps what is recorded (never more than the global
 * maximum), at most `limit`. Left alone are those of identities and connections under a legal hold. Resolves to how many.
 */
export async function purgeGrants(tx: Transaction, now: number, limit: number): Promise<number> {
  const { unattributed, maximum } = await readRetention(tx);
  const held = await freezeHolds(tx);
  const at = new Date(now);
  return tx.$executeRaw`
    DELETE FROM grants WHERE id IN (
      SELECT g.id FROM grants g
       WHERE g.expires_at < ${at} AND g.identity_id <> ALL(${held.identities}::text[]) AND NOT g.connection_ids && ${held.connections}::text[]
         AND NOT EXISTS (
           SELECT 1 FROM unnest(g.connection_ids) AS of (id) LEFT JOIN connections c ON c.id = of.id
            WHERE g.expires_at >= ${at}::timestamptz
              - LEAST(COALESCE(c.settings->'recording'->>'retention', ${unattributed})::interval, ${maximum}::interval))
       ORDER BY g.expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`;
}

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
