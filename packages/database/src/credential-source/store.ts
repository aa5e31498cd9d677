import { credentialSourceSettingsSchema, type CredentialSource, type CredentialSourceSettings } from '@hoop/contract';

import { touchConnection } from '../connection/store.ts';
import type { Transaction } from '../database.ts';
import type { CredentialSourceModel } from '../generated/models.ts';
import { guardOf } from '../row-signatures/guard.ts';

export interface CredentialSourceWrite {
  readonly settings: CredentialSourceSettings;
  readonly sealed: string;
  readonly sealedHosts: readonly string[];
}

const include = { connection: { select: { id: true, name: true } } } as const;
type Row = CredentialSourceModel & { connection: { id: string; name: string } };

/** `sealed` stays here: only snapshots carry it. */
function toCredentialSource(row: Row): CredentialSource {
  return {
    id: row.id,
    connection: row.connection,
    settings: credentialSourceSettingsSchema.parse(row.settings),
    hosts: row.sealedHosts,
    sealedAt: row.sealedAt.toISOString(),
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export async function findCredentialSource(tx: Transaction, connectionId: string): Promise<CredentialSource | null> {
  const row = await tx.credentialSource.findUnique({ where: { connectionId }, include });
  return row === null ? null : toCredentialSource(guardOf(tx).require('credential_source', row));
}

export async function insertCredentialSource(
  tx: Transaction,
  row: CredentialSourceWrite & { id: string; connectionId: string; revision: number; at: Date },
): Promise<CredentialSource> {
  const { at, sealedHosts, revision, ...rest } = row;
  await touchConnection(tx, row.connectionId, revision, () => ({ credential: { id: row.id, version: 1 } }));
  const data = { ...rest, sealedHosts: [...sealedHosts], sealedAt: at, version: 1, createdAt: at, updatedAt: at };
  const signature = guardOf(tx).sign('credential_source', data);
  return toCredentialSource(await tx.credentialSource.create({ data: { ...data, signature }, include }));
}

export async function updateCredentialSource(
  tx: Transaction,
  id: string,
  row: CredentialSourceWrite & { revision: number; at: Date },
): Promise<CredentialSource> {
  const { at, sealedHosts, revision, ...rest } = row;
  const guard = guardOf(tx);
  const before = guard.require('credential_source', await tx.credentialSource.findUniqueOrThrow({ where: { id } }));
  await touchConnection(tx, before.connectionId, revision, () => ({ credential: { id, version: before.version + 1 } }));
  const { signature: _, ...kept } = before;
  const data = { ...kept, ...rest, sealedHosts: [...sealedHosts], sealedAt: at, updatedAt: at, version: before.version + 1 };
  const signature = guard.sign('credential_source', data);
  return toCredentialSource(await tx.credentialSource.update({ where: { id }, data: { ...data, signature }, include }));
}

export async function deleteCredentialSource(tx: Transaction, id: string, connectionId: string, revision: number): Promise<void> {
  await touchConnection(tx, connectionId, revision, () => ({ credential: null }));
  await tx.credentialSource.delete({ where: { id } });
  guardOf(tx).remove('credential_source', id);
}
