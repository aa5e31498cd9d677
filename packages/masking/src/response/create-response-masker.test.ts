import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';

import { AppError } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { compileMasking } from '../rules/compile-masking.ts';
import { compileScrubber } from '../scrubber/scrubber.ts';
import { rulesOf, runMasker } from '../testing/run-masker.ts';
import { createResponseMasker } from './create-response-masker.ts';
import { requestHeadersForMasking } from './request-headers.ts';

const rules = [{ key: 'pin' }];
const refused = async (run: Parameters<typeof runMasker>[0]): Promise<AppError | null> =>
  runMasker(run).then(
    ({ error }) => error,
    (error: unknown) => error as AppError,
  );

describe('the head of a response', () => {
  test('loses what describes the original bytes, and keeps the rest', async () => {
    const headers: [string, string][] = [
      ['content-type', 'application/json; charset="utf-8"'],
      ['content-length', '9'],
      ['etag', '"x"'],
      ['last-modified', 'Tue'],
      ['content-md5', 'x'],
      ['digest', 'x'],
      ['content-digest', 'x'],
      ['repr-digest', 'x'],
      ['accept-ranges', 'bytes'],
      ['x-amz-checksum-sha256', 'x'],
      ['cache-control', 'no-store'],
      ['x-request-id', '1'],
    ];
    expect((await runMasker({ rules, headers, body: '{"pin":1}' })).headers).toEqual([
      ['content-type', 'application/json; charset=utf-8'],
      ['cache-control', 'no-store'],
      ['x-request-id', '1'],
    ]);
  });

  test('has its values masked by rules: a key rule selects a header by its name', async () => {
    const { headers, trailers, report } = await runMasker({
      rules: [{ key: 'x_user_pin' }, { detect: 'email' }, { key: 'x-gone', action: 'remove' }],
      headers: [
        ['content-type', 'application/json'],
        ['x-user-pin', '1'],
        ['x-note', 'from alice@example.com'],
        ['x-gone', '1'],
        ['date', 'Tue, 24 Nov 2026 07:00:00 GMT'],
      ],
      body: '{}',
      trailers: [['x-user-pin', '1']],
    });
    expect(headers).toEqual([
      ['content-type', 'application/json'],
      ['x-user-pin', '[redacted]'],
      ['x-note', 'from [redacted]'],
      ['date', 'Tue, 24 Nov 2026 07:00:00 GMT'],
    ]);
    expect(trailers).toEqual([['x-user-pin', '[redacted]']]);
    expect(report.maskedCount).toBe(4);
  });

  test('is masked in linear time, and what is found past the pieces that are looked at hides the value', async () => {
    const mask = async (value: string): Promise<string | undefined> =>
      (
        await runMasker({
          rules: [{ detect: 'email' }],
          headers: [
            ['content-type', 'application/json'],
            ['location', value],
          ],
          body: '{}',
        })
      ).headers[1]?.[1];
    const long = 'a'.repeat(40_000);
    expect(await mask(`/${long}?x=%20`)).toBe(`/${long}?x=%20`);
    expect(await mask(`/x?${'a=%20&'.repeat(10)}mail=ada%40example.com`)).toBe(`/x?${'a=%20&'.repeat(10)}mail=%5Bredacted%5D`);
    expect(await mask(`/x?${'a=%20&'.repeat(300)}mail=ada%40example.com`)).toBe('[redacted]');
    expect(await mask(`/x?q=Z%C3%BCrich&to=${Buffer.from('zoë@exämple.com').toString('latin1')}`)).toBe('/x?q=Z%C3%BCrich&to=[redacted]');
    expect(await mask('"ada\\@example.com"')).toBe('[redacted]');
  });

  test('passes without a body whatever its type: HEAD, 204, 304, length 0', async () => {
    const headers: [string, string][] = [
      ['content-type', 'application/octet-stream'],
      ['etag', '"x"'],
    ];
    for (const input of [
      { requestMethod: 'HEAD' },
      { status: 204 },
      { status: 304 },
      { headers: [...headers, ['content-length', '0']] as [string, string][] },
    ]) {
      const { passthrough, headers: shown } = await runMasker({ rules, headers, body: '', ...input });
      expect(passthrough).toBe(true);
      expect(shown).toEqual([['content-type', 'application/octet-stream']]);
    }
  });

  test('blocks types, parts and codings that cannot be masked, unless the connection names the type', async () => {
    const body = 'x';
    expect((await refused({ rules, type: 'image/png', body }))?.code).toBe('unmaskable_response');
    expect((await refused({ rules, type: 'image/png', body }))?.detail).toContain('unmaskedContentTypes');
    expect(await refused({ rules, type: 'image/png', body, unmaskedContentTypes: ['image/*'] })).toBeNull();
    expect((await refused({ rules, type: 'image/png', body, unmaskedContentTypes: ['image/p'] }))?.status).toBe(400);
    expect((await refused({ rules, body: '{}', status: 206 }))?.detail).toContain('partial');
    expect((await refused({ scrub: compileScrubber(['a secret']), headers: [['content-encoding', 'exi']], body }))?.detail).toContain(
      'credential',
    );
  });

  test('a listed type that has a machine is masked all the same', async () => {
    expect((await runMasker({ rules, body: '{"pin":1}', unmaskedContentTypes: ['application/json'] })).text).toBe('{"pin":"[redacted]"}');
  });

  test('without rules and without a credential nothing is looked at', async () => {
    const { passthrough, headers, text } = await runMasker({ headers: [['etag', '"x"']], body: 'x', type: 'image/png' });
    expect([passthrough, headers, text]).toEqual([true, [['etag', '"x"']], 'x']);
  });

  test('asks the target for nothing that could not be masked', () => {
    const headers: [string, string][] = [
      ['range', 'bytes=0-9'],
      ['if-range', '"x"'],
      ['if-none-match', '"x"'],
      ['accept-encoding', 'gzip;q=1, dcb, br'],
      ['accept', '*/*'],
    ];
    const masking = compileMasking(rulesOf(rules));
    expect(requestHeadersForMasking(headers, { masking, scrub: null })).toEqual([
      ['accept-encoding', 'gzip;q=1, br'],
      ['accept', '*/*'],
    ]);
    expect(requestHeadersForMasking(headers, { masking: null, scrub: compileScrubber(['a secret']) })[0]).toEqual(['range', 'bytes=0-9']);
    expect(requestHeadersForMasking(headers, { masking: null, scrub: null })).toBe(headers);
    expect(requestHeadersForMasking([['accept-encoding', 'dcb']], { masking, scrub: null })).toEqual([['accept-encoding', 'identity']]);
  });
});

describe('coded bodies', () => {
  const codings: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
    gzip: (bytes) => gzipSync(bytes),
    deflate: (bytes) => deflateSync(bytes),
    br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
    zstd: (bytes) => zstdCompressSync(bytes),
  };

  test('come out masked whatever codings, charset and chunks they came in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...Object.keys(codings)), { maxLength: 3 }),
        fc.constantFrom('utf-8', 'utf-8 bom', 'utf-16le', 'utf-16be', 'latin1'),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
        fc.string({ unit: 'grapheme-ascii', minLength: 12, maxLength: 30 }),
        async (applied, charset, chunks, planted) => {
          const text = JSON.stringify({ a: 'é', pin: planted, nested: JSON.stringify({ pin: planted }) });
          const plain = Buffer.from(
            charset === 'utf-8 bom' || charset === 'utf-16be' ? `\ufeff${text}` : text,
            charset.startsWith('utf-16') ? 'utf16le' : charset === 'latin1' ? 'latin1' : 'utf8',
          );
          if (charset === 'utf-16be') plain.swap16();
          const body = applied.reduce<Uint8Array>((bytes, coding) => codings[coding]!(bytes), plain);
          const result = await runMasker({
            rules,
            headers: [
              ['content-type', charset === 'latin1' ? 'application/json; charset=iso-8859-1' : 'application/json'],
              ...(applied.length === 0 ? [] : ([['content-encoding', applied.join(', ')]] as [string, string][])),
            ],
            body,
            chunks,
          });
          expect(result.error).toBeNull();
          expect(JSON.parse(result.text)).toEqual({ a: 'é', pin: '[redacted]', nested: '{"pin":"[redacted]"}' });
          expect(result.headers.some(([name]) => name === 'content-encoding' || name === 'content-length')).toBe(false);
        },
      ),
      { numRuns: 80 },
    );
  });

  test('are cut when they decode to much more than they are, or end early', async () => {
    const bomb = gzipSync(Buffer.alloc(40_000_000, 0x20), { level: 9 });
    const headers: [string, string][] = [
      ['content-type', 'application/json'],
      ['content-encoding', 'gzip'],
    ];
    const cut = await runMasker({ rules, headers, body: bomb, chunks: [16_384] });
    expect(cut.report.cut?.reason).toContain('times its size');
    expect((await runMasker({ rules, headers, body: gzipSync('{"pin":1}').subarray(0, 15) })).error?.code).toBe('unmaskable_response');
    expect(
      (
        await runMasker({
          rules,
          headers: [
            ['content-type', 'application/json'],
            ['content-encoding', 'deflate'],
          ],
          body: deflateRawSync('{"pin":1}'),
        })
      ).text,
    ).toBe('{"pin":"[redacted]"}');
  });

  test('stop when the sink asks, and go on when it resumes', async () => {
    const body = gzipSync(JSON.stringify(Array.from({ length: 60_000 }, (_, i) => ({ i, pin: i }))));
    let masker: ReturnType<typeof createResponseMasker>;
    let outWhilePaused = 0;
    let isPaused = false;
    const done = new Promise<number>((resolve, reject) => {
      let out = 0;
      masker = createResponseMasker({
        masking: compileMasking(rulesOf(rules)),
        unmaskedContentTypes: [],
        requestMethod: 'GET',
        status: 200,
        headers: [
          ['content-type', 'application/json'],
          ['content-encoding', 'gzip'],
        ],
        scrub: null,
        sink: {
          data(chunk) {
            if (isPaused) outWhilePaused++;
            out += chunk.length;
            isPaused = true;
            setImmediate(() => {
              isPaused = false;
              masker.resume();
            });
            return false;
          },
          end: () => resolve(out),
          error: reject,
          drain() {},
        },
      });
      masker.write(body);
      masker.end();
    });
    expect(await done).toBeGreaterThan(1_000_000);
    expect(outWhilePaused).toBe(0);
  });
});
