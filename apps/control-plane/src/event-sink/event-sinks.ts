import {
  AppError,
  createEventSink as createOperation,
  deleteEventSink as deleteOperation,
  eventSinkShapeSchema,
  getEventSink as getOperation,
  listEventSinks as listOperation,
  newId,
  pauseEventSink as pauseOperation,
  resumeEventSink as resumeOperation,
  updateEventSink as updateOperation,
  type logEventTypes,
} from '@hoop/contract';
import {
  createSink,
  deleteSink,
  findSink,
  listSinks,
  lockSink,
  readLogStatus,
  sinkNamed,
  sinkOfFile,
  updateSink,
  type EventSinkRecord,
  type Transaction,
} from '@hoop/database';
import { checkEndpoint } from '@hoop/upstream';

import { mutate, type Mutation } from '../audit/mutate.ts';
import { fromCursor, toCursor } from '../http/cursor.ts';
import { found } from '../http/found.ts';
import { patched } from '../http/merge.ts';
import { route } from '../http/route.ts';
import { checkWebhookSecret, newWebhookSecret, sealChannelSecret } from '../notification/channel-secret.ts';

type LogEventType = (typeof logEventTypes)[number];

/** A sink as callers see it: its secret is never among it. */
const toResource = ({ sealed: _, types, ...sink }: EventSinkRecord, logSize: number) => ({
  ...sink,
  types: types as LogEventType[],
  lag: Math.max(0, logSize - sink.cursor),
  lastAttemptAt: sink.lastAttemptAt?.toISOString() ?? null,
  lastDeliveredAt: sink.lastDeliveredAt?.toISOString() ?? null,
  nextAttemptAt: sink.nextAttemptAt?.toISOString() ?? null,
  createdAt: sink.createdAt.toISOString(),
  updatedAt: sink.updatedAt.toISOString(),
});

/** The members that audit events show. Delivery progress is not among them, as it is not a change of settings. */
const toAudited = ({ name, kind, url, allowedCidrs, file, types, maxBatch, paused }: EventSinkRecord) => ({
  name,
  kind,
  url,
  allowedCidrs,
  file,
  types,
  maxBatch,
  paused,
});

async function refuseNamesake(
  tx: Transaction,
  sink: { readonly name: string | undefined; readonly file: string | null | undefined },
  id: string,
): Promise<void> {
  const namesake = sink.name === undefined ? null : await sinkNamed(tx, sink.name);
  if (namesake !== null && namesake.id !== id) throw new AppError('name_taken', `There is an event sink "${sink.name}" already.`);
  const writer = sink.file == null ? null : await sinkOfFile(tx, sink.file);
  if (writer !== null && writer.id !== id) throw new AppError('conflict', `The event sink "${writer.name}" writes this file already.`);
}

function refuseMember(path: string, kind: string): never {
  throw new AppError('invalid_request', `\`${path}\` in the body: does not belong to a ${kind}.`, {
    extras: { errors: [{ path, message: `does not belong to a ${kind}` }] },
  });
}

function refuseRemoval(path: string): never {
  throw new AppError('invalid_request', `\`${path}\` in the body: cannot be removed.`, {
    extras: { errors: [{ path, message: 'cannot be removed' }] },
  });
}

export const createEventSink = route(createOperation, async (call) => {
  const { secret: given, start, ...input } = call.body;
  if (input.url !== undefined) checkEndpoint(input.url, input.allowedCidrs, 'URL of an event sink');
  if (given !== undefined) checkWebhookSecret(given);
  const id = newId('event_sink');
  const made = input.kind === 'webhook' && given === undefined ? newWebhookSecret() : null;
  const secret = given ?? made;
  const sealed = secret === null ? '' : await sealChannelSecret(call.context.keys.notificationPublic, id, secret);

  return mutate(call, { action: 'event_sink.create', isConfiguration: false }, async ({ tx, at }) => {
    await refuseNamesake(tx, { name: input.name, file: input.file }, id);
    const { size } = await readLogStatus(tx);
    const cursor = start === 'beginning' ? 0 : size;
    const sink = await createSink(tx, { ...input, id, url: input.url ?? null, file: input.file ?? null, sealed, cursor }, at);
    const resource = toResource(sink, size);
    return {
      reply: { body: { ...resource, secret: made }, version: sink.version, headers: { location: `/v1/event-sinks/${id}` } },
      kept: { ...resource, secret: null },
      target: { type: 'event_sink', id, name: sink.name },
      before: null,
      after: { ...toAudited(sink), start },
    };
  });
});

export const getEventSink = route(getOperation, async ({ context, params }) => {
  const { prisma } = context.database;
  const sink = found(await findSink(prisma, params.sinkId), 'event sink');
  return { body: toResource(sink, (await readLogStatus(prisma)).size), version: sink.version };
});

export const listEventSinks = route(listOperation, async ({ context, query }) => {
  const { prisma } = context.database;
  const { items, last } = await listSinks(prisma, { limit: query.limit, before: fromCursor(query.cursor) });
  const { size } = await readLogStatus(prisma);
  return { body: { items: items.map((sink) => toResource(sink, size)), next: toCursor(last) } };
});

export const updateEventSink = route(updateOperation, async (call) => {
  const { sinkId } = call.params;
  const { secret: given, ...patch } = call.body;
  const secret = given ?? undefined;
  if (given === null) refuseRemoval('secret');
  if (secret !== undefined) checkWebhookSecret(secret);
  return mutate(call, { action: 'event_sink.update', isConfiguration: false }, async ({ tx, at }) => {
    const before = found(await lockSink(tx, sinkId), 'event sink');
    call.precondition.check(before.version);
    if (before.kind === 'file')
      for (const path of ['url', 'allowedCidrs', 'secret'] as const) if (call.body[path] !== undefined) refuseMember(path, 'file');
    if (before.kind === 'webhook' && patch.file !== undefined) refuseMember('file', 'webhook');
    const { kind, name, ...wanted } = patched(eventSinkShapeSchema.omit({ secret: true }), before, patch);
    const { url = null, file = null } = wanted;
    if (kind === 'webhook' && url === null) refuseRemoval('url');
    if (kind === 'file' && file === null) refuseRemoval('file');
    if (url !== null) checkEndpoint(url, wanted.allowedCidrs, 'URL of an event sink');
    if (url !== null && before.url !== null && new URL(url).origin !== new URL(before.url).origin && secret === undefined) {
      throw new AppError('target_refused', 'The secret was given for another host: send it again together with the new URL.');
    }
    await refuseNamesake(tx, { name, file }, sinkId);
    const sealed = secret === undefined ? {} : { sealed: await sealChannelSecret(call.context.keys.notificationPublic, sinkId, secret) };
    const after = await updateSink(tx, sinkId, { ...wanted, name, url, file, ...sealed }, at);
    return {
      reply: { body: toResource(after, (await readLogStatus(tx)).size), version: after.version },
      target: { type: 'event_sink', id: sinkId, name: after.name },
      before: toAudited(before),
      after: { ...toAudited(after), ...(secret === undefined ? {} : { secret: 'replaced' }) },
    };
  });
});

async function setPaused({ tx, at }: Mutation, sinkId: string, paused: boolean) {
  const before = found(await lockSink(tx, sinkId), 'event sink');
  const after = before.paused === paused ? before : await updateSink(tx, sinkId, { paused }, at);
  return {
    reply: { body: toResource(after, (await readLogStatus(tx)).size), version: after.version },
    target: { type: 'event_sink', id: sinkId, name: after.name },
    before: { paused: before.paused },
    after: { paused },
  };
}

export const pauseEventSink = route(pauseOperation, (call) =>
  mutate(call, { action: 'event_sink.pause', isConfiguration: false }, (mutation) => setPaused(mutation, call.params.sinkId, true)),
);
export const resumeEventSink = route(resumeOperation, (call) =>
  mutate(call, { action: 'event_sink.resume', isConfiguration: false }, (mutation) => setPaused(mutation, call.params.sinkId, false)),
);

export const deleteEventSink = route(deleteOperation, async (call) =>
  mutate(call, { action: 'event_sink.delete', isConfiguration: false }, async ({ tx }) => {
    const before = found(await lockSink(tx, call.params.sinkId), 'event sink');
    await deleteSink(tx, before.id);
    return { reply: {}, target: { type: 'event_sink', id: before.id, name: before.name }, before: toAudited(before), after: null };
  }),
);
