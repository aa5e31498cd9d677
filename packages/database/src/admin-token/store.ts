import type { AdminToken, Role } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { AdminTokenModel } from '../generated/models.ts';
import { beforeCursor, pageArguments, toAuthenticPage, type Page, type PageRequest } from '../page.ts';
import { guardOf } from '../row-signatures/guard.ts';

export interface AdminTokenWrite {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** SHA-256, hex. */
  readonly hash: string;
  readonly userName: string | null;
  readonly groups: readonly string[];
  readonly createdBy: string;
  readonly at: Date;
  readonly expiresAt: Date | null;
}

function toAdminToken(row: AdminTokenModel): AdminToken {
  return {
    id: row.id,
    name: row.name,
    role: row.role as Role,
    user: row.userName,
    groups: row.groups,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  };
}

/** The action of a revocation's audit event. */
export const adminTokenRevocation = 'admin_token.revoke';

/**
 * Null also for a row that cannot be trusted: it is no token. One that the audit trail knows as revoked is revoked,
 * even where its row says otherwise: an older state of the row has a valid signature too.
 */
export async function findAdminTokenByHash(tx: Transaction, hash: string): Promise<AdminToken | null> {
  const row = await tx.adminToken.findUnique({ where: { hash } });
  const guard = guardOf(tx);
  if (row === null || !guard.isAuthentic('admin_token', row)) return null;
  const token = toAdminToken(row);
  if (token.revokedAt !== null) return token;
  const revocation = await tx.auditEvent.findFirst({ where: { targetId: row.id, action: adminTokenRevocation }, select: { at: true } });
  if (revocation === null) return token;
  guard.report({
    kind: 'admin_token',
    id: row.id,
    detail: `The row ${row.id} (admin_token) in the database was set back: the audit trail says that the token was revoked. It is not used.`,
  });
  return { ...token, revokedAt: revocation.at.toISOString() };
}

export async function findAdminToken(tx: Transaction, id: string): Promise<AdminToken | null> {
  const row = await tx.adminToken.findUnique({ where: { id } });
  return row === null ? null : toAdminToken(guardOf(tx).require('admin_token', row));
}

export async function listAdminTokens(
  tx: Transaction,
  filter: { role?: Role | undefined; revoked?: boolean | undefined },
  page: PageRequest,
): Promise<Page<AdminToken>> {
  const where = {
    id: beforeCursor(page),
    ...(filter.role === undefined ? {} : { role: filter.role }),
    ...(filter.revoked === undefined ? {} : { revokedAt: filter.revoked ? { not: null } : null }),
  };
  return toAuthenticPage(tx, 'admin_token', await tx.adminToken.findMany({ where, ...pageArguments(page) }), page, toAdminToken);
}

export async function insertAdminToken(tx: Transaction, write: AdminTokenWrite): Promise<AdminToken> {
  const { at, groups, ...rest } = write;
  const data = { ...rest, groups: [...groups], createdAt: at, revokedAt: null };
  return toAdminToken(await tx.adminToken.create({ data: { ...data, signature: guardOf(tx).sign('admin_token', data) } }));
}

/** Serialises what counts or changes who may administer, until the transaction ends. */
export async function lockAdminTokens(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(72707371)`;
}

export async function countAdminTokens(tx: Transaction): Promise<number> {
  return tx.adminToken.count();
}

/** Tokens from before rows were signed, or that somebody wrote by hand: none of them is accepted. */
export async function countUnsignedAdminTokens(tx: Transaction): Promise<number> {
  return tx.adminToken.count({ where: { signature: null } });
}

/** Tokens other than `id` that can administer at `now`. */
export async function countOtherAdministrators(tx: Transaction, id: string, now: Date): Promise<number> {
  const rows = await tx.adminToken.findMany({
    where: { id: { not: id }, role: 'admin', revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
  });
  return (await guardOf(tx).authentic('admin_token', rows)).length;
}

export async function revokeAdminToken(tx: Transaction, id: string, at: Date): Promise<AdminToken> {
  const guard = guardOf(tx);
  const before = guard.require('admin_token', await tx.adminToken.findUniqueOrThrow({ where: { id } }));
  const { signature: _, lastUsedAt: __, ...data } = { ...before, revokedAt: at };
  return toAdminToken(await tx.adminToken.update({ where: { id }, data: { ...data, signature: guard.sign('admin_token', data) } }));
}

/** Notes the use, once a minute at most. */
export async function noteAdminTokenUse(tx: Transaction, id: string, at: Date): Promise<void> {
  const minuteAgo = new Date(at.getTime() - 60_000);
  await tx.adminToken.updateMany({
    where: { id, OR: [{ lastUsedAt: null }, { lastUsedAt: { lte: minuteAgo } }] },
    data: { lastUsedAt: at },
  });
}
