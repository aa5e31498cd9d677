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

/** Members that are left out where they are null. */
const laterMembers: ReadonlySet<string> = new Set(['targetTls', 'purgedAt']);

/** In the order of canonical JSON, so that nothing is to be sorted. */
const ordered: readonly (readonly [name: string, isOfCall: boolean])[] = [
  ...[...members, ...laterMembers].map((name) => [name, true] as const),
  ...(['hasHead', 'previous', 'recordedAt', 'sealed', 'dataKey', 'identity', 'connection', 'decision'] as const).map(
    (name) => [name, false] as const,
  ),
].sort(([a], [b]) => (a < b ? -1 : 1));

/** The object that is hashed, as JSON. */
export function callForm(stored: StoredCall): Record<string, unknown> {
  const form: Record<string, unknown> = {};
  for (const [name, isOfCall] of ordered) {
    const value = isOfCall ? stored.call[name as keyof CallResource] : stored[name as keyof StoredCall];
    if (value != null || !laterMembers.has(name)) form[name] = value;
  }
  return form;
}

const written = ordered.map(([name, isOfCall]) => ({ name, isOfCall, isLater: laterMembers.has(name), text: `${canonicalJson(name)}:` }));

/** The hashed text of a call: the canonical JSON of its form, of which every name and its place are known beforehand. */
export function canonicalCall(stored: StoredCall): string {
  const { call } = stored;
  let text = call.purgedAt === null ? 'hoop-call/1\n{' : 'hoop-call-purge/1\n{';
  let separator = '';
  for (const { name, isOfCall, isLater, text: begin } of written) {
    const value = isOfCall ? call[name as keyof CallResource] : stored[name as keyof StoredCall];
    if (value === undefined || (isLater && value === null)) continue;
    text += `${separator}${begin}${canonicalJson(value)}`;
    separator = ',';
  }
  return `${text}}`;
}

/** 32 bytes. */
export const callDigest = (stored: StoredCall): Buffer => createHash('sha256').update(canonicalCall(stored)).digest();
