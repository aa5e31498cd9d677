import {
  identityProviderSettingsSchema,
  idPrefixes,
  type IdentityProvider,
  type IdentityProviderSettings,
  type ProviderSnapshot,
} from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { IdentityProviderModel } from '../generated/models.ts';
import { beforeCursor, isIdOf, pageArguments, toPage, type Page, type PageRequest } from '../page.ts';

export interface IdentityProviderWrite {
  readonly name: string;
  readonly disabled: boolean;
  readonly settings: IdentityProviderSettings;
}

function toIdentityProvider(row: IdentityProviderModel): IdentityProvider {
  return {
    id: row.id,
    name: row.name,
    disabled: row.disabled,
    ...identityProviderSettingsSchema.parse(row.settings),
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export async function findIdentityProvider(tx: Transaction, reference: string): Promise<IdentityProvider | null> {
  const isId = isIdOf(idPrefixes.identity_provider, reference);
  const byId = isId ? await tx.identityProvider.findUnique({ where: { id: reference } }) : null;
  const row = byId ?? (await tx.identityProvider.findUnique({ where: { name: reference } }));
  return row === null ? null : toIdentityProvider(row);
}

/** Every provider that may have issued a token with this `iss`. */
export async function identityProvidersOfIssuer(tx: Transaction, issuer: string): Promise<ProviderSnapshot[]> {
  const rows = await tx.identityProvider.findMany({ where: { issuer }, orderBy: { id: 'asc' } });
  return rows.map(({ id, name, disabled, settings }) => ({ id, name, disabled, settings: identityProviderSettingsSchema.parse(settings) }));
}

export async function listIdentityProviders(
  tx: Transaction,
  filter: { disabled?: boolean | undefined },
  page: PageRequest,
): Promise<Page<IdentityProvider>> {
  const where = { id: beforeCursor(page), ...(filter.disabled === undefined ? {} : { disabled: filter.disabled }) };
  return toPage(await tx.identityProvider.findMany({ where, ...pageArguments(page) }), page, toIdentityProvider);
}

export async function insertIdentityProvider(
  tx: Transaction,
  row: IdentityProviderWrite & { id: string; revision: number; at: Date },
): Promise<IdentityProvider> {
  const { at, settings, ...rest } = row;
  return toIdentityProvider(
    await tx.identityProvider.create({ data: { ...rest, settings, issuer: settings.issuer, createdAt: at, updatedAt: at } }),
  );
}

export async function updateIdentityProvider(
  tx: Transaction,
  id: string,
  row: IdentityProviderWrite & { revision: number; at: Date },
): Promise<IdentityProvider> {
  const { at, settings, ...rest } = row;
  return toIdentityProvider(
    await tx.identityProvider.update({
      where: { id },
      data: { ...rest, settings, issuer: settings.issuer, updatedAt: at, version: { increment: 1 } },
    }),
  );
}

export async function deleteIdentityProvider(tx: Transaction, id: string): Promise<void> {
  await tx.identityProvider.delete({ where: { id } });
}
