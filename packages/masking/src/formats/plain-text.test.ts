import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { runMasker } from '../testing/run-masker.ts';

const rules = [{ detect: 'phone' }, { detect: 'postal_address' }];
const masked = async (body: string, chunks = [7]): Promise<string> => (await runMasker({ rules, type: 'text/plain', body, chunks })).text;

describe('values that go over the ends of lines in plain text', () => {
  test.each([
    ['a number behind a label on the line before', 'Phone:\n415-555-2671 thanks\n', 'Phone:\n[redacted] thanks\n'],
    ['a number behind a label and a blank', 'Call me at tel.\r\n 0151 23456789.\r\n', 'Call me at tel.\r\n [redacted].\r\n'],
    ['an international number that is broken', 'Reach us at +44 20\n7946 0958 by day\n', 'Reach us at [redacted] by day\n'],
    ['a street that is broken', 'He lives at 221 Baker\nStreet since May.\n', 'He lives at [redacted] since May.\n'],
    ['a town below its street', 'Ship to:\n12 Main Street\nSpringfield, IL 62704\nThanks\n', 'Ship to:\n[redacted]\nThanks\n'],
    ['three lines of an address', 'Jane\n12 Main\nStreet, Apt 4\nSpringfield, IL 62704\n\nHello\n', 'Jane\n[redacted]\n\nHello\n'],
    ['a German street that is broken', 'Er wohnt in der Hauptstraße\n5 seit Mai.\n', 'Er wohnt in der [redacted] seit Mai.\n'],
  ])('%s', async (_, body, expected) => {
    expect(await masked(body)).toBe(expected);
  });

  test.each([
    'Invoice 4711\n2024-01-31 was paid\n',
    'In 2019\nthe street was closed.\n',
    'total 199\n415 items of 555\n2671 pieces\n',
    'a\n\n1\n\nb\n',
  ])('%j holds none', async (body) => {
    expect(await masked(body)).toBe(body);
  });

  test('lines come out the same in any chunks, whatever is found in them', async () => {
    const line = fc.constantFrom(
      '',
      'a',
      'tel',
      '+44 20',
      '7946 0958',
      '12 Main',
      'Street',
      'Springfield, IL 62704',
      '415-555-2671',
      'x 1',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 12 }),
        fc.integer({ min: 1, max: 20 }),
        async (lines, chunk) => {
          const body = lines.flat().join('');
          if (body !== '') expect(await masked(body, [chunk])).toBe(await masked(body, [100_000]));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a line that a value cannot go on behind is let out at once', async () => {
    const progressOf = async (line: string): Promise<readonly number[]> =>
      (await runMasker({ rules, type: 'text/plain', body: line.repeat(3), chunks: [line.length] })).progress;
    expect(await progressOf(`${'w'.repeat(80)}\n`)).toEqual([81, 162, 243]);
    expect(await progressOf(`${'w'.repeat(70)} 12 Main St\n`)).toEqual([0, 0, 0]);
  });
});
