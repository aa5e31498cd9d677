/**
 * The digest of a concluded call: what the log holds of it, and what anyone can compute again from an export.
 *
 * SHA-256 over the line `hoop-call/1` and the canonical JSON (RFC 8785) of the call as the REST API gives it, without
 * `durationMs` (which follows from `timings`) and `purgedAt`, and with what the API does not show of what is stored:
 * - `sealed: { request, response }`: SHA-256 (hex) of each body as it is stored, sealed; null where none is kept;
 * - `dataKey`: null, or the id of the key that opens the bodies and the SHA-256 (hex) of it as it is stored, wrapped;
 * - `hasHead`, `previous`, `recordedAt`: the row's own bookkeeping;
 * - `identity`, `connection` and `decision` with each of their columns, also where the API gives null for the whole.
 * So there is no column of a call, no body and no key that could change without changing the digest.
 *
 * Once retention has removed the content, what stays is digested in the same way under the line `hoop-call-purge/1`
 * with `purgedAt` as a further member. A member that later versions add is left out where it is null, so that digests
 * of older calls stay as they are.
 */
import { createHash } from 'node:crypto';

import type { CallResource } from '@hoop/contract';

import { canonicalJson } from './canonical-json.ts';

/** A call with everything that is stored of it; contents by their SHA-256 (hex). */
export interface StoredCall {
  readonly call: CallResource;
  readonly hasHead: boolean;
  readonly previous: string | null;
  /** RFC 3339, UTC, milliseconds. */
  readonly recordedAt: string;
  readonly sealed: { readonly request: string | null; readonly response: string | null };
  /** `wrapped`: null where the key is not there (any more). */
  readonly dataKey: { readonly id: string; readonly wrapped: string | null } | null;
  /** Every column of what the API gives as one member or null. */
  readonly identity: { readonly id: string | null; readonly name: string | null };
  readonly connection: { readonly id: string | null; readonly name: string | null };
  readonly decision: {
    readonly effect: string | null;
    readonly rule: string | null;
    readonly reason: string | null;
    readonly policyId: string | null;
    readonly policyRevision: number | null;
  };
}

/** The members of `hoop-call/1` that come from the call, in the order of the contract. */
const members = [
  'id',
  'sessionId',
  'at',
  'state',
  'method',
  'url',
  'path',
  'status',
  'targetStatus',
  'error',
  'concludedAt',
  'relayId',
  'remoteAddress',
  'issuer',
  'subject',
  'grantId',
  'claims',
  'context',
  'snapshotRevision',
  'requestHeaders',
  'responseHeaders',
  'requestBody',
  'responseBody',
  'errorDetail',
  'leaseFingerprint',
  'targetAddress',
  'maskedCount',
  'credentialReflected',
  'timings',
  'traceId',
  'approvalId',
  'repeats',
] as const satisfies readonly (keyof CallResource)[];

/** The object that is hashed, as JSON. */
export function callForm(stored: StoredCall): Record<string, unknown> {
  const { call, ...rest } = stored;
  const form: Record<string, unknown> = { ...rest };
  for (const member of members) form[member] = call[member];
  // Later than the others: see above.
  if (call.targetTls != null) form['targetTls'] = call.targetTls;
  if (call.purgedAt !== null) form['purgedAt'] = call.purgedAt;
  return form;
}

/** The hashed text of a call. */
export const canonicalCall = (stored: StoredCall): string =>
  `${stored.call.purgedAt === null ? 'hoop-call/1' : 'hoop-call-purge/1'}\n${canonicalJson(callForm(stored))}`;

/** 32 bytes. */
export const callDigest = (stored: StoredCall): Buffer => createHash('sha256').update(canonicalCall(stored)).digest();
