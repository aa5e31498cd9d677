/** Operations on a selection of recorded calls: exporting, searching and following. */
import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { bodyContentSchema, callFilters, callSchema, callSummarySchema, sessionSchema } from './records.ts';
import { everyRole, investigators, timeSchema } from './wire.ts';

const ndjson = 'application/x-ndjson';
const sessionParams = z.object({ sessionId: idSchema('session') });

/** A line of an exported session: the session itself, then each call in order. Bodies are masked; null where none is kept. */
export const exportedLineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('session'), session: sessionSchema }),
  z.object({
    type: z.literal('call'),
    call: callSchema,
    request: bodyContentSchema.nullable(),
    response: bodyContentSchema.nullable(),
  }),
]);
export type ExportedLine = z.infer<typeof exportedLineSchema>;

export const exportSessionCalls = defineOperation({
  id: 'exportSessionCalls',
  method: 'GET',
  path: '/v1/sessions/{sessionId}/ndjson',
  tag: 'Sessions',
  audience: investigators,
  summary: 'Export a session as NDJSON: the session, then each call in order with its masked bodies; each export is an audit event',
  params: sessionParams,
  status: 200,
  returns: ['Content-Disposition'],
  response: z.string(),
  responseType: ndjson,
  errors: ['not_found', 'conflict'],
});

/** Where a text was found. */
export const searchMatchSchema = z.object({
  type: z.literal('match'),
  call: callSummarySchema,
  side: z.enum(['request', 'response']),
  /** At most three, in order, each with what stands around it; content codings are undone. */
  excerpts: z.array(z.object({ before: z.string(), text: z.string(), after: z.string() })),
  /** Places in the body; those after the first 1000 are not counted. */
  count: z.int(),
});
export type SearchMatch = z.infer<typeof searchMatchSchema>;

const searchCounts = {
  /** Calls that were looked at. */
  scanned: z.int(),
  /** Bodies that were opened and searched. */
  searched: z.int(),
  /** Calls with a match. */
  matched: z.int(),
  /** Bodies that could not be searched, by why. */
  skipped: z.object({
    /** Retention has removed them. */
    purged: z.int(),
    /** The connection keeps no bodies, or nothing of this one. */
    notKept: z.int(),
    /** Only their beginning is on record; it was searched. */
    truncated: z.int(),
    /** Their key is not there, or they were changed. */
    notOpenable: z.int(),
    /** In a content coding that is not known or broken. */
    encoded: z.int(),
    /** To search this one took too long. */
    tooCostly: z.int(),
  }),
  /** The beginning of the oldest call that was looked at. */
  reached: timeSchema.nullable(),
};
export const searchProgressSchema = z.object({ type: z.literal('progress'), ...searchCounts });
export const searchEndSchema = z.object({
  type: z.literal('end'),
  ...searchCounts,
  /** `complete`: all of the selection was looked at. Else the limit that ended it. A stream without this line was cut. */
  reason: z.enum(['complete', 'calls', 'seconds', 'matches']),
  /** Goes on where this search ended; null where it is complete. */
  next: z.string().nullable(),
});
export const searchLineSchema = z.discriminatedUnion('type', [searchMatchSchema, searchProgressSchema, searchEndSchema]);
export type SearchLine = z.infer<typeof searchLineSchema>;

const searchText = z.string().min(1).max(1000);

export const searchCalls = defineOperation({
  id: 'searchCalls',
  method: 'POST',
  path: '/v1/calls/search',
  tag: 'Calls',
  audience: investigators,
  summary: 'Search the masked bodies of a selection of calls for a text, newest first; each search is an audit event',
  description:
    'Bodies are stored encrypted and have no index, so they are opened and read: choose the selection first. Streams a line for each body ' +
    'with a match, progress in between, and how it ended. Ends when its client goes away. What is searched for is not in the audit event.',
  body: z.strictObject({
    filter: z.strictObject({ ...callFilters, session: idSchema('session').optional() }).default({}),
    /** Exactly one of `text` and `pattern`. A text is found as it stands. */
    text: searchText.optional(),
    /** RE2; matched within windows of a megabyte. */
    pattern: searchText.optional(),
    /** @default true */
    ignoreCase: z.boolean().default(true),
    /** @default both */
    side: z.enum(['request', 'response']).optional(),
    /** Calls to look at at most. @default 10000 */
    maxCalls: z.int().min(1).max(1_000_000).default(10_000),
    /** @default 30 */
    maxSeconds: z.int().min(1).max(300).default(30),
    /** Calls with a match after which it ends. @default 100 */
    maxMatches: z.int().min(1).max(1000).default(100),
    /** `next` of a search that ended early. */
    cursor: z.string().min(1).max(512).optional(),
  }),
  status: 200,
  response: z.string(),
  responseType: ndjson,
  errors: ['unavailable', 'too_costly'],
});

const followDescription =
  'The stream has an event `call` with the summary of a call when its intent is recorded, and again when it is concluded; each at least once. ' +
  'Reconnect with `Last-Event-ID` to get the events since. An event `gap` says that there were too many to send: list the calls.';

export const followCalls = defineOperation({
  id: 'followCalls',
  method: 'GET',
  path: '/v1/calls/events',
  tag: 'Calls',
  audience: everyRole,
  summary: 'Follow the calls that match, as they are recorded (server-sent events)',
  description: followDescription,
  query: z.strictObject({ ...callFilters, session: idSchema('session').optional() }),
  status: 200,
  response: z.string(),
  responseType: 'text/event-stream',
  errors: ['unavailable'],
});
export const followSession = defineOperation({
  id: 'followSession',
  method: 'GET',
  path: '/v1/sessions/{sessionId}/events',
  tag: 'Sessions',
  audience: everyRole,
  summary: 'Follow a session: its calls so far, then as they are recorded (server-sent events)',
  description: followDescription,
  params: sessionParams,
  status: 200,
  response: z.string(),
  responseType: 'text/event-stream',
  errors: ['not_found', 'unavailable'],
});
