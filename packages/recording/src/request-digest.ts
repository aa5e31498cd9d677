/**
 * The digest that an approval is bound to: SHA-256 over a canonical form of everything that decides what is sent
 * and in whose name.
 *
 * Canonical form, version 1: the line `hoop-request-digest/1`, then fields in the order below. A field is
 * `name ":" length ":" value "\n"`, the length in bytes of the UTF-8 value, so that no value can imitate another
 * field. Fields: `method`, `authority` (host:port that is dialled), `path`, `search` (with its `?`, or empty), `header`
 * (one per header that matters, `lower-case-name ":" value`, sorted by bytes), `identity`, `connection`, `credential`
 * (id@revision, or empty), `policy` (id@revision), `body` (the bytes as they are sent).
 */
import { createHash } from 'node:crypto';

import type { HeaderList } from '@hoop/contract';

/**
 * Headers that differ between two sendings of the same request, or that the relay sets. They are no part of the digest,
 * so an approved call is sent without them. Every other header counts: `prefer: resolution=merge-duplicates` turns an
 * insertion into a replacement.
 */
const immaterialHeaders = new Set([
  'accept-encoding',
  'baggage',
  'connection',
  'content-length',
  'date',
  'expect',
  'host',
  'keep-alive',
  'traceparent',
  'tracestate',
  'transfer-encoding',
  'user-agent',
  'x-request-id',
]);

export interface DigestedRequest {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly search: string;
  /** As `materialHeaders` leaves them, before the credential is injected. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly identityId: string;
  readonly connectionId: string;
  readonly credential: { readonly id: string; readonly revision: number } | null;
  readonly policy: { readonly id: string; readonly revision: number };
  readonly body: Uint8Array;
}

/** Selects the request headers that an approval covers; only these are sent under one. @param headers lower-case names */
export const materialHeaders = (headers: HeaderList): HeaderList => headers.filter(([name]) => !immaterialHeaders.has(name));

const sortedHeaders = (headers: DigestedRequest['headers']): [string, string][] =>
  headers
    .map(([name, value]): [string, string] => [name.toLowerCase(), value])
    .filter(([name]) => !immaterialHeaders.has(name))
    .sort(([a, x], [b, y]) => (a === b ? Number(x > y) - Number(x < y) : a < b ? -1 : 1));

/** 64 lower-case hex digits. */
export function requestDigest(request: DigestedRequest): string {
  const hash = createHash('sha256');
  hash.update('hoop-request-digest/1\n');
  const field = (name: string, value: string): void => {
    hash
      .update(`${name}:${Buffer.byteLength(value)}:`)
      .update(value)
      .update('\n');
  };
  field('method', request.method);
  field('authority', request.authority);
  field('path', request.path);
  field('search', request.search);
  for (const [name, value] of sortedHeaders(request.headers)) field('header', `${name}:${value}`);
  field('identity', request.identityId);
  field('connection', request.connectionId);
  field('credential', request.credential ? `${request.credential.id}@${request.credential.revision}` : '');
  field('policy', `${request.policy.id}@${request.policy.revision}`);
  hash.update(`body:${request.body.byteLength}:`).update(request.body).update('\n');
  return hash.digest('hex');
}
