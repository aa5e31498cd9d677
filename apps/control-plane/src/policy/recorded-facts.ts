/** Rebuilds a policy's input from a recorded call. Values that were masked or not recorded are marked as unknown. */
import type { CallResource, MaskRule } from '@hoop/contract';
import { headerFacts, markMasked, maskedValue, readInspectedBody, WrittenNumber, type Facts, type InspectedBody } from '@hoop/policy';

export interface RecordedParts {
  readonly call: CallResource & { readonly method: string; readonly path: string };
  /** Those of the session where the call has none of its own; null: not on record. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** Null: the identity is not registered any more. */
  readonly labels: Readonly<Record<string, string>> | null;
  readonly connectionName: string;
  /** Masking rules under which it was recorded; null: not known. */
  readonly mask: readonly MaskRule[] | null;
  /** The kept bytes of the request body. `hidden`: there are some that must not, or cannot, be opened. */
  readonly body: Uint8Array | 'hidden' | null;
  /** The largest body that a condition is shown, bytes. */
  readonly maxInspectedBytes: number;
}

/** Whether a text is, or contains, a mark of masking. An unmasked text that looks like a mark counts as unknown too. */
export const isMark = (text: string): boolean => text.includes('[redacted]') || text.includes('****') || /hash:[0-9a-f]{32}/.test(text);

const unknown = maskedValue as never;

export function recordedFacts(parts: RecordedParts): Facts {
  const { call, claims, labels, connectionName } = parts;
  return {
    request: {
      method: call.method,
      path: call.path,
      query: call.url === null ? unknown : (markMasked(queryOf(call.url), isMark) as Facts['request']['query']),
      headers: headersOf(call),
      ...bodyOf(parts),
    },
    identity: {
      name: call.identity?.name ?? '',
      issuer: call.issuer ?? '',
      subject: call.subject ?? '',
      claims: claims ?? unknown,
      labels: labels ?? unknown,
    },
    connection: { name: connectionName },
    context: call.context === null ? unknown : (markMasked(call.context, isMark) as Facts['context']),
    now: Date.parse(call.at),
  };
}

function queryOf(url: string): Record<string, string[]> {
  const query = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of URL.parse(url)?.searchParams ?? []) (query[name] ??= []).push(value);
  return query;
}

/** A connection that keeps no heads leaves an empty list, and no request has none. */
function headersOf({ requestHeaders }: CallResource): Facts['request']['headers'] {
  if (requestHeaders === null || requestHeaders.length === 0) return unknown;
  return markMasked(headerFacts(requestHeaders), isMark) as Facts['request']['headers'];
}

type BodyFacts = InspectedBody;
const notKnown: BodyFacts = { body: maskedValue, bodyState: 'parsed' };

/** As the relay would have read it: what it would not look into, it is not looked into here. */
function bodyOf({ call, body, mask, maxInspectedBytes }: RecordedParts): BodyFacts {
  const { requestBody, requestHeaders } = call;
  // Refused before it was read; older records of refused calls say nothing of a body.
  if (requestBody?.unread === true) return notKnown;
  if (requestBody === null && call.targetStatus === null && announcesBody(requestHeaders)) return notKnown;
  if (requestBody === null) return { body: null, bodyState: 'absent' };
  if (requestBody.bytes === 0) return { body: null, bodyState: 'absent' };
  if (requestBody.bytes > maxInspectedBytes) return { body: null, bodyState: 'too_large' };
  if (requestHeaders === null || requestHeaders.length === 0) return notKnown;
  if (requestHeaders.some(([name]) => name === 'content-encoding')) return { body: null, bodyState: 'unsupported' };
  if (body === null || body === 'hidden' || requestBody.truncated || mask === null) return notKnown;
  // A removed value leaves no trace of its place.
  if (mask.some((rule) => rule.action === 'remove')) return notKnown;
  const read = readInspectedBody(body, requestBody.contentType ?? undefined);
  // Masking may turn what could be read into what cannot, and the other way round.
  if (read.bodyState !== 'parsed') return mask.length > 0 ? notKnown : read;
  if (hasMarkedKey(read.body)) return notKnown;
  const marked = markMasked(read.body, isMark);
  return { ...read, body: mask.some((rule) => rule.action === 'null') ? withoutNulls(marked) : marked };
}

const announcesBody = (headers: CallResource['requestHeaders']): boolean =>
  headers === null ||
  headers.length === 0 ||
  headers.some(([name, value]) => name === 'transfer-encoding' || (name === 'content-length' && value !== '0'));

function hasMarkedKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof WrittenNumber) return false;
  if (Array.isArray(value)) return value.some(hasMarkedKey);
  return Object.entries(value).some(([key, item]) => isMark(key) || hasMarkedKey(item));
}

/** Where masking puts null, a null may have been anything. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return maskedValue;
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value instanceof WrittenNumber) return value;
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, item] of Object.entries(value)) copy[key] = withoutNulls(item);
  return copy;
}
