import { credentialSourceSettingsSchema, type CredentialSource, type CredentialSourceSettings } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { CredentialSourceModel } from '../generated/models.ts';

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
  return row === null ? null : toCredentialSource(row);
}

export async function insertCredentialSource(
  tx: Transaction,
  row: CredentialSourceWrite & { id: string; connectionId: string; at: Date },
): Promise<CredentialSource> {
  const { at, sealedHosts, ...rest } = row;
  return toCredentialSource(
    await tx.credentialSource.create({
      data: { ...rest, sealedHosts: [...sealedHosts], sealedAt: at, createdAt: at, updatedAt: at },
      include,
    }),
  );
}

export async function updateCredentialSource(
  tx: Transaction,
  id: string,
  row: CredentialSourceWrite & { at: Date },
): Promise<CredentialSource> {
  const { at, sealedHosts, ...rest } = row;
  return toCredentialSource(
    await tx.credentialSource.update({
      where: { id },
      data: { ...rest, sealedHosts: [...sealedHosts], sealedAt: at, updatedAt: at, version: { increment: 1 } },
      include,
    }),
  );
}

export async function deleteCredentialSource(tx: Transaction, id: string): Promise<void> {
  await tx.credentialSource.delete({ where: { id } });
}
