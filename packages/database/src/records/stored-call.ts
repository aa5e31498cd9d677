import type { StoredCall } from '@hoop/recording';

import type { CallModel } from '../generated/models.ts';
import { toCall } from './call-resource.ts';

/**
 * A call with everything that is stored of it, as the log digests it.
 * @param bodyHashes SHA-256 (hex) of sealed bodies, by `<call id>:request` and `<call id>:response`
 * @param keyHashes SHA-256 (hex) of wrapped data keys, by their ids
 */
export function toStoredCall(
  row: CallModel,
  bodyHashes: ReadonlyMap<string, string | null>,
  keyHashes: ReadonlyMap<string, string>,
): StoredCall {
  return {
    call: toCall(row),
    hasHead: row.hasHead,
    previous: row.previous,
    recordedAt: row.recordedAt.toISOString(),
    sealed: { request: bodyHashes.get(`${row.id}:request`) ?? null, response: bodyHashes.get(`${row.id}:response`) ?? null },
    dataKey: row.dataKeyId === null ? null : { id: row.dataKeyId, wrapped: keyHashes.get(row.dataKeyId) ?? null },
    identity: { id: row.identityId, name: row.identityName },
    connection: { id: row.connectionId, name: row.connectionName },
    decision: { effect: row.decision, policyId: row.policyId, policyRevision: row.policyRevision, reason: row.reason, rule: row.rule },
  };
}
