import fc from 'fast-check';
import { expect, test } from 'vitest';

import { writeOnce } from '../testing/escape-graph.ts';
import { MatchPairs } from './match-pairs.ts';

const characters = fc.oneof(
  fc.constantFrom(...'aZ0_%=\\&/"\n+é'),
  fc.constantFrom('\u0000', 'ÿ', '€', '😀'),
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
);
const pattern = fc.record({
  encoding: fc.constant('text' as const),
  positions: fc.array(
    fc.array(
      characters.map((char) => char.codePointAt(0)!),
      { minLength: 1, maxLength: 2 },
    ),
    { minLength: 2, maxLength: 12 },
  ),
  depth: fc.constantFrom<1 | 2>(1, 2),
  breaks: fc.boolean(),
});

test('every two bytes that follow each other in any way of writing a pattern are among its pairs, and none is skipped', () => {
  fc.assert(
    fc.property(
      pattern,
      fc.array(fc.nat(9999), { minLength: 3, maxLength: 40 }),
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 20 }),
      (one, choices, before, after) => {
        const written = writeOnce(one, choices);
        const pairs = new MatchPairs([one]);
        for (let i = 1; i < written.length; i++)
          expect(pairs.has(written[i - 1]!, written[i]!), `${written[i - 1]} ${written[i]}`).toBe(true);
        // wherever it is asked from, it does not go over the start, not even where the text ends within
        const bytes = Uint8Array.from([...before, ...written, ...after]);
        const skip = (from: number, n: number): number => {
          pairs.likelyTo = 0;
          return pairs.skip(bytes, from, n);
        };
        for (let from = 0; from <= before.length; from++) expect(skip(from, bytes.length)).toBeLessThanOrEqual(before.length);
        for (let n = before.length; n < bytes.length; n++) expect(skip(0, n)).toBeLessThanOrEqual(before.length);
        // nor where one scan calls again and again
        pairs.likelyTo = 0;
        for (let from = 0; from <= before.length; from++) expect(pairs.skip(bytes, from, bytes.length)).toBeLessThanOrEqual(before.length);
      },
    ),
    { numRuns: 250 },
  );
});

test('prose is gone over', () => {
  const secret = Array.from('sk_live_4eC39HqLyjWDarjtT1zdp7dc', (char) => [char.charCodeAt(0)]);
  const text = Buffer.from('A customer who buys "things", and a sentence or two of text as support writes it into such fields.');
  const pairs = new MatchPairs([{ encoding: 'text', positions: secret, depth: 2, breaks: false }]);
  expect(pairs.skip(text, 0, text.length)).toBeGreaterThan(text.length - 16);
});
