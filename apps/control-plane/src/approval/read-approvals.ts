import { getApproval as getOperation, listApprovals as listOperation, newId } from '@hoop/contract';
import {
  earlierDecisions,
  findConnection,
  findIdentity,
  insertAuditEvent,
  listApprovals as readPage,
  readApproval,
  type ApprovalFilter,
} from '@hoop/database';

import { fromCursor, toCursor } from '../http/cursor.ts';
import { filterId, found } from '../http/found.ts';
import { route } from '../http/route.ts';
import type { Actor } from '../access/actor.ts';
import { toApprovalResource, toReviewResource } from './resource.ts';
import { openShownRequest } from './shown-request.ts';

/** How rules name this person: `user:NAME`, and `group:NAME` for each group. */
const namesOf = ({ token }: Actor): string[] => [
  ...(token?.user ? [`user:${token.user}`] : []),
  ...(token?.groups ?? []).map((group) => `group:${group}`),
];

export const listApprovals = route(listOperation, async ({ context, query, actor }) => {
  const { prisma } = context.database;
  const { limit, cursor, state, identity, connection, mine } = query;
  const identityId = await filterId('identity', 'identity', identity, (reference) => findIdentity(prisma, reference));
  const connectionId = await filterId('connection', 'connection', connection, (reference) => findConnection(prisma, reference));
  const before = fromCursor(cursor);
  const filter: ApprovalFilter = {
    limit: limit + 1,
    ...(state === undefined ? {} : { state }),
    ...(identityId === undefined ? {} : { identityId }),
    ...(connectionId === undefined ? {} : { connectionId }),
    ...(mine === true ? { reviewers: namesOf(actor) } : {}),
    ...(before === undefined ? {} : { before }),
  };
  const rows = await readPage(prisma, filter);
  const items = rows.slice(0, limit);
  return { body: { items: items.map(toApprovalResource), next: rows.length > limit ? toCursor(items.at(-1)!.id) : null } };
});

/** Shows an approver the whole request, or an error; never a part of the request. */
export const getApproval = route(getOperation, async ({ context, params, actor, requestId, remote }) => {
  const { database, keys } = context;
  const approval = found(await readApproval(database.prisma, params.approvalId), 'approval');
  const request = found(await openShownRequest(database.prisma, keys.recording, approval), 'approval');
  const earlier = await earlierDecisions(database.prisma, approval, 10);
  const at = new Date(context.now());
  await insertAuditEvent(database.prisma, {
    id: newId('audit_event', at.getTime()),
    at,
    actor: { id: actor.id, name: actor.name, role: actor.role ?? actor.kind },
    action: 'approval.read',
    target: { type: 'approval', id: approval.id, name: null },
    change: {},
    requestId,
    remote,
  });
  return {
    body: {
      ...toApprovalResource(approval),
      claims: approval.claims,
      request,
      earlier: earlier.map((one) => ({
        id: one.id,
        state: one.state,
        method: one.method,
        url: one.url,
        decidedAt: one.decidedAt === null ? null : new Date(one.decidedAt).toISOString(),
        reviews: one.reviews.map(toReviewResource),
      })),
    },
  };
});
