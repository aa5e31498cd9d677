import { idPrefixes, type Identity, type IdentitySnapshot } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { IdentityModel } from '../generated/models.ts';
import { beforeCursor, isIdOf, pageArguments, toPage, type Page, type PageRequest } from '../page.ts';

export interface IdentityWrite {
  readonly name: string;
  readonly providerId: string;
  readonly match: string;
  readonly owner: string;
  readonly labels: Record<string, string>;
  readonly disabled: boolean;
  readonly grantsNotBefore: number;
}

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
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export async function findIdentity(tx: Transaction, reference: string): Promise<Identity | null> {
  const isId = isIdOf(idPrefixes.identity, reference);
  const byId = isId ? await tx.identity.findUnique({ where: { id: reference }, include }) : null;
  const row = byId ?? (await tx.identity.findUnique({ where: { name: reference }, include }));
  return row === null ? null : toIdentity(row);
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
  return toPage(await tx.identity.findMany({ where, include, ...pageArguments(page) }), page, toIdentity);
}

/** The identities of a provider: those whose `match` a token of it is tried against. */
export async function identitiesOfProvider(tx: Transaction, providerId: string): Promise<IdentitySnapshot[]> {
  const rows = await tx.identity.findMany({ where: { providerId }, orderBy: { id: 'asc' } });
  return rows.map(({ id, name, match, owner, labels, disabled, grantsNotBefore }) => ({
    id,
    name,
    providerId,
    match,
    owner,
    labels: labels as Record<string, string>,
    disabled,
    grantsNotBefore,
  }));
}

export async function insertIdentity(
  tx: Transaction,
  row: Omit<IdentityWrite, 'grantsNotBefore'> & { id: string; revision: number; at: Date },
): Promise<Identity> {
  const { at, ...rest } = row;
  return toIdentity(await tx.identity.create({ data: { ...rest, createdAt: at, updatedAt: at }, include }));
}

export async function updateIdentity(
  tx: Transaction,
  id: string,
  row: Partial<IdentityWrite> & { revision: number; at: Date },
): Promise<Identity> {
  const { at, ...rest } = row;
  return toIdentity(await tx.identity.update({ where: { id }, data: { ...rest, updatedAt: at, version: { increment: 1 } }, include }));
}

/** Ends the grants of all identities of a provider: those issued before `notBefore` (Unix seconds). */
export async function revokeGrantsOfProvider(tx: Transaction, providerId: string, notBefore: number, revision: number): Promise<void> {
  await tx.identity.updateMany({
    where: { providerId, grantsNotBefore: { lt: notBefore } },
    data: { grantsNotBefore: notBefore, revision },
  });
}

export async function deleteIdentity(tx: Transaction, id: string): Promise<void> {
  await tx.identity.delete({ where: { id } });
}
