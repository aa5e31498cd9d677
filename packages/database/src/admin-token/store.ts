import type { AdminToken, Role } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { AdminTokenModel } from '../generated/models.ts';
import { beforeCursor, pageArguments, toPage, type Page, type PageRequest } from '../page.ts';

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

export async function findAdminTokenByHash(tx: Transaction, hash: string): Promise<AdminToken | null> {
  const row = await tx.adminToken.findUnique({ where: { hash } });
  return row === null ? null : toAdminToken(row);
}

export async function findAdminToken(tx: Transaction, id: string): Promise<AdminToken | null> {
  const row = await tx.adminToken.findUnique({ where: { id } });
  return row === null ? null : toAdminToken(row);
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
  return toPage(await tx.adminToken.findMany({ where, ...pageArguments(page) }), page, toAdminToken);
}

export async function insertAdminToken(tx: Transaction, write: AdminTokenWrite): Promise<AdminToken> {
  const { at, groups, ...rest } = write;
  return toAdminToken(await tx.adminToken.create({ data: { ...rest, groups: [...groups], createdAt: at } }));
}

/** Serialises what counts or changes who may administer, until the transaction ends. */
export async function lockAdminTokens(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(72707371)`;
}

export async function countAdminTokens(tx: Transaction): Promise<number> {
  return tx.adminToken.count();
}

/** Tokens other than `id` that can administer at `now`. */
export async function countOtherAdministrators(tx: Transaction, id: string, now: Date): Promise<number> {
  return tx.adminToken.count({
    where: { id: { not: id }, role: 'admin', revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
  });
}

export async function revokeAdminToken(tx: Transaction, id: string, at: Date): Promise<AdminToken> {
  return toAdminToken(await tx.adminToken.update({ where: { id }, data: { revokedAt: at } }));
}

/** Notes the use, once a minute at most. */
export async function noteAdminTokenUse(tx: Transaction, id: string, at: Date): Promise<void> {
  const minuteAgo = new Date(at.getTime() - 60_000);
  await tx.adminToken.updateMany({
    where: { id, OR: [{ lastUsedAt: null }, { lastUsedAt: { lte: minuteAgo } }] },
    data: { lastUsedAt: at },
  });
}
