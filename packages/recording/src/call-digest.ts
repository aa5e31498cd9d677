/**
 * The digest of a concluded call: what the log holds of it, and what anyone can compute again from an export.
 *
 * SHA-256 over the line `hoop-call/1` and the canonical JSON (RFC 8785) of the call as the REST API gives it, without
 * `durationMs` (which follows from `timings`) and `purgedAt` (which says nothing about the call), with one more member:
 * `sealed: { request, response }`, the SHA-256 (hex) of each body as it is stored, sealed; null where none is kept.
 * A member that later versions add is left out where it is null, so that digests of older calls stay as they are.
 */
import { createHash } from 'node:crypto';

import type { CallResource } from '@hoop/contract';

import { canonicalJson } from './canonical-json.ts';

export interface SealedBodies {
  /** nonce(12) ‖ ciphertext ‖ tag(16); null where nothing is kept. */
  readonly request: Uint8Array | null;
  readonly response: Uint8Array | null;
}

/** The members of `hoop-call/1`, in the order of the contract. */
const members = [
  'id', 'sessionId', 'at', 'state', 'identity', 'connection', 'method', 'url', 'path', 'decision', 'status', 'targetStatus', 'error', 'concludedAt',
  'relayId', 'remoteAddress', 'issuer', 'subject', 'grantId', 'claims', 'context', 'snapshotRevision', 'requestHeaders', 'responseHeaders',
  'requestBody', 'responseBody', 'errorDetail', 'leaseFingerprint', 'targetAddress', 'maskedCount', 'credentialReflected', 'timings', 'traceId',
  'approvalId', 'repeats',
] as const satisfies readonly (keyof CallResource)[];

/** What is hashed. Throws for a call whose content was purged: its digest can only be looked up in the log. */
export function canonicalCall(call: CallResource, bodies: SealedBodies): string {
  if (call.purgedAt !== null) throw new Error(`The content of ${call.id} was purged; its digest cannot be computed any more.`);
  const form: Record<string, unknown> = { sealed: { request: sha256(bodies.request), response: sha256(bodies.response) } };
  for (const member of members) form[member] = call[member];
  return `hoop-call/1\n${canonicalJson(form)}`;
}

/** 32 bytes. */
export function callDigest(call: CallResource, bodies: SealedBodies): Buffer {
  return createHash('sha256').update(canonicalCall(call, bodies)).digest();
}

const sha256 = (bytes: Uint8Array | null): string | null => (bytes === null ? null : createHash('sha256').update(bytes).digest('hex'));
