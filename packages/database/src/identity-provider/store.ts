import {
  identityProviderSettingsSchema,
  idPrefixes,
  type IdentityProvider,
  type IdentityProviderSettings,
  type ProviderSnapshot,
} from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { IdentityProviderModel } from '../generated/models.ts';
import { beforeCursor, isIdOf, pageArguments, toAuthenticPage, type Page, type PageRequest } from '../page.ts';
import { guardOf } from '../row-signatures/guard.ts';

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
  return row === null ? null : toIdentityProvider(guardOf(tx).require('identity_provider', row));
}

/**
 * Every provider that may have issued a token with this `iss`.
 * @throws AppError `row_not_authentic` where one of them cannot be trusted: without it, another could accept its tokens
 */
export async function identityProvidersOfIssuer(tx: Transaction, issuer: string): Promise<ProviderSnapshot[]> {
  const rows = await tx.identityProvider.findMany({ where: { issuer }, orderBy: { id: 'asc' } });
  for (const row of rows) guardOf(tx).require('identity_provider', row);
  return rows.map(({ id, name, disabled, settings }) => ({ id, name, disabled, settings: identityProviderSettingsSchema.parse(settings) }));
}

export async function listIdentityProviders(
  tx: Transaction,
  filter: { disabled?: boolean | undefined },
  page: PageRequest,
): Promise<Page<IdentityProvider>> {
  const where = { id: beforeCursor(page), ...(filter.disabled === undefined ? {} : { disabled: filter.disabled }) };
  const rows = await tx.identityProvider.findMany({ where, ...pageArguments(page) });
  return toAuthenticPage(tx, 'identity_provider', rows, page, toIdentityProvider);
}

export async function insertIdentityProvider(
  tx: Transaction,
  row: IdentityProviderWrite & { id: string; revision: number; at: Date },
): Promise<IdentityProvider> {
  const { at, settings, ...rest } = row;
  const data = { ...rest, settings, issuer: settings.issuer, version: 1, createdAt: at, updatedAt: at };
  const signature = guardOf(tx).sign('identity_provider', data);
  return toIdentityProvider(await tx.identityProvider.create({ data: { ...data, signature } }));
}

export async function updateIdentityProvider(
  tx: Transaction,
  id: string,
  row: IdentityProviderWrite & { revision: number; at: Date },
): Promise<IdentityProvider> {
  const { at, settings, ...rest } = row;
  const guard = guardOf(tx);
  const before = guard.require('identity_provider', await tx.identityProvider.findUniqueOrThrow({ where: { id } }));
  const { signature: _, ...data } = { ...before, ...rest, settings, issuer: settings.issuer, updatedAt: at, version: before.version + 1 };
  return toIdentityProvider(
    await tx.identityProvider.update({ where: { id }, data: { ...data, signature: guard.sign('identity_provider', data) } }),
  );
}

export async function deleteIdentityProvider(tx: Transaction, id: string): Promise<void> {
  await tx.identityProvider.delete({ where: { id } });
  guardOf(tx).remove('identity_provider', id);
}
