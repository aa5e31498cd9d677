import { allowedValidities } from '@hoop/approvals';
import type { ApprovalResource, Review } from '@hoop/contract';
import type { ApprovalRecord } from '@hoop/database';

const time = (instant: number): string => new Date(instant).toISOString();
const timeOrNull = (instant: number | null): string | null => (instant === null ? null : time(instant));

export const toReviewResource = ({ user, decision, comment, validity, via, at }: Review): ApprovalResource['reviews'][number] => ({
  user,
  decision,
  comment,
  validity,
  via,
  at: time(at),
});

/** An approval as everybody with a role sees it: without claims and without the request itself. */
export const toApprovalResource = (approval: ApprovalRecord): ApprovalResource => ({
  id: approval.id,
  state: approval.state,
  digest: approval.digest,
  identity: { id: approval.identityId, name: approval.identityName, owner: approval.identityOwner },
  connection: { id: approval.connectionId, name: approval.connectionName },
  policy: { id: approval.policyId, revision: approval.policyRevision },
  requirements: [...approval.requirements],
  validities: allowedValidities(approval.requirements),
  context: approval.context,
  method: approval.method,
  url: approval.url,
  bodyBytes: approval.bodyBytes,
  callId: approval.callId,
  sessionId: approval.sessionId,
  requestedAt: time(approval.requestedAt),
  expiresAt: time(approval.expiresAt),
  validity: approval.validity,
  usableUntil: timeOrNull(approval.usableUntil),
  consumedBy: approval.consumedBy,
  decidedAt: timeOrNull(approval.decidedAt),
  reason: approval.reason,
  reviews: approval.reviews.map(toReviewResource),
});
