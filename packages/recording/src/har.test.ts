import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import { sampleCallResource, sampleSession } from '../test/sample-call.ts';
import { toHar } from './har.ts';
import type { BodyOpener, HarEntry } from './har.ts';

// The structure of HAR 1.2, members that begin with `_` apart: strict, so that anything else shows.
const open = <S extends z.core.$ZodShape>(shape: S) =>
  z.looseObject(shape).superRefine((value, context) => {
    for (const name of Object.keys(value))
      if (!(name in shape) && !name.startsWith('_')) context.addIssue({ code: 'custom', message: `${name} is not of HAR 1.2` });
  });
const nameValue = open({ name: z.string(), value: z.string(), comment: z.string().optional() });
const time = z.iso.datetime({ offset: true });
const optionalSpan = z.number().min(-1).optional();
const span = z.number().min(0);
const har = open({
  log: open({
    version: z.literal('1.2'),
    creator: open({ name: z.string(), version: z.string() }),
    pages: z.array(
      open({
        startedDateTime: time,
        id: z.string(),
        title: z.string(),
        pageTimings: open({ onContentLoad: optionalSpan, onLoad: optionalSpan }),
      }),
    ),
    entries: z.array(
      open({
        pageref: z.string(),
        startedDateTime: time,
        time: span,
        request: open({
          method: z.string(),
          url: z.string(),
          httpVersion: z.string(),
          cookies: z.array(z.never()),
          headers: z.array(nameValue),
          queryString: z.array(nameValue),
          postData: open({ mimeType: z.string(), text: z.string(), comment: z.string().optional() }).optional(),
          headersSize: z.int(),
          bodySize: z.int(),
        }),
        response: open({
          status: z.int(),
          statusText: z.string(),
          httpVersion: z.string(),
          cookies: z.array(z.never()),
          headers: z.array(nameValue),
          content: open({
            size: z.int(),
            mimeType: z.string(),
            text: z.string().optional(),
            encoding: z.literal('base64').optional(),
            comment: z.string().optional(),
          }),
          redirectURL: z.string(),
          headersSize: z.int(),
          bodySize: z.int(),
        }),
        cache: open({}),
        timings: open({
          blocked: optionalSpan,
          dns: optionalSpan,
          connect: optionalSpan,
          ssl: optionalSpan,
          send: span,
          wait: span,
          receive: span,
        }),
        serverIPAddress: z.string().optional(),
        connection: z.string().optional(),
      }),
    ),
  }),
});

const call = sampleCallResource();
const bodies: Record<string, Uint8Array> = {
  [`${call.id}:request`]: Buffer.from('{"amount": 100}'),
  [`${call.id}:response`]: Buffer.from('{"id": 1}'),
};
const openBody: BodyOpener = async (callId, side) => bodies[`${callId}:${side}`] ?? null;
const harOf = (calls = [call], opener: BodyOpener | undefined = openBody) =>
  toHar({ session: sampleSession(call), calls, version: '0.1.0', ...(opener ? { openBody: opener } : {}) });
const entryOf = async (changes: Parameters<typeof sampleCallResource>[0], content: Uint8Array | null = null): Promise<HarEntry> =>
  (await harOf([sampleCallResource(changes)], async () => content)).log.entries[0]!;

describe('HAR export', () => {
  test('is HAR 1.2 for calls of every kind', async () => {
    const kinds = [
      call,
      sampleCallResource({
        state: 'pending',
        status: null,
        targetStatus: null,
        concludedAt: null,
        responseHeaders: null,
        requestBody: null,
        responseBody: null,
        timings: null,
        targetAddress: null,
      }),
      sampleCallResource({
        state: 'refused',
        status: 403,
        targetStatus: null,
        error: 'policy_denied',
        responseHeaders: [],
        timings: { decided: 0.5, end: 0.7 },
      }),
      sampleCallResource({
        url: null,
        path: null,
        method: null,
        requestHeaders: null,
        responseHeaders: null,
        claims: null,
        purgedAt: '2027-01-01T00:00:00.000Z',
      }),
      sampleCallResource({ state: 'unknown', status: null, targetStatus: null, timings: null }),
    ];
    for (const opener of [openBody, undefined]) {
      const document = JSON.parse(JSON.stringify(await harOf(kinds, opener))) as unknown;
      expect(har.safeParse(document).error?.issues ?? []).toEqual([]);
    }
  });

  test('tells one call as the function saw it', async () => {
    const { log } = await harOf();
    expect(log.pages).toEqual([{ startedDateTime: call.at, id: call.sessionId, title: 'nightly-billing', pageTimings: {} }]);
    expect(log.entries[0]).toMatchObject({
      pageref: call.sessionId,
      startedDateTime: call.at,
      time: 42.42,
      request: {
        method: 'POST',
        url: call.url,
        queryString: [
          { name: 'expand', value: 'a' },
          { name: 'expand', value: 'b c' },
          { name: 'empty', value: '' },
        ],
        headers: [
          { name: 'content-type', value: 'application/json' },
          { name: 'authorization', value: '[redacted]' },
        ],
        postData: { mimeType: 'application/json', text: '{"amount": 100}' },
        bodySize: 15,
      },
      response: {
        status: 201,
        statusText: 'Created',
        content: { size: 9, mimeType: 'application/json', text: '{"id": 1}' },
        redirectURL: '/v1/refunds/1',
        bodySize: 9,
      },
      timings: { blocked: 3.4, send: 0, wait: 26.85, receive: 12.17, dns: -1, connect: -1, ssl: -1 },
      serverIPAddress: '203.0.113.7',
      connection: '443',
      _hoop: {
        callId: call.id,
        state: 'completed',
        decision: call.decision,
        context: { ticket: 'OPS-12' },
        leaseFingerprint: '0123456789abcdef',
      },
    });
  });

  test('has its time add up', async () => {
    for (const timings of [call.timings, { end: 3 }, { authenticated: 1, decided: 2, end: 5 }, null]) {
      const entry = await entryOf({ timings });
      const { blocked, send, wait, receive } = entry.timings;
      expect(entry.time).toBeCloseTo(blocked + send + wait + receive, 5);
    }
  });

  test('says so where a body was cut, and takes a cut within a character for text', async () => {
    const cut = Buffer.from('Grüße aus Köln: ü').subarray(0, -1);
    const entry = await entryOf(
      { responseBody: { bytes: 5000, digest: 'b'.repeat(64), keptBytes: cut.length, truncated: true, contentType: 'text/plain' } },
      cut,
    );
    expect(entry.response.content).toEqual({
      size: 5000,
      mimeType: 'text/plain',
      text: 'Grüße aus Köln: ',
      comment: `Truncated: ${cut.length} of 5000 bytes were kept.`,
    });
  });

  test('says so where the masking rules could not be applied, or codings were undone for them', async () => {
    const facts = { bytes: 50, digest: 'b'.repeat(64), keptBytes: 2, contentType: 'application/json' };
    const entry = await entryOf(
      { requestHeaders: [['content-encoding', 'gzip']], requestBody: { ...facts, truncated: false, decoded: true } },
      Buffer.from('{}'),
    );
    expect(entry.request.postData).toEqual({
      mimeType: 'application/json',
      text: '{}',
      comment: 'Kept without the content coding that it was sent in.',
    });
    const withheld = await entryOf({ requestBody: { ...facts, truncated: true, withheld: true } }, Buffer.from('{}'));
    expect(withheld.request.postData?.comment).toBe(
      'Truncated: 2 of 50 bytes were kept. The masking rules could not be applied to all of it.',
    );
  });

  test('carries bytes that are no text in base64', async () => {
    const entry = await entryOf({}, Buffer.from([0xff, 0xd8, 0xff, 0x00]));
    expect(entry.response.content).toMatchObject({ text: '/9j/AA==', encoding: 'base64' });
    expect(entry.request.postData).toMatchObject({ text: '/9j/AA==', _encoding: 'base64' });
  });

  test('splits an IPv6 address from its port', async () => {
    expect(await entryOf({ targetAddress: '[2001:db8::7]:8443' })).toMatchObject({ serverIPAddress: '2001:db8::7', connection: '8443' });
  });
});
