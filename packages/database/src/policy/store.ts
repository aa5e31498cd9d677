import { maskRulesSchema, rulesSchema, type MaskRule, type Policy, type Rule } from '@hoop/contract';

import { touchConnection } from '../connection/store.ts';
import type { Transaction } from '../database.ts';
import type { PolicyModel, PolicyRevisionModel } from '../generated/models.ts';
import { guardOf } from '../row-signatures/guard.ts';

export interface PolicyWrite {
  readonly rules: readonly Rule[];
  readonly mask: readonly MaskRule[];
  readonly comment: string | null;
  readonly createdBy: string;
}

function toPolicy(policy: PolicyModel, row: PolicyRevisionModel): Policy {
  return {
    id: policy.id,
    connection: { id: policy.connectionId ?? '', name: policy.connectionName },
    revision: row.revision,
    rules: rulesSchema.parse(row.rules),
    mask: maskRulesSchema.parse(row.mask),
    comment: row.comment,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
  };
}

/** The policy in force of a connection, or an older revision of it. */
export async function findPolicy(tx: Transaction, connectionId: string, revision?: number): Promise<Policy | null> {
  const policy = await tx.policy.findUnique({ where: { connectionId } });
  if (policy === null) return null;
  const key = { policyId: policy.id, revision: revision ?? policy.currentRevision };
  const row = await tx.policyRevision.findUnique({ where: { policyId_revision: key } });
  return row === null ? null : toPolicy(policy, guardOf(tx).require('policy_revision', row));
}

/** A revision of a policy, without what it says. `createdAt` tells it from one of the same number before a restore. */
export interface PolicyVersion {
  readonly policyId: string;
  readonly revision: number;
  readonly createdAt: Date;
}

/** The revisions by which these connections' calls were decided at some time after `since`: what a relay may work by. */
export async function policiesInForce(tx: Transaction, connectionIds: readonly string[], since: Date): Promise<PolicyVersion[]> {
  return tx.$queryRaw<PolicyVersion[]>`
    SELECT r.policy_id AS "policyId", r.revision, r.created_at AS "createdAt"
      FROM policies p JOIN policy_revisions r ON r.policy_id = p.id
     WHERE p.connection_id = ANY(${[...connectionIds]}::text[])
       AND (r.revision = p.current_revision OR EXISTS (
         SELECT 1 FROM policy_revisions n WHERE n.policy_id = p.id AND n.revision = r.revision + 1 AND n.created_at > ${since}))`;
}

/** Finds the policy that a record names, even where its connection was deleted. Null also for a revision that was changed outside of Hoop. */
export async function findRecordedPolicy(
  tx: Transaction,
  policyId: string,
  revision: number,
): Promise<{ rules: Rule[]; mask: MaskRule[] } | null> {
  const row = await tx.policyRevision.findUnique({ where: { policyId_revision: { policyId, revision } } });
  if (row === null || !guardOf(tx).isAuthentic('policy_revision', row)) return null;
  return { rules: rulesSchema.parse(row.rules), mask: maskRulesSchema.parse(row.mask) };
}

/** Newest first. `before`: only revisions below it. */
export async function listPolicyRevisions(
  tx: Transaction,
  connectionId: string,
  page: { limit: number; before?: number | undefined },
): Promise<{ items: Policy[]; last: number | null }> {
  const policy = await tx.policy.findUnique({ where: { connectionId } });
  if (policy === null) return { items: [], last: null };
  const rows = await tx.policyRevision.findMany({
    where: { policyId: policy.id, ...(page.before === undefined ? {} : { revision: { lt: page.before } }) },
    orderBy: { revision: 'desc' },
    take: page.limit + 1,
  });
  const kept = rows.slice(0, page.limit);
  const items = (await guardOf(tx).authentic('policy_revision', kept)).map((row) => toPolicy(policy, row));
  return { items, last: rows.length > page.limit ? kept.at(-1)!.revision : null };
}

/** The next revision, or the first, with which the connection is changed. The caller holds the lock of `nextRevision`. */
export async function writePolicy(
  tx: Transaction,
  connection: { id: string; name: string },
  write: PolicyWrite & { newId: string; snapshotRevision: number; at: Date },
): Promise<Policy> {
  const { at, newId, snapshotRevision, rules, mask, comment, createdBy } = write;
  const { policy: next } = await touchConnection(tx, connection.id, snapshotRevision, ({ policy }) => ({
    policy: { id: policy?.id ?? newId, currentRevision: (policy?.currentRevision ?? 0) + 1 },
  }));
  const { id, currentRevision } = next!;
  const policy = await tx.policy.upsert({
    where: { connectionId: connection.id },
    create: { id, connectionId: connection.id, connectionName: connection.name, currentRevision, createdAt: at, updatedAt: at },
    update: { connectionName: connection.name, currentRevision, updatedAt: at },
  });
  const data = {
    policyId: id,
    revision: currentRevision,
    rules: rules as object[],
    mask: mask as object[],
    comment,
    createdBy,
    createdAt: at,
  };
  const row = await tx.policyRevision.create({ data: { ...data, signature: guardOf(tx).sign('policy_revision', data) } });
  return toPolicy(policy, row);
}
