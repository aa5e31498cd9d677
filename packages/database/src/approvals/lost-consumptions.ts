/**
 * A relay takes an approval first and writes the call's intent then. One that dies in between leaves an approval that was
 * used by a call of which there is no record: such a call is put into the record as `unknown`.
 */
import type { ApprovalRequirement, RefusalEntry } from '@hoop/contract';
import type pg from 'pg';

import { ingestEntries } from '../records/ingest-entries.ts';
import { withTransaction } from '../records/transaction.ts';

interface UsedApproval {
  readonly id: string;
  readonly call_id: string;
  readonly session_id: string;
  readonly consumed_at: Date;
  readonly is_recorded: boolean;
  readonly identity_id: string;
  readonly identity_name: string;
  readonly connection_id: string;
  readonly connection_name: string;
  readonly policy_id: string;
  readonly policy_revision: number;
  readonly requirements: ApprovalRequirement[];
  readonly context: Record<string, string> | null;
  readonly method: string;
  readonly url: string;
  readonly path: string;
}

const nothing = {
  requestBody: null,
  responseBody: null,
  dataKey: null,
  leaseFingerprint: null,
  targetAddress: null,
  maskedCount: 0,
  credentialReflected: false,
  timings: {},
};

function unknownCall(row: UsedApproval): RefusalEntry {
  const at = row.consumed_at.getTime();
  const rule = row.requirements[0]!.rule;
  return {
    type: 'refusal',
    head: {
      callId: row.call_id,
      sessionId: row.session_id,
      at,
      relayId: '',
      remoteAddress: '',
      subject: { identityId: row.identity_id, identityName: row.identity_name, issuer: null, subject: null, grantId: null },
      claims: null,
      connectionId: row.connection_id,
      connectionName: row.connection_name,
      snapshotRevision: 0,
      decision: {
        effect: 'require_approval',
        rule,
        reason: `The rule "${rule}" wants an approval.`,
        policyId: row.policy_id,
        policyRevision: row.policy_revision,
      },
      approvalId: row.id,
      context: row.context,
      method: row.method,
      url: row.url,
      path: row.path,
      requestHeaders: [],
      traceId: null,
    },
    outcome: {
      type: 'outcome',
      callId: row.call_id,
      sessionId: row.session_id,
      at,
      state: 'unknown',
      status: null,
      targetStatus: null,
      error: 'outcome_unknown',
      errorDetail: 'The call used its approval, and its relay was lost before it wrote down more.',
      responseHeaders: [],
      ...nothing,
    },
  };
}

/**
 * Looks at approvals that were used before `usedBefore` (the time that a record may take), each once, and records the
 * call of those that have none. What the relay says after all replaces it. Resolves to the ids of the approvals.
 */
export async function recordLostConsumptions(
  pool: pg.Pool,
  usedBefore: number,
  limit: number,
): Promise<{ looked: number; lost: string[] }> {
  return withTransaction(pool, async (client) => {
    const { rows } = await client.query<UsedApproval>(
      `SELECT a.id, a.consumed_by AS call_id, a.session_id, a.consumed_at, c.id IS NOT NULL AS is_recorded, a.identity_id, a.identity_name,
              a.connection_id, a.connection_name, a.policy_id, a.policy_revision, a.requirements, a.context, a.method, a.url, a.path
         FROM approvals a LEFT JOIN calls c ON c.id = a.consumed_by
        WHERE a.state = 'consumed' AND NOT a.is_call_recorded AND a.consumed_at < $1
        ORDER BY a.consumed_at LIMIT $2 FOR UPDATE OF a SKIP LOCKED`,
      [new Date(usedBefore), limit],
    );
    if (rows.length === 0) return { looked: 0, lost: [] };
    const lost = rows.filter((row) => !row.is_recorded);
    await ingestEntries(client, lost.map(unknownCall));
    await client.query('UPDATE approvals SET is_call_recorded = true WHERE id = ANY($1)', [rows.map((row) => row.id)]);
    return { looked: rows.length, lost: lost.map((row) => row.id) };
  });
}
