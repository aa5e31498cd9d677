import { gzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { compileMasking } from '../rules/compile-masking.ts';
import { rulesOf } from '../testing/run-masker.ts';
import { maskBody, maskText } from './mask-body.ts';
import { maskHeaders } from './mask-headers.ts';

const masking = compileMasking(rulesOf([{ key: 'pin' }, { detect: 'email' }]));
const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : new TextDecoder().decode(bytes));
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

describe('what is recorded', () => {
  test('never holds credentials in headers; schemes and cookie names stay', () => {
    expect(
      maskHeaders(
        [['authorization', 'Bearer abc'], ['cookie', 'sid=1; theme=dark'], ['set-cookie', 'sid=1; Path=/; HttpOnly'], ['x-api-key', 'k'], ['x-tenant-secret', 's'], ['x-custom', 'c'], ['accept', '*/*'], ['Proxy-Authorization', 'abc']],
        { extraNames: ['x-custom'] },
      ),
    ).toEqual([
      ['authorization', 'Bearer [redacted]'], ['cookie', 'sid=[redacted]; theme=[redacted]'], ['set-cookie', 'sid=[redacted]; Path=/; HttpOnly'], ['x-api-key', '[redacted]'], ['x-tenant-secret', '[redacted]'], ['x-custom', '[redacted]'], ['accept', '*/*'], ['Proxy-Authorization', '[redacted]'],
    ]);
  });

  test('has bodies masked as responses are, coded or cut short or not', async () => {
    const json: [string, string][] = [['content-type', 'application/json']];
    expect(text(await maskBody({ masking, headers: json, body: bytes('{"pin":1}') }))).toBe('{"pin":"[redacted]"}');
    expect(text(await maskBody({ masking, headers: [...json, ['content-encoding', 'gzip']], body: gzipSync('{"pin":1}') }))).toBe('{"pin":"[redacted]"}');
    expect(text(await maskBody({ masking, headers: json, body: bytes('{"a":1,"pin":"12') }))).toBe('{"a":1,"pin":');
    expect(await maskBody({ masking, headers: [['content-type', 'image/png']], body: bytes('x') })).toBeNull();
    expect(text(await maskBody({ masking: null, headers: [], body: bytes('x') }))).toBe('x');
  });

  test('has texts masked: query strings, errors, comments', () => {
    expect(maskText(masking, 'pin=1234&mail=alice@example.com')).toBe('pin=[redacted]&mail=[redacted]');
    expect(maskText(null, 'pin=1234')).toBe('pin=1234');
  });
});
