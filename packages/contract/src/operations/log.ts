/** The tamper-evident log: audit events and digests of calls as leaves of a Merkle tree (RFC 9162), with signed checkpoints. */
import { z } from 'zod';

import { defineOperation } from '../operation.ts';
import { investigators, overseers, timeSchema } from './wire.ts';

const tag = 'Log';
const sizeQuery = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const hashSchema = z.string().meta({ description: 'SHA-256, base64' });

export const logLeafSchema = z.object({
  index: z.int(),
  /** `call_unknown`: closed without an outcome. `call_purge`: what stays once retention has removed the content. */
  kind: z.enum(['audit_event', 'call', 'call_unknown', 'call_purge']),
  id: z.string(),
  /** SHA-256 of the record's canonical form, hex. */
  digest: z.string(),
  leafHash: hashSchema,
  sequencedAt: timeSchema,
});

export const getLogCheckpoint = defineOperation({
  id: 'getLogCheckpoint',
  method: 'GET',
  path: '/v1/log/checkpoint',
  tag,
  audience: overseers,
  summary: 'Get the newest checkpoint as a signed note (C2SP tlog-checkpoint)',
  status: 200,
  response: z.string(),
  responseType: 'text/plain; charset=utf-8',
  errors: ['not_found'],
});
export const getLogKey = defineOperation({
  id: 'getLogKey',
  method: 'GET',
  path: '/v1/log/key',
  tag,
  audience: 'public',
  summary: 'Get the verifier keys of the log (C2SP signed-note), one a line, the one that signs now first',
  description: 'Keep the key somewhere else: a key fetched together with the log that it verifies proves little.',
  status: 200,
  response: z.string(),
  responseType: 'text/plain; charset=utf-8',
  errors: ['unavailable'],
});

export const inclusionProofSchema = z.object({
  leaf: logLeafSchema,
  size: z.int(),
  /** RFC 9162 §2.1.3: from the leaf upwards. */
  proof: z.array(hashSchema),
  /** The signed note of this size. */
  checkpoint: z.string(),
});
export const getInclusionProof = defineOperation({
  id: 'getInclusionProof',
  method: 'GET',
  path: '/v1/log/inclusion/{recordId}',
  tag,
  audience: overseers,
  summary: 'Prove that a call or an audit event is in the log',
  description:
    'Of the newest leaf of the record, or of that at `index`. `size` must be one that was signed. A record is sequenced within a second of its end; until then it is not found.',
  params: z.object({ recordId: z.string().regex(/^(?:call|aud)_[0-9a-hjkmnp-tv-z]{26}$/, 'must be the id of a call or an audit event') }),
  query: z.strictObject({ size: sizeQuery.optional(), index: sizeQuery.optional() }),
  status: 200,
  response: inclusionProofSchema,
  errors: ['not_found'],
});

export const consistencyProofSchema = z.object({
  from: z.int(),
  to: z.int(),
  /** RFC 9162 §2.1.4. */
  proof: z.array(hashSchema),
  /** The signed note of `to`. */
  checkpoint: z.string(),
});
export const getConsistencyProof = defineOperation({
  id: 'getConsistencyProof',
  method: 'GET',
  path: '/v1/log/consistency',
  tag,
  audience: overseers,
  summary: 'Prove that the log of one size extends the log of an earlier one',
  query: z.strictObject({ from: sizeQuery, to: sizeQuery.optional() }),
  status: 200,
  response: consistencyProofSchema,
  errors: ['not_found'],
});

export const exportLog = defineOperation({
  id: 'exportLog',
  method: 'GET',
  path: '/v1/log/export',
  tag,
  audience: investigators,
  summary: 'Export the whole log with its records, for `hoop audit verify`; each export is an audit event',
  description:
    'NDJSON of one moment: a header with the checkpoint, then each leaf with its record. What retention removed is stated as such.',
  status: 200,
  returns: ['Content-Disposition'],
  response: z.string(),
  responseType: 'application/x-ndjson',
  errors: ['not_found', 'unavailable'],
});

export const logStatusSchema = z.object({
  size: z.int(),
  /** Base64. */
  root: z.string(),
  /** Records that wait to be sequenced. */
  pending: z.int(),
  checkpointAt: timeSchema.nullable(),
  witnesses: z.array(z.object({ name: z.string(), size: z.int(), at: timeSchema.nullable(), error: z.string().nullable() })),
});
export const getLogStatus = defineOperation({
  id: 'getLogStatus',
  method: 'GET',
  path: '/v1/log',
  tag,
  audience: overseers,
  summary: 'Get the state of the log: its size, the records that wait, and the progress of witnesses',
  status: 200,
  response: logStatusSchema,
  errors: [],
});
