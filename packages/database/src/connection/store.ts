import { connectionSettingsSchema, idPrefixes, type Connection, type ConnectionSettings } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { ConnectionModel } from '../generated/models.ts';
import { beforeCursor, isIdOf, pageArguments, toPage, type Page, type PageRequest } from '../page.ts';

export interface ConnectionWrite {
  readonly name: string;
  readonly disabled: boolean;
  readonly settings: ConnectionSettings;
  readonly identityIds: readonly string[];
}

const include = {
  identities: { select: { identity: { select: { id: true, name: true } } }, orderBy: { identityId: 'asc' } },
  credential: { select: { id: true, settings: true } },
  policy: { select: { id: true, currentRevision: true } },
} as const;

type Row = ConnectionModel & {
  identities: { identity: { id: string; name: string } }[];
  credential: { id: string; settings: unknown } | null;
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
  return row === null ? null : toConnection(row);
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
  return toPage(await tx.connection.findMany({ where, include, ...pageArguments(page) }), page, toConnection);
}

/** Connections that an identity may use now: what a grant can be good for. By name. */
export async function usableConnections(
  tx: Transaction,
  identityId: string,
): Promise<{ id: string; name: string; settings: ConnectionSettings }[]> {
  const rows = await tx.connection.findMany({
    where: { disabled: false, identities: { some: { identityId } } },
    select: { id: true, name: true, settings: true },
    orderBy: { name: 'asc' },
  });
  return rows.map((row) => ({ id: row.id, name: row.name, settings: connectionSettingsSchema.parse(row.settings) }));
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
  const identities = { create: identityIds.map((identityId) => ({ identityId })) };
  return toConnection(await tx.connection.create({ data: { ...rest, identities, createdAt: at, updatedAt: at }, include }));
}

export async function updateConnection(
  tx: Transaction,
  id: string,
  row: Partial<ConnectionWrite> & { revision: number; at: Date },
): Promise<Connection> {
  const { at, identityIds, ...rest } = row;
  const identities =
    identityIds === undefined ? {} : { identities: { deleteMany: {}, create: identityIds.map((identityId) => ({ identityId })) } };
  return toConnection(
    await tx.connection.update({ where: { id }, data: { ...rest, ...identities, updatedAt: at, version: { increment: 1 } }, include }),
  );
}

/**
 * Marks a connection as changed because something of it (credential, policy) did, so that relays get it anew. Its own
 * version stays: what `If-Match` guards has not changed.
 */
export async function touchConnection(tx: Transaction, id: string, revision: number): Promise<void> {
  await tx.connection.update({ where: { id }, data: { revision } });
}

export async function deleteConnection(tx: Transaction, id: string): Promise<void> {
  await tx.connection.delete({ where: { id } });
}
