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
import { recentRevocations } from '../grant/store.ts';
import { bindGuard, guardOf } from '../row-signatures/guard.ts';
import type { ConnectionModel, CredentialSourceModel, PolicyRevisionModel } from '../generated/models.ts';
import { readRevision } from './revision.ts';

/** The part of a snapshot that is in the database. */
export type StoredSnapshot = Pick<Snapshot, 'revision' | 'full' | 'providers' | 'identities' | 'connections' | 'removed' | 'revokedGrants'>;

/**
 * What relays work by, as of one revision: everything, or what changed after `since`. A `since` that this database
 * has not reached (it was restored from a backup), or from before the oldest tombstone that is still kept, gets everything.
 *
 * A row that is not what the control plane wrote is not part of it: to relays it is removed, and it is reported. A
 * connection is removed as well where its credential or its policy is such a row.
 */
export async function readSnapshot(database: Database, since: number | undefined, now: Date): Promise<StoredSnapshot> {
  return database.prisma.$transaction(
    async (tx) => {
      bindGuard(tx, guardOf(database.prisma));
      const revision = await readRevision(tx);
      const isReached = since !== undefined && since !== 0 && since <= revision;
      const from = isReached && since >= (await oldestTombstone(tx)) ? since : null;
      const changed = from === null ? {} : { revision: { gt: from } };
      const refused: string[] = [];
      const providers = await readProviders(tx, changed, refused);
      const identities = await readIdentities(tx, changed, refused);
      const connections = await readConnections(tx, changed, refused);
      const gone = from === null ? [] : (await tx.tombstone.findMany({ where: changed, select: { id: true } })).map((row) => row.id);
      const revokedGrants = await readRevokedGrants(tx, changed, now);
      return {
        revision,
        full: from === null,
        providers,
        identities,
        connections,
        removed: from === null ? [] : [...gone, ...refused],
        revokedGrants,
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

/** Those rows of a kind that may be used; the ids of the others go to `refused`. */
async function usable<T extends { id: string; signature: string | null }>(
  tx: Transaction,
  kind: 'identity_provider' | 'identity' | 'connection',
  rows: T[],
  refused: string[],
): Promise<T[]> {
  const good = await guardOf(tx).authentic(kind, rows);
  if (good.length === rows.length) return rows;
  const ids = new Set(good.map((row) => row.id));
  refused.push(...rows.filter((row) => !ids.has(row.id)).map((row) => row.id));
  return good;
}

async function readRevokedGrants(tx: Transaction, changed: Changed, now: Date): Promise<{ jti: string; exp: number }[]> {
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const rows = await guardOf(tx).authentic(
    'revoked_grant',
    await tx.revokedGrant.findMany({ where: { ...changed, exp: { gt: nowSeconds } } }),
  );
  const known = new Map(rows.map(({ jti, exp }) => [jti, exp]));
  for (const { jti, exp } of await recentRevocations(tx, now)) if (exp > nowSeconds && !known.has(jti)) known.set(jti, exp);
  return [...known].map(([jti, exp]) => ({ jti, exp }));
}

async function readProviders(tx: Transaction, where: Changed, refused: string[]): Promise<ProviderSnapshot[]> {
  const rows = await usable(tx, 'identity_provider', await tx.identityProvider.findMany({ where }), refused);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    disabled: row.disabled,
    settings: identityProviderSettingsSchema.parse(row.settings),
  }));
}

async function readIdentities(tx: Transaction, where: Changed, refused: string[]): Promise<IdentitySnapshot[]> {
  const rows = await usable(tx, 'identity', await tx.identity.findMany({ where }), refused);
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

async function readConnections(tx: Transaction, where: Changed, refused: string[]): Promise<ConnectionSnapshot[]> {
  const guard = guardOf(tx);
  const all = await tx.connection.findMany({
    where,
    include: { identities: { select: { identityId: true } }, credential: true, policy: { select: { id: true, currentRevision: true } } },
  });
  const rows = await usable(tx, 'connection', all, refused);
  const policies = rows.flatMap((row) => (row.policy === null ? [] : [row.policy]));
  // The present revision of each policy, in one query: (id, revision) pairs joined against the policies themselves.
  const revisions = await tx.$queryRaw<PolicyRevisionModel[]>`
    SELECT r.policy_id AS "policyId", r.revision, r.rules, r.mask, r.comment, r.created_by AS "createdBy", r.created_at AS "createdAt", r.signature
    FROM policies p
    JOIN policy_revisions r ON r.policy_id = p.id AND r.revision = p.current_revision
    WHERE p.id = ANY(${policies.map((policy) => policy.id)})`;
  const contents = new Map((await guard.authentic('policy_revision', revisions)).map((row) => [row.policyId, row]));
  const credentials = await guard.authentic(
    'credential_source',
    rows.flatMap((row) => (row.credential === null ? [] : [row.credential])),
  );
  const openable = new Set(credentials.map((row) => row.id));
  return rows.flatMap((row) => {
    const content = row.policy === null ? undefined : contents.get(row.policy.id);
    // The connection says that it has them: one that is gone, or that cannot be trusted, leaves nothing to work by.
    if ((row.policy !== null && content === undefined) || (row.credential !== null && !openable.has(row.credential.id))) {
      const part =
        row.policy !== null && content === undefined
          ? `revision ${row.policy.currentRevision} of its policy ${row.policy.id}`
          : `its credential ${row.credential?.id}`;
      const detail = `The connection "${row.name}" (${row.id}) is not served: ${part} is not what was written.`;
      guard.report({ kind: 'connection', id: row.id, detail });
      refused.push(row.id);
      return [];
    }
    return [connectionOf(row, content)];
  });
}

type ConnectionRow = ConnectionModel & {
  readonly identities: readonly { readonly identityId: string }[];
  readonly credential: CredentialSourceModel | null;
  readonly policy: { readonly id: string; readonly currentRevision: number } | null;
};

function connectionOf(row: ConnectionRow, content: PolicyRevisionModel | undefined): ConnectionSnapshot {
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
}
