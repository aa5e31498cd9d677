import { connectionSettingsSchema, idPrefixes, type Connection, type ConnectionSettings } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { ConnectionModel } from '../generated/models.ts';
import { beforeCursor, isIdOf, pageArguments, toAuthenticPage, type Page, type PageRequest } from '../page.ts';
import { guardOf } from '../row-signatures/guard.ts';
import type { ConnectionParts } from '../row-signatures/kinds.ts';

export interface ConnectionWrite {
  readonly name: string;
  readonly disabled: boolean;
  readonly settings: ConnectionSettings;
  readonly identityIds: readonly string[];
}

const include = {
  identities: { select: { identityId: true, identity: { select: { id: true, name: true } } }, orderBy: { identityId: 'asc' } },
  credential: { select: { id: true, version: true, settings: true } },
  policy: { select: { id: true, currentRevision: true } },
} as const;

type Row = ConnectionModel & {
  identities: { identityId: string; identity: { id: string; name: string } }[];
  credential: { id: string; version: number; settings: unknown } | null;
  policy: { id: string; currentRevision: number } | null;
};

function toConnection(row: Row): Connection {
  return {
    id: row.id,
    name: row.name,
    disabled: row.disabled,
    ...connectionSettingsSchema.parse(row.settings),
    identities: row.identities.map((one) => one.identity),
    credential: row.credential === null ? null : { id: row.credential.id, type: (row.credential.settings as { type: string }).type },
    policy: row.policy === null ? null : { id: row.policy.id, revision: row.policy.currentRevision },
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export async function findConnection(tx: Transaction, reference: string): Promise<Connection | null> {
  const isId = isIdOf(idPrefixes.connection, reference);
  const byId = isId ? await tx.connection.findUnique({ where: { id: reference }, include }) : null;
  const row = byId ?? (await tx.connection.findUnique({ where: { name: reference }, include }));
  return row === null ? null : toConnection(guardOf(tx).require('connection', row));
}

export interface ConnectionFilter {
  readonly identityId?: string | undefined;
  readonly disabled?: boolean | undefined;
}

export async function listConnections(tx: Transaction, filter: ConnectionFilter, page: PageRequest): Promise<Page<Connection>> {
  const where = {
    id: beforeCursor(page),
    ...(filter.identityId === undefined ? {} : { identities: { some: { identityId: filter.identityId } } }),
    ...(filter.disabled === undefined ? {} : { disabled: filter.disabled }),
  };
  const rows = await tx.connection.findMany({ where, include, ...pageArguments(page) });
  return toAuthenticPage(tx, 'connection', rows, page, toConnection);
}

/** Connections that an identity may use now: what a grant can be good for. By name. */
export async function usableConnections(
  tx: Transaction,
  identityId: string,
): Promise<{ id: string; name: string; settings: ConnectionSettings }[]> {
  const rows = await tx.connection.findMany({
    where: { disabled: false, identities: { some: { identityId } } },
    include,
    orderBy: { name: 'asc' },
  });
  return (await guardOf(tx).authentic('connection', rows)).map((row) => ({
    id: row.id,
    name: row.name,
    settings: connectionSettingsSchema.parse(row.settings),
  }));
}

/** Names of connections that list an identity, for refusing its deletion. */
export async function connectionsOfIdentity(tx: Transaction, identityId: string): Promise<{ id: string; name: string }[]> {
  return tx.connection.findMany({
    where: { identities: { some: { identityId } } },
    select: { id: true, name: true },
    orderBy: { name: 'asc' },
    take: 100,
  });
}

export async function insertConnection(
  tx: Transaction,
  row: ConnectionWrite & { id: string; revision: number; at: Date },
): Promise<Connection> {
  const { at, identityIds, ...rest } = row;
  const data = { ...rest, version: 1, createdAt: at, updatedAt: at };
  const members = identityIds.map((identityId) => ({ identityId }));
  const signature = guardOf(tx).sign('connection', { ...data, identities: members, credential: null, policy: null });
  return toConnection(await tx.connection.create({ data: { ...data, signature, identities: { create: members } }, include }));
}

export async function updateConnection(
  tx: Transaction,
  id: string,
  row: Partial<ConnectionWrite> & { revision: number; at: Date },
): Promise<Connection> {
  const { at, identityIds, ...rest } = row;
  const before = await requireConnection(tx, id);
  const members = identityIds?.map((identityId) => ({ identityId }));
  const next = { ...before, ...rest, updatedAt: at, version: before.version + 1 };
  return toConnection(await rewriteConnection(tx, next, { ...before, identities: members ?? before.identities }, members !== undefined));
}

const requireConnection = async (tx: Transaction, id: string): Promise<Row> =>
  guardOf(tx).require('connection', await tx.connection.findUniqueOrThrow({ where: { id }, include }));

/** Writes every column, so that what is signed is what is stored; members only where they change. */
async function rewriteConnection(
  tx: Transaction,
  row: Omit<ConnectionModel, 'settings'> & { settings: unknown },
  { identities, credential, policy }: ConnectionParts,
  hasNewMembers: boolean,
): Promise<Row> {
  const { id, name, disabled, version, revision, createdAt, updatedAt } = row;
  const data = { name, disabled, settings: row.settings as object, version, revision, createdAt, updatedAt };
  const signature = guardOf(tx).sign('connection', { id, ...data, identities, credential, policy });
  const members = identities.map(({ identityId }) => ({ identityId }));
  return tx.connection.update({
    where: { id },
    data: { ...data, signature, ...(hasNewMembers ? { identities: { deleteMany: {}, create: members } } : {}) },
    include,
  });
}

/**
 * Marks a connection as changed because something of it (credential, policy) is about to change, so that relays get it
 * anew; which credential and policy it has is signed with it, so this comes before they are written. Its own version
 * stays: what `If-Match` guards has not changed.
 */
export async function touchConnection(
  tx: Transaction,
  id: string,
  revision: number,
  change: (before: ConnectionParts) => Partial<Pick<ConnectionParts, 'credential' | 'policy'>>,
): Promise<ConnectionParts> {
  const before = await requireConnection(tx, id);
  const { identities, credential, policy } = { ...before, ...change(before) };
  const next: ConnectionParts = { identities, credential, policy };
  await rewriteConnection(tx, { ...before, revision }, next, false);
  return next;
}

export async function deleteConnection(tx: Transaction, id: string): Promise<void> {
  const guard = guardOf(tx);
  const credential = await tx.credentialSource.findUnique({ where: { connectionId: id }, select: { id: true } });
  await tx.connection.delete({ where: { id } });
  guard.remove('connection', id);
  if (credential !== null) guard.remove('credential_source', credential.id);
}
