/** How long content is kept, what is kept from that, and whether rows and bodies still fit together. */
import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { durationSchema } from '../policy.ts';
import { flagQuery, investigators, listQuery, overseers, pageOf, referenceSchema, timeSchema } from './wire.ts';

const tag = 'Retention';

export const retentionInputSchema = z.strictObject({
  /** For calls of no connection, and of connections that are gone. */
  unattributed: durationSchema,
  /** No content is kept longer than this, even where its connection allows more; null: as long as the connection says. */
  maximum: durationSchema.nullable(),
});
export const retentionSchema = z.object({ ...retentionInputSchema.shape, version: z.int(), updatedAt: timeSchema });

export const getRetention = defineOperation({
  id: 'getRetention',
  method: 'GET',
  path: '/v1/retention',
  tag,
  audience: overseers,
  summary: 'Get the retention settings for all connections',
  status: 200,
  returns: ['ETag'],
  response: retentionSchema,
  errors: [],
});
export const putRetention = defineOperation({
  id: 'putRetention',
  method: 'PUT',
  path: '/v1/retention',
  tag,
  audience: ['admin'],
  summary: 'Set the retention settings for all connections',
  description: 'Records over the new limit are purged within minutes and cannot be restored.',
  body: retentionInputSchema,
  status: 200,
  response: retentionSchema,
  conditional: true,
  errors: [],
});

const holdKindSchema = z.enum(['session', 'connection', 'identity']);
export const legalHoldInputSchema = z
  .strictObject({
    kind: holdKindSchema,
    /** Id of the session, or id or name of the connection or identity. A connection or identity that is gone: its id. */
    subject: z.string().min(1).max(100),
    reason: z.string().min(1).max(1000),
  })
  .superRefine(({ kind, subject }, ctx) => {
    const schema = kind === 'session' ? idSchema('session') : referenceSchema(kind);
    if (!schema.safeParse(subject).success)
      ctx.addIssue({
        code: 'custom',
        path: ['subject'],
        message: `must be ${kind === 'session' ? 'the id of a session' : `the id or name of a ${kind}`}`,
      });
  });
export const legalHoldSchema = z.object({
  id: idSchema('legal_hold'),
  kind: holdKindSchema,
  subjectId: z.string(),
  reason: z.string(),
  placedBy: z.string(),
  placedAt: timeSchema,
  liftedBy: z.string().nullable(),
  liftedAt: timeSchema.nullable(),
});
const holdPath = '/v1/legal-holds/{holdId}';
const holdParams = z.object({ holdId: idSchema('legal_hold') });

export const placeLegalHold = defineOperation({
  id: 'placeLegalHold',
  method: 'POST',
  path: '/v1/legal-holds',
  tag,
  audience: investigators,
  summary: 'Keep the content of a session, a connection or an identity until further notice',
  description: 'A hold overrides retention, including later settings. Records purged before the hold cannot be restored.',
  body: legalHoldInputSchema,
  status: 201,
  returns: ['Location'],
  response: legalHoldSchema,
  idempotent: true,
  errors: ['not_found', 'conflict'],
});
export const listLegalHolds = defineOperation({
  id: 'listLegalHolds',
  method: 'GET',
  path: '/v1/legal-holds',
  tag,
  audience: overseers,
  summary: 'List legal holds, lifted ones too',
  query: listQuery({ kind: holdKindSchema.optional(), subject: z.string().max(100).optional(), active: flagQuery.optional() }),
  status: 200,
  response: pageOf(legalHoldSchema),
  errors: [],
});
export const getLegalHold = defineOperation({
  id: 'getLegalHold',
  method: 'GET',
  path: holdPath,
  tag,
  audience: overseers,
  summary: 'Get a legal hold',
  params: holdParams,
  status: 200,
  response: legalHoldSchema,
  errors: ['not_found'],
});
export const liftLegalHold = defineOperation({
  id: 'liftLegalHold',
  method: 'POST',
  path: `${holdPath}/lift`,
  tag,
  audience: ['admin'],
  summary: 'Lift a legal hold; retention then takes its course',
  params: holdParams,
  status: 200,
  response: legalHoldSchema,
  errors: ['not_found', 'conflict'],
});

export const recordFindingSchema = z.object({
  /**
   * `body_without_call`, `body_of_purged_call`, `key_without_call`, `session_counters`, `retention_passed`, `not_logged`: can be repaired.
   * `body_missing`, `key_missing`, `digest_mismatch`, `session_missing`: cannot; something is lost or was changed.
   * `row_not_authentic`, `row_set_back`, `row_missing`, `row_not_in_trail`, `event_not_logged`, `record_missing`, `log_changed`: a row, an
   * audit event or the log was changed outside of Hoop.
   */
  kind: z.enum([
    'body_without_call',
    'body_of_purged_call',
    'key_without_call',
    'session_counters',
    'session_missing',
    'retention_passed',
    'not_logged',
    'body_missing',
    'key_missing',
    'digest_mismatch',
    'row_not_authentic',
    'row_set_back',
    'row_missing',
    'row_not_in_trail',
    'event_not_logged',
    'record_missing',
    'log_changed',
  ]),
  id: z.string(),
  detail: z.string(),
  repaired: z.boolean(),
});
export const recordCheckSchema = z.object({
  /** Calls, and after them signed rows, audit events and leaves of the log, that were looked at. */
  checked: z.int(),
  findings: z.array(recordFindingSchema),
  /** `after` for the next part; null: that was the last. */
  next: z.string().nullable(),
});
export type RecordCheck = z.infer<typeof recordCheckSchema>;
export const checkRecords = defineOperation({
  id: 'checkRecords',
  method: 'POST',
  path: '/v1/records/check',
  tag,
  audience: ['admin'],
  summary: 'Check that calls, bodies, data keys, sessions and the log agree, a part at a time; the worker does so continuously',
  body: z.strictObject({
    /** `next` of the part before. @default "": from the beginning */
    after: z.union([idSchema('call'), z.literal(''), z.string().regex(/^(?:rows|trail|leaves)\.[\w.-]{0,1000}$/)]).default(''),
    /** Calls in this part. @default 2000 */
    limit: z.int().min(1).max(5000).default(2000),
    /** Repair what can be. @default false */
    repair: z.boolean().default(false),
  }),
  status: 200,
  response: recordCheckSchema,
  errors: [],
});
