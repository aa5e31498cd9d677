import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';

import type { HeaderList } from '@hoop/contract';

import { describe, expect, test } from 'vitest';

import { compileMasking } from '../rules/compile-masking.ts';
import { rulesOf } from '../testing/run-masker.ts';
import { isCoded, maskCodedBody, maskPlainBody, maskText } from './mask-body.ts';
import type { MaskedBody } from './mask-body.ts';
import { maskHeaders } from './mask-headers.ts';

const masking = compileMasking(rulesOf([{ key: 'pin' }, { detect: 'email' }]));
const text = (masked: MaskedBody | null): string | null => (masked === null ? null : new TextDecoder().decode(masked.bytes));
const json: HeaderList = [['content-type', 'application/json']];
const coded = (codings: string): HeaderList => [...json, ['content-encoding', codings]];
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

describe('what is recorded', () => {
  test('never holds credentials in headers; schemes and cookie names stay', () => {
    expect(
      maskHeaders(
        [
          ['authorization', 'Bearer abc'],
          ['cookie', 'sid=1; theme=dark'],
          ['set-cookie', 'sid=1; Path=/; HttpOnly'],
          ['x-api-key', 'k'],
          ['x-tenant-secret', 's'],
          ['x-custom', 'c'],
          ['accept', '*/*'],
          ['Proxy-Authorization', 'abc'],
        ],
        { extraNames: ['x-custom'] },
      ),
    ).toEqual([
      ['authorization', 'Bearer [redacted]'],
      ['cookie', 'sid=[redacted]; theme=[redacted]'],
      ['set-cookie', 'sid=[redacted]; Path=/; HttpOnly'],
      ['x-api-key', '[redacted]'],
      ['x-tenant-secret', '[redacted]'],
      ['x-custom', '[redacted]'],
      ['accept', '*/*'],
      ['Proxy-Authorization', '[redacted]'],
    ]);
  });

  test('has bodies masked as responses are, as far as they go', () => {
    expect(text(maskPlainBody({ masking, headers: json, body: bytes('{"pin":1}') }))).toBe('{"pin":"[redacted]"}');
    const cut = maskPlainBody({ masking, headers: json, body: bytes('{"a":1,"pin":"12') });
    expect([text(cut), cut?.isWhole]).toEqual(['{"a":1,"pin":', false]);
    expect(maskPlainBody({ masking, headers: [['content-type', 'image/png']], body: bytes('x') })).toBeNull();
    expect(maskPlainBody({ masking, headers: [], body: bytes('{}') })).toBeNull();
    expect(text(maskPlainBody({ masking: null, headers: [], body: bytes('x') }))).toBe('x');
  });

  const pin = '{"pin":1234,"note":"x"}';
  const maskedPin = '{"pin":"[redacted]","note":"x"}';
  test.each<[string, Uint8Array]>([
    ['gzip', gzipSync(pin)],
    ['x-gzip', gzipSync(pin)],
    ['br', brotliCompressSync(pin)],
    ['zstd', zstdCompressSync(pin)],
    ['deflate', deflateSync(pin)],
    ['deflate', deflateRawSync(pin)],
    ['gzip, br', brotliCompressSync(gzipSync(pin))],
    ['identity', bytes(pin)],
  ])('has the codings of a body undone first: %s', async (codings, body) => {
    expect(await maskCodedBody({ masking, headers: coded(codings), body, maxBytes: 1000 })).toEqual({
      bytes: Buffer.from(maskedPin),
      isWhole: true,
    });
    expect(isCoded(coded(codings))).toBe(codings !== 'identity');
    // At once it cannot be had, and is not passed on as it is.
    if (codings !== 'identity') expect(maskPlainBody({ masking, headers: coded(codings), body })).toBeNull();
  });

  test('holds a body whose coding is unknown, wrong or one too many to be unmaskable', async () => {
    for (const [codings, body] of [
      ['x-own', bytes(pin)],
      ['gzip', bytes(pin)],
      ['gzip, br', gzipSync(pin)],
      ['gzip, gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(gzipSync(pin))))],
    ] as const) {
      expect(await maskCodedBody({ masking, headers: coded(codings), body, maxBytes: 1000 }), codings).toBeNull();
    }
    expect(isCoded(coded('x-own'))).toBe(true);
  });

  test('has of a coded body that is cut, or longer than the limit once it is decoded, what comes before', async () => {
    const long = JSON.stringify({ note: 'ada@example.com', list: Array.from({ length: 5000 }, (_, i) => i), pin: 1234 });
    const whole = await maskCodedBody({ masking, headers: coded('gzip'), body: gzipSync(long), maxBytes: long.length });
    expect([whole?.isWhole, text(whole)]).toEqual([true, long.replace('ada@example.com', '[redacted]').replace('1234}', '"[redacted]"}')]);
    for (const [body, maxBytes] of [
      [gzipSync(long), long.length - 1],
      [gzipSync(long), 500],
      [gzipSync(long).subarray(0, 3000), 1_000_000],
      [brotliCompressSync(gzipSync(long)).subarray(0, 3000), 1_000_000],
    ] as const) {
      const part = await maskCodedBody({ masking, headers: coded(body[0] === 0x1f ? 'gzip' : 'gzip, br'), body, maxBytes });
      expect(part?.isWhole).toBe(false);
      expect(text(part)).toMatch(/^\{"note":"\[redacted\]","list":\[0,1,2,/);
      expect(part!.bytes.length).toBeLessThan(maxBytes);
      expect(text(part)).not.toContain('1234}');
    }
  });

  test('takes no more of a bomb than the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, '[1,'));
    const { heapUsed, external } = process.memoryUsage();
    for (const [codings, body] of [
      ['gzip', bomb],
      ['gzip, gzip', gzipSync(bomb)],
    ] as const) {
      const part = await maskCodedBody({ masking, headers: coded(codings), body, maxBytes: 65_536 });
      expect(part === null || (part.bytes.length <= 65_536 && !part.isWhole)).toBe(true);
    }
    const after = process.memoryUsage();
    expect(after.heapUsed + after.external - heapUsed - external).toBeLessThan(16 * 1024 * 1024);
  });

  test('leaves coded bodies as they are for those whom no rule is for', async () => {
    const identity = { name: 'a', issuer: '', subject: '', claims: {}, labels: {} };
    const exempt = { rules: [], engineFor: () => null };
    const body = gzipSync(pin);
    expect((await maskCodedBody({ masking: exempt, identity, headers: coded('gzip'), body, maxBytes: 10 }))?.bytes).toBe(body);
    expect(maskPlainBody({ masking: exempt, identity, headers: coded('gzip'), body })?.bytes).toBe(body);
  });

  test('has texts masked: query strings, errors, comments', () => {
    expect(maskText(masking, 'pin=1234&mail=alice@example.com')).toBe('pin=[redacted]&mail=[redacted]');
    expect(maskText(null, 'pin=1234')).toBe('pin=1234');
  });
});
