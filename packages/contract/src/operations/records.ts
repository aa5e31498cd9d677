import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { decisionEffectSchema, decisionSchema } from '../policy.ts';
import { headerListSchema, outcomeStateSchema, recordedBodySchema, targetTlsSchema, timingsSchema } from '../record.ts';
import {
  errorCodeQuery,
  everyRole,
  flagQuery,
  instantQuery,
  investigators,
  listQuery,
  pageOf,
  referenceSchema,
  timeSchema,
} from './wire.ts';

const period = { since: instantQuery.optional(), until: instantQuery.optional() };
const nullableText = z.string().nullable();

export const sessionSchema = z.object({
  id: idSchema('session'),
  startedAt: timeSchema,
  lastCallAt: timeSchema,
  identity: z.object({ id: z.string(), name: nullableText }).nullable(),
  issuer: nullableText,
  subject: nullableText,
  claims: z.record(z.string(), z.unknown()).nullable(),
  callCount: z.int(),
  refusedCount: z.int(),
  failedCount: z.int(),
});
export type SessionResource = z.infer<typeof sessionSchema>;

/** A body without its content. */
export const callBodySchema = recordedBodySchema.omit({ sealed: true });
/** `pending`: its outcome has not been recorded yet. */
export const callStateSchema = z.enum(['pending', ...outcomeStateSchema.options]);
export type CallState = z.infer<typeof callStateSchema>;

export const callSummarySchema = z.object({
  id: idSchema('call'),
  sessionId: idSchema('session'),
  at: timeSchema,
  state: callStateSchema,
  identity: z.object({ id: z.string(), name: nullableText }).nullable(),
  connection: z.object({ id: z.string(), name: nullableText }).nullable(),
  method: nullableText,
  url: nullableText,
  path: nullableText,
  decision: decisionSchema.nullable(),
  status: z.int().nullable(),
  targetStatus: z.int().nullable(),
  error: nullableText,
  durationMs: z.number().nullable(),
});
export type CallSummary = z.infer<typeof callSummarySchema>;

export const callSchema = callSummarySchema.extend({
  concludedAt: timeSchema.nullable(),
  relayId: nullableText,
  remoteAddress: nullableText,
  issuer: nullableText,
  subject: nullableText,
  grantId: nullableText,
  claims: z.record(z.string(), z.unknown()).nullable(),
  context: z.record(z.string(), z.string()).nullable(),
  snapshotRevision: z.int().nullable(),
  requestHeaders: headerListSchema.nullable(),
  responseHeaders: headerListSchema.nullable(),
  requestBody: callBodySchema.nullable(),
  responseBody: callBodySchema.nullable(),
  errorDetail: nullableText,
  leaseFingerprint: nullableText,
  targetAddress: nullableText,
  targetTls: targetTlsSchema.nullish(),
  maskedCount: z.int().nullable(),
  credentialReflected: z.boolean().nullable(),
  timings: timingsSchema.nullable(),
  traceId: nullableText,
  /** The approval that the call went on under. */
  approvalId: nullableText,
  /** Further refusals like this one that were counted, not kept one by one. */
  repeats: z.int().nullable(),
  /** When retention removed headers, bodies, URL, claims and context; null while they are there. */
  purgedAt: timeSchema.nullable(),
});
export type CallResource = z.infer<typeof callSchema>;

export const bodyContentSchema = callBodySchema.extend({
  /** `utf8` where the bytes are text, else `base64`. */
  encoding: z.enum(['utf8', 'base64']),
  /** Masked, as far as it was kept. */
  content: z.string(),
});

/** The filters of calls. */
export const callFilters = {
  ...period,
  identity: referenceSchema('identity').optional(),
  connection: referenceSchema('connection').optional(),
  decision: decisionEffectSchema.optional(),
  rule: z.string().max(200).optional(),
  state: callStateSchema.optional(),
  status: z.coerce.number().int().min(100).max(999).optional(),
  error: errorCodeQuery.optional(),
  method: z
    .string()
    .regex(/^[A-Z]{1,20}$/)
    .optional(),
  /** The whole path; with `*` at its end, every path that starts so. */
  path: z.string().max(8192).optional(),
  trace: z.string().max(100).optional(),
  /** `true`: the target answered with the injected credential in its response, which was scrubbed. */
  credentialReflected: flagQuery.optional(),
};

export const listSessions = defineOperation({
  id: 'listSessions',
  method: 'GET',
  path: '/v1/sessions',
  tag: 'Sessions',
  audience: everyRole,
  summary: 'List sessions, newest first: by beginning and identity, and with at least one call that the other filters all match',
  query: listQuery(callFilters),
  status: 200,
  response: pageOf(sessionSchema),
  errors: [],
});
export const getSession = defineOperation({
  id: 'getSession',
  method: 'GET',
  path: '/v1/sessions/{sessionId}',
  tag: 'Sessions',
  audience: everyRole,
  summary: 'Get a session',
  params: z.object({ sessionId: idSchema('session') }),
  status: 200,
  response: sessionSchema,
  errors: ['not_found'],
});
export const exportSessionHar = defineOperation({
  id: 'exportSessionHar',
  method: 'GET',
  path: '/v1/sessions/{sessionId}/har',
  tag: 'Sessions',
  audience: investigators,
  summary: 'Export a session as HAR 1.2, masked bodies included; each export is an audit event',
  params: z.object({ sessionId: idSchema('session') }),
  status: 200,
  returns: ['Content-Disposition'],
  response: z.looseObject({ log: z.looseObject({ version: z.literal('1.2') }) }),
  errors: ['not_found', 'conflict'],
});
export const listCalls = defineOperation({
  id: 'listCalls',
  method: 'GET',
  path: '/v1/calls',
  tag: 'Calls',
  audience: everyRole,
  summary: 'List calls, newest first',
  query: listQuery({ ...callFilters, session: idSchema('session').optional() }),
  status: 200,
  response: pageOf(callSummarySchema),
  errors: [],
});
export const getCall = defineOperation({
  id: 'getCall',
  method: 'GET',
  path: '/v1/calls/{callId}',
  tag: 'Calls',
  audience: everyRole,
  summary: 'Get a call, without the content of its bodies',
  params: z.object({ callId: idSchema('call') }),
  status: 200,
  response: callSchema,
  errors: ['not_found'],
});
export const getCallBodies = defineOperation({
  id: 'getCallBodies',
  method: 'GET',
  path: '/v1/calls/{callId}/bodies',
  tag: 'Calls',
  audience: investigators,
  summary: 'Get the masked bodies of a call; each reading is an audit event',
  params: z.object({ callId: idSchema('call') }),
  status: 200,
  response: z.object({ request: bodyContentSchema.nullable(), response: bodyContentSchema.nullable() }),
  errors: ['not_found', 'conflict'],
});
