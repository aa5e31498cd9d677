import { z } from 'zod';

import { defineOperation } from '../operation.ts';
import { snapshotSchema } from '../snapshot.ts';

const healthSchema = z.object({ status: z.literal('ok') });

export const getHealth = defineOperation({
  id: 'getHealth',
  method: 'GET',
  path: '/healthz',
  tag: 'System',
  audience: 'public',
  summary: 'The process runs',
  status: 200,
  response: healthSchema,
  errors: [],
});
export const getReadiness = defineOperation({
  id: 'getReadiness',
  method: 'GET',
  path: '/readyz',
  tag: 'System',
  audience: 'public',
  summary: 'The process can work: its database answers',
  status: 200,
  response: healthSchema,
  errors: ['unavailable'],
});
export const getOpenApi = defineOperation({
  id: 'getOpenApi',
  method: 'GET',
  path: '/openapi.json',
  tag: 'System',
  audience: 'public',
  summary: 'This description',
  status: 200,
  response: z.looseObject({ openapi: z.string() }),
  errors: [],
});

export const getSnapshot = defineOperation({
  id: 'getSnapshot',
  method: 'GET',
  path: '/internal/relay/snapshot',
  tag: 'Relay',
  audience: 'relay',
  summary: 'Get the configuration of a relay',
  description: 'Whole, or the changes since a revision. `ETag` is the revision.',
  query: z.strictObject({ since: z.coerce.number().int().min(0).max(2_147_483_647).optional() }),
  status: 200,
  returns: ['ETag'],
  revalidated: true,
  response: snapshotSchema,
  errors: [],
});
export const followChanges = defineOperation({
  id: 'followChanges',
  method: 'GET',
  path: '/internal/relay/changes',
  tag: 'Relay',
  audience: 'relay',
  summary: 'The newest revision at once, on every change, and every 5 seconds (server-sent events)',
  description:
    'Each event is `event: revision` with `data: {"revision":N}`. There is no heartbeat while the database does not answer. ' +
    'Between these, `event: approval` and `event: deferred_call` with `data: {"id","state"}` announce changes.',
  status: 200,
  response: z.string(),
  responseType: 'text/event-stream',
  errors: ['unavailable'],
});
