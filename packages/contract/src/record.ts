/**
 * The record of a call as it travels from the relay through the `recordings` queue to the worker.
 * All strings are masked before they get here; bodies are sealed. Times are Unix milliseconds.
 */
import { z } from 'zod';

import { idSchema } from './ids.ts';
import { decisionSchema } from './policy.ts';

/** [name, value] pairs in wire order, lower-case names; secrets masked. */
export const headerListSchema = z.array(z.tuple([z.string(), z.string()]));
export type HeaderList = z.infer<typeof headerListSchema>;

export const recordedBodySchema = z.object({
  /** Bytes that passed, before any cap; of one that was refused for its length as many as were announced, or came. */
  bytes: z.int(),
  /** Keyed digest (HMAC-SHA-256, hex) of the bytes that passed on the wire; null where none passed, or not the whole was read. */
  digest: z.string().nullable(),
  /** The kept body: AES-256-GCM, base64 of nonce(12) ‖ ciphertext ‖ tag(16); null where nothing is kept. */
  sealed: z.string().nullable(),
  /** Bytes of the plain text in `sealed`. */
  keptBytes: z.int(),
  truncated: z.boolean(),
  contentType: z.string().nullable(),
  /**
   * Of a response that came as a stream (server-sent events, no length known beforehand): for each part as it was passed
   * on, where it begins in the plain text and the milliseconds since the arrival of the request; the first 1000 parts.
   */
  parts: z
    .array(z.tuple([z.int(), z.number()]))
    .max(1000)
    .nullish(),
  /** Of a request: it came with a content-encoding, which was undone to mask it, so what is kept has none. */
  decoded: z.boolean().optional(),
  /** Of a request: the masking rules could not be applied to it, or from somewhere on, and only what is masked is kept. */
  withheld: z.boolean().optional(),
  /** Of a request: it was refused before its body was read, so that nothing is known of it; `bytes` is 0. */
  unread: z.boolean().optional(),
});
export type RecordedBody = z.infer<typeof recordedBodySchema>;

/** The data key of a session's bodies, wrapped for the recording key (see @hoop/sealing, `DataKey`). */
const dataKeySchema = z.object({ id: z.string(), wrapped: z.string() });

export const callSubjectSchema = z.object({
  identityId: idSchema('identity').nullable(),
  identityName: z.string().nullable(),
  issuer: z.string().nullable(),
  subject: z.string().nullable(),
  grantId: z.string().nullable(),
});

/** The facts known before anything is sent. */
export const callHeadSchema = z.object({
  callId: idSchema('call'),
  sessionId: idSchema('session'),
  at: z.int(),
  relayId: z.string(),
  remoteAddress: z.string(),
  subject: callSubjectSchema,
  /** The verified claims, for investigators; only on the first call of a grant that a relay sees. */
  claims: z.record(z.string(), z.unknown()).nullable(),
  connectionId: idSchema('connection').nullable(),
  connectionName: z.string().nullable(),
  snapshotRevision: z.int(),
  decision: decisionSchema.nullable(),
  /** The approval that the call went on under. */
  approvalId: idSchema('approval').nullish(),
  context: z.record(z.string(), z.string()).nullable(),
  method: z.string(),
  /** The target's URL; the relay's path where no connection was resolved. */
  url: z.string(),
  path: z.string(),
  requestHeaders: headerListSchema,
  traceId: z.string().nullable(),
});
export type CallHead = z.infer<typeof callHeadSchema>;

/** Milliseconds from the arrival of the head to the end of the phase; absent where it was not reached. */
export const timingsSchema = z.record(z.string(), z.number());

export const intentEntrySchema = z.object({ type: z.literal('intent'), head: callHeadSchema });

export const outcomeStateSchema = z.enum(['completed', 'failed', 'aborted', 'refused', 'unknown']);
export type OutcomeState = z.infer<typeof outcomeStateSchema>;

/** The target's TLS connection. */
export const targetTlsSchema = z.object({
  /** e.g. `TLSv1.3`. */
  protocol: z.string().nullable(),
  cipher: z.string(),
  /** Of the certificate: colon-separated SHA-256, subject, issuer, and the end of its validity as it says it. */
  fingerprint: z.string(),
  subject: z.string(),
  issuer: z.string(),
  validTo: z.string(),
});

export const outcomeEntrySchema = z.object({
  type: z.literal('outcome'),
  callId: idSchema('call'),
  sessionId: idSchema('session'),
  at: z.int(),
  state: outcomeStateSchema,
  /** Status that the function got; null where none was sent. */
  status: z.int().nullable(),
  /** Status that the target sent; null where it sent none. */
  targetStatus: z.int().nullable(),
  /** Error code where Hoop refused, failed or cut the call. */
  error: z.string().nullable(),
  errorDetail: z.string().nullable(),
  responseHeaders: headerListSchema,
  requestBody: recordedBodySchema.nullable(),
  responseBody: recordedBodySchema.nullable(),
  dataKey: dataKeySchema.nullable(),
  /** SHA-256 (hex, first 16) of the injected secret; null where none was injected. */
  leaseFingerprint: z.string().nullable(),
  targetAddress: z.string().nullable(),
  /** Null or absent where the target was not spoken to over TLS. */
  targetTls: targetTlsSchema.nullish(),
  /** Places that the masker changed, and whether the injected credential was found in the response. */
  maskedCount: z.int(),
  credentialReflected: z.boolean(),
  timings: timingsSchema,
});
export type OutcomeEntry = z.infer<typeof outcomeEntrySchema>;

/** A call that was refused before its intent: head and outcome in one. */
export const refusalEntrySchema = z.object({
  type: z.literal('refusal'),
  head: callHeadSchema,
  outcome: outcomeEntrySchema,
  /** Further refusals with the same error from the same address that were counted within a second, not kept one by one. */
  repeats: z.int().min(1).optional(),
});
export type RefusalEntry = z.infer<typeof refusalEntrySchema>;

export const recordEntrySchema = z.discriminatedUnion('type', [intentEntrySchema, outcomeEntrySchema, refusalEntrySchema]);
export type RecordEntry = z.infer<typeof recordEntrySchema>;

/** The payload of one `recordings` job: the group commit of one relay process. */
export const recordBatchSchema = z.object({ version: z.literal(1), relayId: z.string(), entries: z.array(recordEntrySchema).min(1) });
export type RecordBatch = z.infer<typeof recordBatchSchema>;

/**
 * The same batch as it travels: `packed` is base64 (line feeds in it mean nothing) of u32be length ‖ UTF-8 text of that
 * length ‖ sealed bodies. The text is lines of JSON: one entry a line, each after the numbers (`3,0,{…`) of the shared
 * objects whose members it takes; then, on the last line, the list of those objects. Frequent entries are lists of values
 * (see @hoop/recording, recorder-pack.ts). A body's `sealed` reads `@N`: N bytes, in order, of the sealed bodies.
 * Version 5 is several of these together: u32be length ‖ zstd, of that length, of all texts, each after its length ‖ the
 * sealed bodies of all, in their order.
 */
export const packedRecordBatchSchema = z.object({
  version: z.union([z.literal(3), z.literal(5)]),
  relayId: z.string(),
  count: z.int().min(1),
  packed: z.string().min(8),
});
export type PackedRecordBatch = z.infer<typeof packedRecordBatchSchema>;
