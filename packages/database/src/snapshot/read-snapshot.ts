import {
  connectionSettingsSchema,
  credentialSourceSettingsSchema,
  identityProviderSettingsSchema,
  maskRulesSchema,
  rulesSchema,
  type ConnectionSnapshot,
  type IdentitySnapshot,
  type ProviderSnapshot,
  type Snapshot,
} from '@hoop/contract';

import type { Database, Transaction } from '../database.ts';
import { readRevision } from './revision.ts';

/** The part of a snapshot that is in the database. */
export type StoredSnapshot = Pick<Snapshot, 'revision' | 'full' | 'providers' | 'identities' | 'connections' | 'removed' | 'revokedGrants'>;

/**
 * What relays work by, as of one revision: everything, or what changed after `since`. A `since` that this database
 * has not reached (it was restored from a backup), or from before the oldest tombstone that is still kept, gets everything.
 */
export async function readSnapshot(database: Database, since: number | undefined, now: Date): Promise<StoredSnapshot> {
  return database.prisma.$transaction(
    async (tx) => {
      const revision = await readRevision(tx);
      const isReached = since !== undefined && since !== 0 && since <= revision;
      const from = isReached && since >= (await oldestTombstone(tx)) ? since : null;
      const changed = from === null ? {} : { revision: { gt: from } };
      const nowSeconds = Math.floor(now.getTime() / 1000);
      return {
        revision,
        full: from === null,
        providers: await readProviders(tx, changed),
        identities: await readIdentities(tx, changed),
        connections: await readConnections(tx, changed),
        removed: from === null ? [] : (await tx.tombstone.findMany({ where: changed, select: { id: true } })).map((row) => row.id),
        revokedGrants: await tx.revokedGrant.findMany({ where: { ...changed, exp: { gt: nowSeconds } }, select: { jti: true, exp: true } }),
      };
    },
    { isolationLevel: 'RepeatableRead', maxWait: 5000, timeout: 30_000 },
  );
}

/** Revision of the oldest tombstone that is kept; 0: none was ever left, for the newest one of those that went stays. */
async function oldestTombstone(tx: Transaction): Promise<number> {
  const { _min } = await tx.tombstone.aggregate({ _min: { revision: true } });
  return _min.revision ?? 0;
}

type Changed = { revision?: { gt: number } };

async function readProviders(tx: Transaction, where: Changed): Promise<ProviderSnapshot[]> {
  const rows = await tx.identityProvider.findMany({ where });
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    disabled: row.disabled,
    settings: identityProviderSettingsSchema.parse(row.settings),
  }));
}

async function readIdentities(tx: Transaction, where: Changed): Promise<IdentitySnapshot[]> {
  const rows = await tx.identity.findMany({ where });
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    providerId: row.providerId,
    match: row.match,
    owner: row.owner,
    labels: row.labels as Record<string, string>,
    disabled: row.disabled,
    grantsNotBefore: row.grantsNotBefore,
  }));
}

async function readConnections(tx: Transaction, where: Changed): Promise<ConnectionSnapshot[]> {
  const rows = await tx.connection.findMany({
    where,
    include: { identities: { select: { identityId: true } }, credential: true, policy: { select: { id: true, currentRevision: true } } },
  });
  const policies = rows.flatMap((row) => (row.policy === null ? [] : [row.policy]));
  // The present revision of each policy, in one query: (id, revision) pairs joined against the policies themselves.
  const revisions = await tx.$queryRaw<{ policy_id: string; rules: unknown; mask: unknown }[]>`
    SELECT r.policy_id, r.rules, r.mask FROM policies p
    JOIN policy_revisions r ON r.policy_id = p.id AND r.revision = p.current_revision
    WHERE p.id = ANY(${policies.map((policy) => policy.id)})`;
  const contents = new Map(revisions.map((row) => [row.policy_id, row]));
  return rows.map((row) => {
    const content = row.policy === null ? undefined : contents.get(row.policy.id);
    return {
      id: row.id,
      name: row.name,
      disabled: row.disabled,
      settings: connectionSettingsSchema.parse(row.settings),
      identityIds: row.identities.map((one) => one.identityId),
      credential:
        row.credential === null
          ? null
          : {
              id: row.credential.id,
              revision: row.credential.version,
              settings: credentialSourceSettingsSchema.parse(row.credential.settings),
              sealed: row.credential.sealed,
            },
      policy:
        row.policy === null || content === undefined
          ? null
          : {
              id: row.policy.id,
              revision: row.policy.currentRevision,
              rules: rulesSchema.parse(content.rules),
              mask: maskRulesSchema.parse(content.mask),
            },
    };
  });
}
