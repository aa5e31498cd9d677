import { grantMaxSeconds, newId, type IssuedGrant } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { freezeHolds } from '../legal-hold/store.ts';
import { readRetention } from '../retention/store.ts';
import { guardOf } from '../row-signatures/guard.ts';

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
  const data = { ...row, claims: claims as object, connectionIds: [...connectionIds] };
  await tx.grant.create({ data: { ...data, signature: guardOf(tx).sign('grant', data) } });
}

export async function findGrant(tx: Transaction, id: string): Promise<IssuedGrant | null> {
  const row = await tx.grant.findUnique({ where: { id } });
  if (row === null || !guardOf(tx).isAuthentic('grant', row)) return null;
  const { identityId, issuer, subject, connectionIds } = row;
  const claims = row.claims as IssuedGrant['claims'];
  const [issuedAt, expiresAt] = [row.issuedAt.toISOString(), row.expiresAt.toISOString()];
  return { id, identityId, issuer, subject, claims, connectionIds, issuedAt, expiresAt };
}

/** The claims that were exchanged for these grants, by the grant's id; none for a grant that is not on record (any more). */
export async function readGrantClaims(tx: Transaction, ids: readonly string[]): Promise<Map<string, Record<string, unknown>>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.grant.findMany({ where: { id: { in: [...ids] } } });
  return new Map((await guardOf(tx).authentic('grant', rows)).map((row) => [row.id, row.claims as Record<string, unknown>]));
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

/** The action of a revocation's audit event; its target is the grant. */
export const grantRevocation = 'grant.revoke';

/** Notes that a grant is revoked. Idempotent: the first one stays, unless its row cannot be trusted. @returns whether it is new */
export async function insertRevokedGrant(
  tx: Transaction,
  row: { jti: string; identityId: string | null; exp: number; revision: number; revokedBy: string; at: Date },
): Promise<boolean> {
  if (await isGrantRevoked(tx, row.jti)) return false;
  const { at, ...rest } = row;
  const data = { ...rest, revokedAt: at };
  const signature = guardOf(tx).sign('revoked_grant', data);
  await tx.revokedGrant.upsert({ where: { jti: row.jti }, create: { ...data, signature }, update: { ...data, signature } });
  return true;
}

export async function isGrantRevoked(tx: Transaction, jti: string): Promise<boolean> {
  const row = await tx.revokedGrant.findUnique({ where: { jti } });
  return row !== null && guardOf(tx).isAuthentic('revoked_grant', row);
}

/** Grants that were revoked in these minutes, by the audit trail: whose row was removed or changed is revoked all the same. */
export async function recentRevocations(tx: Transaction, now: Date): Promise<{ jti: string; exp: number }[]> {
  const since = new Date(now.getTime() - longestRevocationSeconds * 1000);
  const rows = await tx.auditEvent.findMany({
    where: { action: grantRevocation, id: { gte: newId('audit_event', since.getTime()).slice(0, -16) } },
    select: { targetId: true, at: true },
  });
  return rows.map(({ targetId, at }) => ({ jti: targetId, exp: Math.ceil(at.getTime() / 1000) + longestRevocationSeconds }));
}

/** A grant lives so long, and its revocation somewhat longer, for clocks that differ. */
const longestRevocationSeconds = grantMaxSeconds + 60;

/** Deletes those of grants that ended before `endedBefore` anyway. Returns how many. */
export async function purgeRevokedGrants(tx: Transaction, endedBefore: Date): Promise<number> {
  return (await tx.revokedGrant.deleteMany({ where: { exp: { lt: Math.floor(endedBefore.getTime() / 1000) } } })).count;
}
