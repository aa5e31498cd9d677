import {
  acceptMaskSuggestion as acceptOperation,
  AppError,
  dismissMaskSuggestion as dismissOperation,
  listMaskSuggestions as listOperation,
  newId,
  reportMaskObservations as reportOperation,
  type FoundMaskSuggestion,
} from '@hoop/contract';
import {
  addMaskObservations,
  decideMaskSuggestion,
  findConnection,
  findPolicy,
  listMaskSuggestions as readPage,
  lockMaskSuggestion,
  writePolicy,
  type MaskSuggestionRecord,
} from '@hoop/database';
import { ruleOfSuggestion } from '@hoop/masking';

import { mutate } from '../audit/mutate.ts';
import { fromCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { route } from '../http/route.ts';
import { policyFaults } from '../policy/policy-faults.ts';

const noun = 'mask suggestion';

function toResource(record: MaskSuggestionRecord, connection: { id: string; name: string }): FoundMaskSuggestion {
  const { id, path, detector, count, firstSeen, lastSeen, state, decidedBy, decidedAt } = record;
  return {
    id,
    connection: { id: connection.id, name: connection.name },
    path,
    detector,
    count,
    firstSeen: firstSeen.toISOString(),
    lastSeen: lastSeen.toISOString(),
    state,
    decidedBy,
    decidedAt: decidedAt?.toISOString() ?? null,
  };
}

export const listMaskSuggestions = route(listOperation, async ({ context, params, query }) => {
  const { prisma } = context.database;
  const { limit, cursor, state } = query;
  const connection = found(await findConnection(prisma, params.connection), 'connection');
  const { items, last } = await readPage(prisma, { connectionId: connection.id, state }, { limit, before: fromCursor(cursor) });
  return { body: { items: items.map((record) => toResource(record, connection)), next: toCursor(last) } };
});

export const acceptMaskSuggestion = route(acceptOperation, async (call) =>
  mutate(call, { action: 'mask_suggestion.accept', isConfiguration: true }, async ({ tx, at, revision }) => {
    const { action, comment } = call.body;
    const connection = found(await findConnection(tx, call.params.connection), 'connection');
    const suggestion = found(await lockMaskSuggestion(tx, connection.id, call.params.suggestionId), noun);
    const before = await findPolicy(tx, connection.id);
    call.precondition.check(before?.revision ?? null);
    if (suggestion.state === 'accepted')
      throw new AppError('conflict', 'This suggestion was accepted already: the policy has its rule, unless somebody removed it.');
    const rules = before!.rules;
    const rule = { ...ruleOfSuggestion(suggestion), action };
    // The rest was checked when it was written.
    const [fault] = policyFaults({ rules: [], mask: [rule] });
    if (fault !== undefined) throw new AppError('policy_invalid', `The suggested rule ${fault.message}.`);
    const mask = [...before!.mask, rule];
    const after = await writePolicy(tx, connection, {
      newId: newId('policy', at.getTime()),
      snapshotRevision: revision,
      rules,
      mask,
      comment: comment ?? `Discovery saw ${suggestion.detector} at ${suggestion.path}.`,
      createdBy: call.actor.name,
      at,
    });
    await decideMaskSuggestion(tx, suggestion.id, { state: 'accepted', by: call.actor.name, at });
    return {
      reply: { body: after, version: after.revision },
      target: { type: 'policy', id: after.id, name: connection.name },
      before,
      after,
      voids: { of: { connectionId: connection.id }, reason: 'the policy was changed' },
    };
  }),
);

export const dismissMaskSuggestion = route(dismissOperation, async (call) =>
  mutate(call, { action: 'mask_suggestion.dismiss', isConfiguration: false }, async ({ tx, at }) => {
    const connection = found(await findConnection(tx, call.params.connection), 'connection');
    const suggestion = found(await lockMaskSuggestion(tx, connection.id, call.params.suggestionId), noun);
    if (suggestion.state !== 'open') throw new AppError('conflict', `This suggestion was ${suggestion.state} already.`);
    const after = toResource(await decideMaskSuggestion(tx, suggestion.id, { state: 'dismissed', by: call.actor.name, at }), connection);
    return {
      reply: { body: after },
      target: { type: 'mask_suggestion', id: suggestion.id, name: suggestion.path },
      before: toResource(suggestion, connection),
      after,
    };
  }),
);

export const reportMaskObservations = route(reportOperation, async ({ context, body }) => ({
  body: { taken: await addMaskObservations(context.database.prisma, body.observations, new Date(context.now())) },
}));
