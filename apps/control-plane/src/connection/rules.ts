import { AppError, connectionSettingsSchema, type Connection, type ConnectionSettings } from '@hoop/contract';
import { findConnection, findCredentialSource, findIdentity, type Transaction } from '@hoop/database';
import { boundHosts } from '@hoop/sealing';
import { headerKind, parseTarget } from '@hoop/upstream';
import { z } from 'zod';

import { referred } from '../http/found.ts';

/** Leaves out what else a connection has. */
const settingsAlone = z.object(connectionSettingsSchema.shape);

/** Those that would change method or path are refused always. */
const mayPass = (name: string): boolean => headerKind(name).fromProxy === name && !headerKind(name).overriding;

export function settingsOf<T extends ConnectionSettings>(input: T): ConnectionSettings {
  const settings = settingsAlone.parse(input);
  parseTarget(settings);
  const other = settings.proxyHeaders.find((name) => !mayPass(name));
  if (other !== undefined) {
    throw new AppError('invalid_request', `proxyHeaders: "${other}" is not among the proxy headers that Hoop drops by default.`);
  }
  return settings;
}

export async function refuseNamesake(tx: Transaction, name: string, ownId: string | null): Promise<void> {
  const namesake = await findConnection(tx, name);
  if (namesake !== null && namesake.name === name && namesake.id !== ownId) {
    throw new AppError('name_taken', `There is a connection "${name}" already.`);
  }
}

/** Ids of the identities that are meant, each once. */
export async function identityIdsOf(tx: Transaction, references: readonly string[]): Promise<string[]> {
  const ids = new Set<string>();
  for (const [i, reference] of references.entries()) {
    ids.add(referred(await findIdentity(tx, reference), 'identity', `identities[${i}]`, reference).id);
  }
  return [...ids];
}

/**
 * A sealed credential is good for the origins that it was sealed to. Changing them under it would send it elsewhere
 * (the relay would refuse to open it), so it must be deleted first and entered again after.
 */
export async function refuseHostChange(tx: Transaction, before: Connection, wanted: ConnectionSettings): Promise<void> {
  const credential = await findCredentialSource(tx, before.id);
  if (credential === null) return;
  const hosts = boundHosts(wanted, credential.settings);
  if (hosts.length === credential.hosts.length && hosts.every((host) => credential.hosts.includes(host))) return;
  throw new AppError(
    'credential_bound_to_hosts',
    `The credential of "${before.name}" is sealed to ${credential.hosts.join(', ')}. Delete it, change the hosts, and set it again.`,
    { extras: { hosts: credential.hosts } },
  );
}
