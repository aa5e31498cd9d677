/** Getting the record out: each event of the log, in its order, at least once, to a webhook or a file. */
import { z } from 'zod';

import { idSchema, nameSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { listQuery, overseers, pageOf, patchOf, registered, timeSchema } from './wire.ts';

const tag = 'Event sinks';
const path = '/v1/event-sinks/{sinkId}';
const params = z.object({ sinkId: idSchema('event_sink') });

/** CloudEvents types. `call.concluded` may come twice for a call: closed as unknown, and then what turned out. */
export const logEventTypes = ['hoop.call.concluded', 'hoop.call.purged', 'hoop.audit_event.recorded'] as const;
export const logEventTypeSchema = z.enum(logEventTypes);
export type LogEventType = z.infer<typeof logEventTypeSchema>;

const shape = {
  name: nameSchema,
  /** Webhook: where events are sent. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional(),
  /** Webhook: private address ranges in which the URL may be. @default [] */
  allowedCidrs: z.array(z.string().max(64)).max(20).default([]),
  /** File: its name in the folder that the worker is configured with. */
  file: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be a file name of letters, digits, ".", "_" and "-"')
    .optional(),
  /** Types that are sent; empty: all. @default [] */
  types: z.array(logEventTypeSchema).max(logEventTypes.length).default([]),
  /** Events of one message. 1: one CloudEvent (structured JSON); more: the JSON batch format. @default 1 */
  maxBatch: z.int().min(1).max(500).default(1),
  /** Webhook, write-only: `whsec_` and base64 of 24 to 64 bytes; made and shown once where absent. */
  secret: z.string().min(1).max(500).optional(),
};

/** All members of a sink, without the rules between them. */
export const eventSinkShapeSchema = z.strictObject({ ...shape, kind: z.enum(['webhook', 'file']) });

export const eventSinkInputSchema = z
  .strictObject({
    ...shape,
    kind: z.enum(['webhook', 'file']),
    /** `now`: what is sequenced from now on; `beginning`: the whole log. @default "now" */
    start: z.enum(['now', 'beginning']).default('now'),
    paused: z.boolean().default(false),
  })
  .superRefine((sink, ctx) => {
    const [needed, other] = sink.kind === 'webhook' ? (['url', 'file'] as const) : (['file', 'url'] as const);
    if (sink[needed] === undefined) ctx.addIssue({ code: 'custom', path: [needed], message: `is needed for a ${sink.kind}` });
    if (sink[other] !== undefined) ctx.addIssue({ code: 'custom', path: [other], message: `does not belong to a ${sink.kind}` });
    if (sink.kind === 'file' && sink.secret !== undefined)
      ctx.addIssue({ code: 'custom', path: ['secret'], message: 'does not belong to a file' });
  });

export const eventSinkSchema = z.object({
  id: idSchema('event_sink'),
  name: z.string(),
  kind: z.enum(['webhook', 'file']),
  url: z.string().nullable(),
  allowedCidrs: z.array(z.string()),
  file: z.string().nullable(),
  types: z.array(logEventTypeSchema),
  maxBatch: z.int(),
  paused: z.boolean(),
  /** Index of the next leaf of the log that it has not taken. */
  cursor: z.int(),
  /** Leaves that it is behind. */
  lag: z.int(),
  /** Failures since the last success: the order is kept, so the first event that is not taken holds up the rest. */
  failures: z.int(),
  lastError: z.string().nullable(),
  lastAttemptAt: timeSchema.nullable(),
  lastDeliveredAt: timeSchema.nullable(),
  nextAttemptAt: timeSchema.nullable(),
  ...registered,
});
export const createdEventSinkSchema = eventSinkSchema.extend({
  /** The signing secret where Hoop made it: shown this once. */
  secret: z.string().nullable(),
});

export const createEventSink = defineOperation({
  id: 'createEventSink',
  method: 'POST',
  path: '/v1/event-sinks',
  tag,
  audience: ['admin'],
  summary: 'Send the events of the log somewhere',
  description:
    'CloudEvents 1.0 in JSON. A webhook gets them signed as Standard Webhooks says; any status but 2xx is retried with growing pauses, without end. `id` is the index in the log; use it to recognise repeats.',
  body: eventSinkInputSchema,
  status: 201,
  returns: ['ETag', 'Location'],
  response: createdEventSinkSchema,
  idempotent: true,
  errors: ['name_taken', 'target_refused', 'conflict'],
});
export const listEventSinks = defineOperation({
  id: 'listEventSinks',
  method: 'GET',
  path: '/v1/event-sinks',
  tag,
  audience: overseers,
  summary: 'List event sinks, with how far each is behind',
  query: listQuery({}),
  status: 200,
  response: pageOf(eventSinkSchema),
  errors: [],
});
export const getEventSink = defineOperation({
  id: 'getEventSink',
  method: 'GET',
  path,
  tag,
  audience: overseers,
  summary: 'Get an event sink, with how far it is behind and its last error',
  params,
  status: 200,
  returns: ['ETag'],
  response: eventSinkSchema,
  errors: ['not_found'],
});
export const updateEventSink = defineOperation({
  id: 'updateEventSink',
  method: 'PATCH',
  path,
  tag,
  audience: ['admin'],
  summary: 'Change an event sink; events that wait after a failure are retried immediately',
  params,
  body: patchOf(shape),
  status: 200,
  response: eventSinkSchema,
  conditional: true,
  errors: ['not_found', 'name_taken', 'target_refused', 'conflict'],
});
export const pauseEventSink = defineOperation({
  id: 'pauseEventSink',
  method: 'POST',
  path: `${path}/pause`,
  tag,
  audience: ['admin'],
  summary: 'Pause an event sink; it keeps its place',
  params,
  status: 200,
  returns: ['ETag'],
  response: eventSinkSchema,
  errors: ['not_found'],
});
export const resumeEventSink = defineOperation({
  id: 'resumeEventSink',
  method: 'POST',
  path: `${path}/resume`,
  tag,
  audience: ['admin'],
  summary: 'Resume a paused event sink',
  params,
  status: 200,
  returns: ['ETag'],
  response: eventSinkSchema,
  errors: ['not_found'],
});
export const deleteEventSink = defineOperation({
  id: 'deleteEventSink',
  method: 'DELETE',
  path,
  tag,
  audience: ['admin'],
  summary: 'Delete an event sink; events already sent are not recalled',
  params,
  status: 204,
  errors: ['not_found'],
});
