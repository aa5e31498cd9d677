import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { findInGraph, writeOnce } from '../testing/escape-graph.ts';
import { patternsOf } from './pattern.ts';
import { compileScrubber } from './scrubber.ts';
import type { Scrubber } from './scrubber.ts';

const runs = Number(process.env['RUNS'] ?? 40);

const secrets = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom(...'abcdefXYZ0123456789_-+/=.~'), minLength: 4, maxLength: 24 }) },
  // its own notations, and characters that open one
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom(...'a6125u0x;#%=\\&\n "'), minLength: 4, maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom('a', 'é', 'ÿ', '€', '😀', '1'), minLength: 3, maxLength: 8 }) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 4, maxLength: 12 }) },
);
const choices = fc.array(fc.nat(9999), { minLength: 3, maxLength: 40 });
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 8 }).map((bytes) => [...bytes]),
  fc
    .array(
      fc.constantFrom(
        '%',
        '\\',
        '\\u',
        '\\u00',
        '&#',
        '&#x',
        '&amp;',
        '=',
        '=\r\n',
        '\0',
        '6',
        '61',
        '%25',
        '%5c',
        '&#37;',
        '41;',
        '\n',
        'a',
      ),
      { maxLength: 5 },
    )
    .map((pieces) => [...Buffer.from(pieces.join(''), 'latin1')]),
);

interface Piece {
  readonly noise: readonly number[];
  readonly pattern: number;
  readonly choices: readonly number[];
  /** Of 1000 parts of the written pattern so many are there. */
  readonly part: number;
}
const pieces = fc.array(fc.record<Piece>({ noise, pattern: fc.nat(4), choices, part: fc.oneof(fc.constant(1000), fc.nat(1000)) }), {
  minLength: 1,
  maxLength: 4,
});

/** Secrets in random mixes of notations, whole and cut off, among beginnings of notations. */
function mix(secret: string, list: readonly Piece[]): Uint8Array {
  const patterns = patternsOf(secret);
  return Uint8Array.from(
    list.flatMap((piece) => {
      const written = writeOnce(patterns[piece.pattern % patterns.length]!, piece.choices);
      return [...piece.noise, ...written.slice(0, Math.ceil((written.length * piece.part) / 1000))];
    }),
  );
}

function scrub(scrubber: Scrubber, bytes: Uint8Array, sizes: readonly number[]): Buffer {
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
  expect(stream.isExhausted).toBe(false);
  return Buffer.concat(out);
}

const isWritten = (secret: string): boolean => Buffer.byteLength(secret) >= 4 && !secret.includes('\0');

describe('a body scrubbed as a stream, against a search in the graph of all notations', () => {
  test('has no secret left in any mix of notations, in any chunks', () => {
    fc.assert(
      fc.property(
        secrets.filter(isWritten),
        pieces,
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
        (secret, list, sizes) => {
          const bytes = mix(secret, list);
          const patterns = patternsOf(secret);
          const expected = findInGraph(patterns, bytes);
          const scrubbed = scrub(compileScrubber([secret]), bytes, sizes);
          expect(scrubbed.length).toBe(bytes.length);
          expect(findInGraph(patterns, scrubbed)).toEqual([]);
          for (const [start, end] of expected) expect(changesWithin(bytes, scrubbed, start, end)).toBe(true);
        },
      ),
      { numRuns: runs },
    );
  });

  test('is not changed where one character of the secret is missing', () => {
    const distinct = fc.shuffledSubarray([...'abcdefXYZ0123456789_-+/.~'], { minLength: 6, maxLength: 16 }).map((chars) => chars.join(''));
    const cutOff = fc.record({ pattern: fc.nat(4), choices, isEndMissing: fc.boolean() });
    fc.assert(
      fc.property(distinct, fc.array(cutOff, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 30 }), (secret, list, size) => {
        const patterns = patternsOf(secret);
        const bytes = Uint8Array.from(
          list.flatMap((piece) => {
            const pattern = patterns[piece.pattern % patterns.length]!;
            const positions = piece.isEndMissing ? pattern.positions.slice(0, -1) : pattern.positions.slice(1);
            return [...writeOnce({ ...pattern, positions }, piece.choices), 0x7c];
          }),
        );
        // in `%37` stand a 7 and the two bytes 37, which may be the missing one and the next
        if (findInGraph(patterns, bytes).length > 0) return;
        expect(scrub(compileScrubber([secret]), bytes, [size]).equals(bytes)).toBe(true);
      }),
      { numRuns: runs },
    );
  });

  test('comes out the same in one piece and in any chunks', () => {
    fc.assert(
      fc.property(secrets.filter(isWritten), pieces, fc.integer({ min: 1, max: 9 }), (secret, list, size) => {
        const bytes = mix(secret, list);
        const scrubber = compileScrubber([secret]);
        expect(scrub(scrubber, bytes, [size]).equals(scrub(scrubber, bytes, [bytes.length]))).toBe(true);
      }),
      { numRuns: runs },
    );
  });
});

/** An asterisk may stand where one stood, and a zero where a zero stood. */
function changesWithin(before: Uint8Array, after: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (before[i] !== after[i]) return true;
  return before.subarray(start, end).every((byte) => byte === 0 || byte === 0x2a || byte === 0x30);
}
