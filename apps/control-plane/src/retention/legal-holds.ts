import {
  AppError,
  getLegalHold as getOperation,
  idSchema,
  liftLegalHold as liftOperation,
  listLegalHolds as listOperation,
  newId,
  placeLegalHold as placeOperation,
} from '@hoop/contract';
import {
  activeHoldOn,
  findConnection,
  findHold,
  findIdentity,
  findSession,
  liftHold,
  listHolds,
  lockHold,
  placeHold,
  type LegalHoldRecord,
  type Transaction,
} from '@hoop/database';

import { mutate } from '../audit/mutate.ts';
import { fromCursor, toCursor } from '../http/cursor.ts';
import { found, referred } from '../http/found.ts';
import { route } from '../http/route.ts';

const toResource = ({ placedAt, liftedAt, ...hold }: LegalHoldRecord) => ({
  ...hold,
  placedAt: placedAt.toISOString(),
  liftedAt: liftedAt?.toISOString() ?? null,
});

/** Finds the subject of a hold. A deleted subject can still be held by its id, as its calls remain. */
async function subjectOf(tx: Transaction, kind: LegalHoldRecord['kind'], subject: string): Promise<string> {
  if (kind === 'session') return referred(await findSession(tx, subject), 'session', 'subject', subject).id;
  const resource = kind === 'connection' ? await findConnection(tx, subject) : await findIdentity(tx, subject);
  if (resource === null && idSchema(kind).safeParse(subject).success) return subject;
  return referred(resource, kind, 'subject', subject).id;
}

export const placeLegalHold = route(placeOperation, async (call) => {
  const { kind, subject, reason } = call.body;
  return mutate(call, { action: 'legal_hold.place', isConfiguration: false }, async ({ tx, at }) => {
    const subjectId = await subjectOf(tx, kind, subject);
    const earlier = await activeHoldOn(tx, kind, subjectId);
    if (earlier !== null) throw new AppError('conflict', `There is a hold on this ${kind} already: ${earlier.id}.`);
    const id = newId('legal_hold', at.getTime());
    const after = toResource(await placeHold(tx, { id, kind, subjectId, reason, placedBy: call.actor.name, placedAt: at }));
    return {
      reply: { body: after, headers: { location: `/v1/legal-holds/${id}` } },
      target: { type: 'legal_hold', id, name: null },
      before: null,
      after,
    };
  });
});

export const liftLegalHold = route(liftOperation, async (call) =>
  mutate(call, { action: 'legal_hold.lift', isConfiguration: false }, async ({ tx, at }) => {
    const before = found(await lockHold(tx, call.params.holdId), 'legal hold');
    if (before.liftedAt !== null) throw new AppError('conflict', 'This hold was lifted already.');
    const after = toResource(await liftHold(tx, before, call.actor.name, at));
    return { reply: { body: after }, target: { type: 'legal_hold', id: before.id, name: null }, before: toResource(before), after };
  }),
);

export const getLegalHold = route(getOperation, async ({ context, params }) => ({
  body: toResource(found(await findHold(context.database.prisma, params.holdId), 'legal hold')),
}));

export const listLegalHolds = route(listOperation, async ({ context, query }) => {
  const { limit, cursor, kind, subject, active } = query;
  const { items, last } = await listHolds(
    context.database.prisma,
    { kind, subjectId: subject, isActive: active },
    { limit, before: fromCursor(cursor) },
  );
  return { body: { items: items.map(toResource), next: toCursor(last) } };
});
