import fc from 'fast-check';
import { expect, test } from 'vitest';

import { patternStart } from './escape-graph.ts';
import type { GraphPattern, Node } from './escape-graph.ts';
import { MatchPairs } from './match-pairs.ts';

const characters = fc.oneof(
  fc.constantFrom(...'aZ0_%=\\&/"\n+é'),
  fc.constantFrom('\u0000', 'ÿ', '€', '😀'),
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
);
const pattern = fc.record({
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

/** One way of writing the pattern, by a walk through the graph of all of them. */
function writeOnce(one: GraphPattern, choices: readonly number[]): number[] {
  const bytes: number[] = [];
  let node: Node = patternStart(one);
  for (let step = 0; !node.accepts && step < 2000; step++) {
    const ways: [byte: number, target: Node][] = [];
    for (let byte = 0; byte < 256; byte++) for (const target of node.next(byte)) ways.push([byte, target]);
    const [byte, target] = ways[choices[step % choices.length]! % ways.length]!;
    bytes.push(byte);
    node = target;
  }
  expect(node.accepts).toBe(true);
  return bytes;
}

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
        for (let from = 0; from <= before.length; from++) expect(pairs.skip(bytes, from, bytes.length)).toBeLessThanOrEqual(before.length);
        for (let n = before.length; n < bytes.length; n++) expect(pairs.skip(bytes, 0, n)).toBeLessThanOrEqual(before.length);
      },
    ),
    { numRuns: 250 },
  );
});

test('prose is gone over', () => {
  const secret = Array.from('sk_live_4eC39HqLyjWDarjtT1zdp7dc', (char) => [char.charCodeAt(0)]);
  const text = Buffer.from('A customer who buys "things", and a sentence or two of text as support writes it into such fields.');
  const pairs = new MatchPairs([{ positions: secret, depth: 2, breaks: false }]);
  expect(pairs.skip(text, 0, text.length)).toBeGreaterThan(text.length - 16);
});
