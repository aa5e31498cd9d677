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
import { readUnmanaged } from '../identity/store.ts';
import type {
  ConnectionModel,
  CredentialSourceModel,
  IdentityModel,
  IdentityProviderModel,
  PolicyRevisionModel,
  RevokedGrantModel,
} from '../generated/models.ts';
import { guardOf, type RowGuard } from '../row-signatures/guard.ts';
import { readRevision } from './revision.ts';

/** The part of a snapshot that is in the database. */
export type StoredSnapshot = Pick<Snapshot, 'revision' | 'full' | 'providers' | 'identities' | 'connections' | 'removed' | 'revokedGrants'>;

/**
 * Reads the snapshot for relays at one revision: everything, or what changed after `since`. A `since` that this database
 * has not reached (it was restored from a backup), or from before the oldest tombstone that is still kept, gets everything.
 *
 * A row that is not what the control plane wrote is not part of it: to relays it is removed, and it is reported. A
 * connection is removed as well where its credential or its policy is such a row.
 */
export async function readSnapshot(database: Database, since: number | undefined, now: Date): Promise<StoredSnapshot> {
  const rows = await readRows(database, since, now);
  // Outside of the transaction: tens of thousands of signatures take seconds the first time.
  const guard = guardOf(database.prisma);
  const refused: string[] = [];
  return {
    revision: rows.revision,
    full: rows.isFull,
    providers: (await usable(guard, 'identity_provider', rows.providers, refused)).map(providerOf),
    identities: (await usable(guard, 'identity', rows.identities, refused)).map(identityOf),
    connections: await connectionsOf(guard, rows, refused),
    revokedGrants: await revokedGrantsOf(guard, rows, now),
    removed: rows.isFull ? [] : [...rows.gone, ...refused],
  };
}

interface SnapshotRows {
  readonly revision: number;
  readonly isFull: boolean;
  readonly providers: IdentityProviderModel[];
  readonly identities: IdentityModel[];
  readonly connections: ConnectionRow[];
  /** The revision in force of each connection's policy. */
  readonly policyRevisions: PolicyRevisionModel[];
  readonly gone: string[];
  readonly revokedGrants: RevokedGrantModel[];
  readonly recentRevocations: { jti: string; exp: number }[];
}

/** The rows as of one revision, unchecked. */
function readRows(database: Database, since: number | undefined, now: Date): Promise<SnapshotRows> {
  return database.prisma.$transaction(
    async (tx) => {
      const revision = await readRevision(tx);
      const isReached = since !== undefined && since !== 0 && since <= revision;
      const from = isReached && since >= (await oldestTombstone(tx)) ? since : null;
      const where = from === null ? {} : { revision: { gt: from } };
      const connections = await tx.connection.findMany({
        where,
        include: {
          identities: { select: { identityId: true } },
          credential: true,
          policy: { select: { id: true, currentRevision: true } },
        },
      });
      const policies = connections.flatMap((row) => (row.policy === null ? [] : [row.policy]));
      return {
        revision,
        isFull: from === null,
        providers: await tx.identityProvider.findMany({ where }),
        identities: await tx.identity.findMany({ where }),
        connections,
        // One query: (id, revision) pairs joined against the policies themselves.
        policyRevisions: await tx.$queryRaw<PolicyRevisionModel[]>`
          SELECT r.policy_id AS "policyId", r.revision, r.rules, r.mask, r.comment, r.created_by AS "createdBy", r.created_at AS "createdAt", r.signature
          FROM policies p
          JOIN policy_revisions r ON r.policy_id = p.id AND r.revision = p.current_revision
          WHERE p.id = ANY(${policies.map((policy) => policy.id)})`,
        gone: from === null ? [] : (await tx.tombstone.findMany({ where, select: { id: true } })).map((row) => row.id),
        revokedGrants: await tx.revokedGrant.findMany({ where: { ...where, exp: { gt: Math.floor(now.getTime() / 1000) } } }),
        recentRevocations: await recentRevocations(tx, now),
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

/** Those rows of a kind that may be used; the ids of the others go to `refused`. */
async function usable<T extends { id: string; signature: string | null }>(
  guard: RowGuard,
  kind: 'identity_provider' | 'identity' | 'connection',
  rows: readonly T[],
  refused: string[],
): Promise<readonly T[]> {
  const good = await guard.authentic(kind, rows);
  if (good.length === rows.length) return rows;
  const ids = new Set(good.map((row) => row.id));
  refused.push(...rows.filter((row) => !ids.has(row.id)).map((row) => row.id));
  return good;
}

async function revokedGrantsOf(guard: RowGuard, rows: SnapshotRows, now: Date): Promise<{ jti: string; exp: number }[]> {
  const known = new Map((await guard.authentic('revoked_grant', rows.revokedGrants)).map(({ jti, exp }) => [jti, exp]));
  for (const { jti, exp } of rows.recentRevocations) if (exp * 1000 > now.getTime() && !known.has(jti)) known.set(jti, exp);
  return [...known].map(([jti, exp]) => ({ jti, exp }));
}

const providerOf = (row: IdentityProviderModel): ProviderSnapshot => ({
  id: row.id,
  name: row.name,
  disabled: row.disabled,
  settings: identityProviderSettingsSchema.parse(row.settings),
});

const identityOf = (row: IdentityModel): IdentitySnapshot => ({
  id: row.id,
  name: row.name,
  providerId: row.providerId,
  match: row.match,
  owner: row.owner,
  labels: row.labels as Record<string, string>,
  disabled: row.disabled,
  grantsNotBefore: row.grantsNotBefore,
  unmanaged: readUnmanaged(row.unmanaged),
});

async function connectionsOf(guard: RowGuard, rows: SnapshotRows, refused: string[]): Promise<ConnectionSnapshot[]> {
  const connections = await usable(guard, 'connection', rows.connections, refused);
  const revisions = await guard.authentic('policy_revision', rows.policyRevisions);
  const contents = new Map(revisions.map((row) => [row.policyId, row]));
  const sealed = connections.flatMap((row) => (row.credential === null ? [] : [row.credential]));
  const credentials = new Set((await guard.authentic('credential_source', sealed)).map((row) => row.id));
  return connections.flatMap((row) => {
    const content = row.policy === null ? undefined : contents.get(row.policy.id);
    const missing =
      row.policy !== null && content === undefined
        ? `revision ${row.policy.currentRevision} of its policy ${row.policy.id}`
        : row.credential !== null && !credentials.has(row.credential.id)
          ? `its credential ${row.credential.id}`
          : null;
    if (missing === null) return [connectionOf(row, content)];
    // The connection says that it has them: one that is gone, or that cannot be trusted, leaves nothing to work by.
    const detail = `The connection "${row.name}" (${row.id}) is not served: ${missing} is not what was written.`;
    guard.report({ kind: 'connection', id: row.id, detail });
    refused.push(row.id);
    return [];
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
