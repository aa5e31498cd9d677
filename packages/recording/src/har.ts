/** HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/): what browsers' tools open. Members of our own begin with `_`. */
import { STATUS_CODES } from 'node:http';

import type { CallResource, HeaderList, SessionResource } from '@hoop/contract';

import { decodeContent } from './content-coding.ts';
import type { DecodedContent } from './content-coding.ts';

export interface HarNameValue {
  readonly name: string;
  readonly value: string;
}

export interface HarEntry {
  readonly pageref: string;
  readonly startedDateTime: string;
  /** Milliseconds: the sum of `timings` that are not -1. */
  readonly time: number;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly httpVersion: string;
    readonly cookies: [];
    readonly headers: HarNameValue[];
    readonly queryString: HarNameValue[];
    readonly postData?: { readonly mimeType: string; readonly text: string; readonly comment?: string; readonly _encoding?: 'base64' };
    readonly headersSize: -1;
    readonly bodySize: number;
  };
  readonly response: {
    readonly status: number;
    readonly statusText: string;
    readonly httpVersion: string;
    readonly cookies: [];
    readonly headers: HarNameValue[];
    readonly content: {
      readonly size: number;
      readonly mimeType: string;
      readonly text?: string;
      readonly encoding?: 'base64';
      readonly comment?: string;
    };
    readonly redirectURL: string;
    readonly headersSize: -1;
    readonly bodySize: number;
  };
  readonly cache: Record<string, never>;
  readonly timings: {
    readonly blocked: number;
    readonly dns: -1;
    readonly connect: -1;
    readonly ssl: -1;
    readonly send: number;
    readonly wait: number;
    readonly receive: number;
  };
  readonly serverIPAddress?: string;
  readonly connection?: string;
  /** Hoop's own data about the entry, beyond HTTP. */
  readonly _hoop: Readonly<Record<string, unknown>>;
}

export interface Har {
  readonly log: {
    readonly version: '1.2';
    readonly creator: { readonly name: string; readonly version: string };
    readonly pages: {
      readonly startedDateTime: string;
      readonly id: string;
      readonly title: string;
      readonly pageTimings: Record<string, never>;
    }[];
    readonly entries: HarEntry[];
  };
}

/** Gives the plain bytes of a kept body, masked; null where none is kept. */
export type BodyOpener = (callId: string, side: 'request' | 'response') => Promise<Uint8Array | null>;

export interface HarInput {
  readonly session: SessionResource;
  /** In order. */
  readonly calls: readonly CallResource[];
  /** Absent: no content, sizes only. */
  readonly openBody?: BodyOpener;
  /** Of Hoop. */
  readonly version: string;
}

/** A session as HAR: the session is the page, each call an entry, as the function saw it. */
export async function toHar({ session, calls, openBody, version }: HarInput): Promise<Har> {
  const entries: HarEntry[] = [];
  for (const call of calls) {
    const request = (await openBody?.(call.id, 'request')) ?? null;
    const response = (await openBody?.(call.id, 'response')) ?? null;
    // A HAR has the content as it is read, not as it travelled.
    const content = response === null ? null : await decodeContent(response, call.responseHeaders ?? []);
    entries.push(toEntry(session.id, call, request, content));
  }
  const title = session.identity?.name ?? session.subject ?? session.id;
  return {
    log: {
      version: '1.2',
      creator: { name: 'Hoop', version },
      pages: [{ startedDateTime: session.startedAt, id: session.id, title, pageTimings: {} }],
      entries,
    },
  };
}

function toEntry(pageref: string, call: CallResource, requestBytes: Uint8Array | null, content: DecodedContent | null): HarEntry {
  const timings = toTimings(call);
  const address = /^\[?(.+?)\]?:(\d+)$/.exec(call.targetAddress ?? '');
  const responseHeaders = call.responseHeaders ?? [];
  const { requestBody, responseBody } = call;
  return {
    pageref,
    startedDateTime: call.at,
    time: rounded(timings.blocked + timings.send + timings.wait + timings.receive),
    request: {
      method: call.method ?? '',
      url: call.url ?? '',
      httpVersion: 'HTTP/1.1',
      // Cookies are redacted in the headers, and so are none here.
      cookies: [],
      headers: nameValues(call.requestHeaders ?? []),
      queryString: queryOf(call.url),
      ...(requestBytes === null ? {} : { postData: toPostData(call, requestBytes) }),
      headersSize: -1,
      bodySize: requestBody?.bytes ?? 0,
    },
    response: {
      status: call.status ?? 0,
      statusText: STATUS_CODES[call.status ?? 0] ?? '',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: nameValues(responseHeaders),
      content: {
        size: content !== null && content.undone.length > 0 ? content.bytes.byteLength : (responseBody?.bytes ?? 0),
        mimeType: responseBody?.contentType ?? valueOf(responseHeaders, 'content-type') ?? '',
        ...(content === null ? {} : toText(content.bytes, 'encoding')),
        ...remarks(responseBody, content?.remaining ?? null),
      },
      redirectURL: valueOf(responseHeaders, 'location') ?? '',
      headersSize: -1,
      bodySize: responseBody?.bytes ?? -1,
    },
    cache: {},
    timings,
    ...(address ? { serverIPAddress: address[1]!, connection: address[2]! } : {}),
    _hoop: {
      callId: call.id,
      state: call.state,
      identity: call.identity,
      connection: call.connection,
      decision: call.decision,
      context: call.context,
      approvalId: call.approvalId,
      error: call.error,
      errorDetail: call.errorDetail,
      targetStatus: call.targetStatus,
      leaseFingerprint: call.leaseFingerprint,
      targetTls: call.targetTls ?? null,
      maskedCount: call.maskedCount,
      credentialReflected: call.credentialReflected,
      requestBody,
      responseBody,
      timings: call.timings,
      traceId: call.traceId,
      repeats: call.repeats,
      purgedAt: call.purgedAt,
    },
  };
}

/** Hoop's own work before anything is sent is `blocked`; `wait` is to the head, `receive` to the end. Phases that were not reached take no time. */
function toTimings(call: CallResource): HarEntry['timings'] {
  const marks = call.timings ?? {};
  const end = marks['end'] ?? 0;
  const before = marks['credential'] ?? marks['intended'] ?? marks['decided'] ?? marks['authenticated'] ?? end;
  const head = marks['head'] ?? (call.targetStatus === null ? before : end);
  const span = (from: number, to: number): number => Math.max(0, rounded(to - from));
  return { blocked: rounded(before), dns: -1, connect: -1, ssl: -1, send: 0, wait: span(before, head), receive: span(head, end) };
}

const rounded = (ms: number): number => Math.round(ms * 100) / 100;

const nameValues = (headers: HeaderList): HarNameValue[] => headers.map(([name, value]) => ({ name, value }));
const valueOf = (headers: HeaderList, wanted: string): string | undefined => headers.find(([name]) => name === wanted)?.[1];

function queryOf(url: string | null): HarNameValue[] {
  const query = url?.split('#')[0]!.split('?').slice(1).join('?') ?? '';
  return [...new URLSearchParams(query)].map(([name, value]) => ({ name, value }));
}

function toPostData(call: CallResource, bytes: Uint8Array): NonNullable<HarEntry['request']['postData']> {
  const mimeType = call.requestBody?.contentType ?? valueOf(call.requestHeaders ?? [], 'content-type') ?? '';
  return { mimeType, ...toText(bytes, '_encoding'), ...remarks(call.requestBody, null) };
}

function remarks(body: CallResource['requestBody'], coding: string | null): { comment?: string } {
  const said: string[] = [];
  if (body?.truncated) said.push(`Truncated: ${body.keptBytes} of ${body.bytes} bytes were kept.`);
  if (body?.withheld) said.push('The masking rules could not be applied to all of it.');
  if (body?.decoded) said.push('Kept without the content coding that it was sent in.');
  if (coding !== null) said.push(`Still encoded: ${coding}.`);
  return said.length === 0 ? {} : { comment: said.join(' ') };
}

/** UTF-8 as text, anything else in base64. HAR has a member that says so for responses only. */
function toText<const Name extends string>(bytes: Uint8Array, encodingMember: Name): { text: string } & { [K in Name]?: 'base64' } {
  const text = decodeUtf8(bytes);
  if (text !== null) return { text } as { text: string } & { [K in Name]?: 'base64' };
  return { text: Buffer.from(bytes).toString('base64'), [encodingMember]: 'base64' } as { text: string } & { [K in Name]?: 'base64' };
}

/** A kept prefix may end within a character: up to three bytes at its end do not make it binary. */
function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
  } catch {
    return null;
  }
}
