import { isDeepStrictEqual } from 'node:util';

import { idPrefixes, nothingUnmanaged, unmanagedSchema, type Identity, type IdentitySnapshot, type Unmanaged } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { Prisma } from '../generated/client.ts';
import type { IdentityModel } from '../generated/models.ts';
import { beforeCursor, isIdOf, pageArguments, toAuthenticPage, type Page, type PageRequest } from '../page.ts';
import { guardOf } from '../row-signatures/guard.ts';

export interface IdentityWrite {
  readonly name: string;
  readonly providerId: string;
  readonly match: string;
  readonly owner: string;
  readonly labels: Record<string, string>;
  readonly disabled: boolean;
  readonly grantsNotBefore: number;
  readonly unmanaged: Unmanaged;
}

/** The column holds null for the default, as it did before there were tunnels. */
const unmanagedColumn = (unmanaged: Unmanaged): object | null => (isDeepStrictEqual(unmanaged, nothingUnmanaged) ? null : unmanaged);
export const readUnmanaged = (column: unknown): Unmanaged => (column === null ? nothingUnmanaged : unmanagedSchema.parse(column));

const include = { provider: { select: { id: true, name: true } } } as const;
type Row = IdentityModel & { provider: { id: string; name: string } };

function toIdentity(row: Row): Identity {
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    match: row.match,
    owner: row.owner,
    labels: row.labels as Record<string, string>,
    disabled: row.disabled,
    grantsNotBefore: row.grantsNotBefore,
    unmanaged: readUnmanaged(row.unmanaged),
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export async function findIdentity(tx: Transaction, reference: string): Promise<Identity | null> {
  const isId = isIdOf(idPrefixes.identity, reference);
  const byId = isId ? await tx.identity.findUnique({ where: { id: reference }, include }) : null;
  const row = byId ?? (await tx.identity.findUnique({ where: { name: reference }, include }));
  return row === null ? null : toIdentity(guardOf(tx).require('identity', row));
}

export interface IdentityFilter {
  readonly providerId?: string | undefined;
  readonly owner?: string | undefined;
  readonly disabled?: boolean | undefined;
}

export async function listIdentities(tx: Transaction, filter: IdentityFilter, page: PageRequest): Promise<Page<Identity>> {
  const where = {
    id: beforeCursor(page),
    ...(filter.providerId === undefined ? {} : { providerId: filter.providerId }),
    ...(filter.owner === undefined ? {} : { owner: filter.owner }),
    ...(filter.disabled === undefined ? {} : { disabled: filter.disabled }),
  };
  const rows = await tx.identity.findMany({ where, include, ...pageArguments(page) });
  return toAuthenticPage(tx, 'identity', rows, page, toIdentity);
}

/**
 * The identities of a provider: those whose `match` a token of it is tried against.
 * @throws AppError `row_not_authentic` where one of them cannot be trusted: without it, its callers could match a wider one
 */
export async function identitiesOfProvider(tx: Transaction, providerId: string): Promise<IdentitySnapshot[]> {
  const rows = await tx.identity.findMany({ where: { providerId }, orderBy: { id: 'asc' } });
  for (const row of rows) guardOf(tx).require('identity', row);
  return rows.map(({ id, name, match, owner, labels, disabled, grantsNotBefore, unmanaged }) => ({
    id,
    name,
    providerId,
    match,
    owner,
    labels: labels as Record<string, string>,
    disabled,
    grantsNotBefore,
    unmanaged: readUnmanaged(unmanaged),
  }));
}

export async function insertIdentity(
  tx: Transaction,
  row: Omit<IdentityWrite, 'grantsNotBefore'> & { id: string; revision: number; at: Date },
): Promise<Identity> {
  const { at, unmanaged: wanted, ...rest } = row;
  const unmanaged = unmanagedColumn(wanted);
  const data = { ...rest, grantsNotBefore: 0, version: 1, createdAt: at, updatedAt: at };
  const signature = guardOf(tx).sign('identity', { ...data, unmanaged });
  return toIdentity(await tx.identity.create({ data: { ...data, unmanaged: unmanaged ?? Prisma.DbNull, signature }, include }));
}

export async function updateIdentity(
  tx: Transaction,
  id: string,
  row: Partial<IdentityWrite> & { revision: number; at: Date },
): Promise<Identity> {
  const { at, unmanaged, ...rest } = row;
  const before = await requireIdentity(tx, id);
  const column = unmanaged === undefined ? before.unmanaged : (unmanagedColumn(unmanaged) as IdentityModel['unmanaged']);
  return toIdentity(await rewriteIdentity(tx, { ...before, ...rest, unmanaged: column, updatedAt: at, version: before.version + 1 }));
}

const requireIdentity = async (tx: Transaction, id: string): Promise<IdentityModel> =>
  guardOf(tx).require('identity', await tx.identity.findUniqueOrThrow({ where: { id } }));

/** Writes every column, so that what is signed is what is stored. */
function rewriteIdentity(tx: Transaction, { signature: _, ...row }: IdentityModel): Promise<Row> {
  const data = {
    ...row,
    labels: row.labels as object,
    unmanaged: row.unmanaged === null ? Prisma.DbNull : (row.unmanaged as object),
    signature: guardOf(tx).sign('identity', row),
  };
  return tx.identity.update({ where: { id: row.id }, data, include });
}

/** Ends the grants of all identities of a provider: those issued before `notBefore` (Unix seconds). */
export async function revokeGrantsOfProvider(tx: Transaction, providerId: string, notBefore: number, revision: number): Promise<void> {
  const rows = await tx.identity.findMany({ where: { providerId, grantsNotBefore: { lt: notBefore } } });
  // One that cannot be trusted is served to nobody, and stays as it is.
  for (const row of await guardOf(tx).authentic('identity', rows))
    await rewriteIdentity(tx, { ...row, grantsNotBefore: notBefore, revision });
}

export async function deleteIdentity(tx: Transaction, id: string): Promise<void> {
  await tx.identity.delete({ where: { id } });
  guardOf(tx).remove('identity', id);
}
