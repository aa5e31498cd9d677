import { gzipSync } from 'node:zlib';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { runMasker } from '../testing/run-masker.ts';
import { compileScrubber } from './scrubber.ts';

const utf16 = (text: string): string => Buffer.from(text, 'utf16le').toString('latin1');
const eachUnit = (text: string, write: (unit: number) => string): string =>
  Array.from({ length: text.length }, (_, i) => write(text.charCodeAt(i))).join('');
const hex = (unit: number, width: number): string => unit.toString(16).padStart(width, '0');

/** Ways in which a target may send a secret back. */
const notations: Readonly<Record<string, (secret: string) => string>> = {
  raw: (secret) => secret,
  json: (secret) => JSON.stringify(secret).slice(1, -1),
  'json, every character': (secret) => eachUnit(secret, (unit) => `\\u${hex(unit, 4)}`),
  'json in json': (secret) => eachUnit(secret, (unit) => `\\\\u${hex(unit, 4).toUpperCase()}`),
  'javascript \\x': (secret) => eachUnit(secret, (unit) => `\\x${hex(unit, 2)}`),
  percent: (secret) => encodeURIComponent(secret),
  'percent, every character': (secret) => eachUnit(secret, (unit) => `%${hex(unit, 2)}`),
  'percent twice': (secret) => eachUnit(secret, (unit) => `%25${hex(unit, 2).toUpperCase()}`),
  'html decimal': (secret) => eachUnit(secret, (unit) => `&#${unit};`),
  'html hexadecimal with zeros': (secret) => eachUnit(secret, (unit) => `&#X000${hex(unit, 2)};`),
  'html without semicolons': (secret) => eachUnit(secret, (unit) => `&#${unit}`),
  'quoted-printable': (secret) => eachUnit(secret, (unit) => `=${hex(unit, 2).toUpperCase()}`),
  'base64 at 0': (secret) => Buffer.from(secret).toString('base64'),
  'base64 at 1': (secret) => Buffer.from(`u${secret}`).toString('base64'),
  'base64 at 2': (secret) => Buffer.from(`u:${secret}:more`).toString('base64'),
  base64url: (secret) => Buffer.from(`user:${secret}`).toString('base64url'),
  'base64 in lines': (secret) =>
    Buffer.from(`some text before ${secret}`)
      .toString('base64')
      .replaceAll(/(.{10})/g, '$1\r\n'),
  'base64 in percent': (secret) => encodeURIComponent(Buffer.from(secret).toString('base64')),
  hex: (secret) => Buffer.from(secret).toString('hex'),
  'HEX in two cases': (secret) =>
    Buffer.from(secret)
      .toString('hex')
      .replaceAll(/[a-f]/g, (digit, at: number) => (at % 3 === 0 ? digit.toUpperCase() : digit)),
  'utf-16': utf16,
  'mixed escapes': (secret) =>
    eachUnit(secret, (unit) => [String.fromCharCode(unit), `\\u${hex(unit, 4)}`, `%${hex(unit, 2)}`, `&#${unit};`][unit % 4]!),
};

const secrets = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abcdefXYZ0123456789_-+/=.~'), minLength: 8, maxLength: 60 }),
  fc.constantFrom(
    'sk_live_4eC39HqLyjWDarjtT1zdp7dc',
    'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl',
    'p&ss"w\\rd<1>',
    '1234567890123456',
  ),
);

function scrub(
  scrubber: ReturnType<typeof compileScrubber>,
  bytes: Uint8Array,
  sizes: readonly number[],
): { bytes: Buffer; found: boolean } {
  const stream = scrubber.stream();
  const out: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    const some = stream.write(bytes.slice(at, at + size));
    if (some !== null) out.push(some);
    at += size;
  }
  const rest = stream.end();
  if (rest !== null) out.push(rest);
  return { bytes: Buffer.concat(out), found: stream.found };
}

describe('scrubbing the credential', () => {
  for (const [name, write] of Object.entries(notations)) {
    test(`finds it in ${name}, in any chunks, and keeps the length`, () => {
      fc.assert(
        fc.property(
          secrets,
          fc.string({ maxLength: 20 }),
          fc.string({ maxLength: 20 }),
          fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
          (secret, before, after, sizes) => {
            const written = write(secret);
            const bytes =
              name === 'utf-16'
                ? new Uint8Array(Buffer.from(`${before}\n${written}\n`, 'latin1'))
                : new TextEncoder().encode(`${before}\n${written}\n${after}`);
            const result = scrub(compileScrubber([secret]), bytes, sizes);
            expect(result.found).toBe(true);
            expect(result.bytes.length).toBe(bytes.length);
            // of base64 the characters at the rim are shared with what stands around; the core must be gone
            const core = name.startsWith('base64') ? written.replaceAll(/[\r\n]/g, '').slice(-Math.ceil(secret.length * 1.2), -8) : written;
            if (core.length > 5) expect(result.bytes.toString('latin1')).not.toContain(core);
            expect(result.bytes.equals(scrub(compileScrubber([secret]), bytes, [bytes.length]).bytes)).toBe(true);
          },
        ),
        { numRuns: 60 },
      );
    });
  }

  test('changes nothing where the secret does not occur, whatever looks like its start', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'sk_live%5c\\u0073&#;=\n 0'), maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
        (text, sizes) => {
          const bytes = new TextEncoder().encode(text);
          const result = scrub(compileScrubber(['sk_live_4eC39HqLyjWDarjtT1zdp7dc']), bytes, sizes);
          expect(result.found).toBe(false);
          expect([...result.bytes]).toEqual([...bytes]);
        },
      ),
    );
  });

  test('ignores secrets of under four bytes, and finds several', () => {
    expect(compileScrubber(['a', 'ab']).text('abab')).toBe('abab');
    expect(compileScrubber(['first-secret', 'second-secret']).text('x second-secret first-secret')).toBe('x ************* ************');
  });

  test('keeps JSON valid where the secret is a number', () => {
    expect(compileScrubber(['1234567890']).text('{"n":1234567890}')).toBe('{"n":0000000000}'.replace('0000000000', '0000000000'));
  });

  test('overwrites it in response headers, trailers and inside compressed bodies, without rules', async () => {
    const scrubber = compileScrubber(['sk_live_4eC39HqLyjWDarjtT1zdp7dc']);
    const body = new Uint8Array(gzipSync(JSON.stringify({ echo: 'Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc' })));
    const { text, headers, trailers, report } = await runMasker({
      scrub: scrubber,
      headers: [
        ['content-type', 'image/x-anything'],
        ['content-encoding', 'gzip'],
        ['content-length', String(body.length)],
        ['x-echo', 'Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc'],
        ['etag', '"1"'],
      ],
      body,
      trailers: [['x-last', 'sk_live_4eC39HqLyjWDarjtT1zdp7dc']],
    });
    expect(text).toBe(`{"echo":"Bearer ${'*'.repeat(32)}"}`);
    expect(headers).toEqual([
      ['content-type', 'image/x-anything'],
      ['x-echo', `Bearer ${'*'.repeat(32)}`],
    ]);
    expect(trailers).toEqual([['x-last', '*'.repeat(32)]]);
    expect(report.credentialReflected).toBe(true);
  });

  test('leaves length and validators of a body that it only looks at', async () => {
    const { headers, text, report } = await runMasker({
      scrub: compileScrubber(['sk_live_4eC39HqLyjWDarjtT1zdp7dc']),
      headers: [
        ['content-type', 'application/pdf'],
        ['content-length', '5'],
        ['etag', '"1"'],
      ],
      body: 'hello',
    });
    expect(headers).toEqual([
      ['content-type', 'application/pdf'],
      ['content-length', '5'],
      ['etag', '"1"'],
    ]);
    expect(text).toBe('hello');
    expect(report.credentialReflected).toBe(false);
  });
});
