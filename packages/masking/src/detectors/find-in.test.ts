import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Detector } from './detector.ts';
import { Work } from '../text/work.ts';
import { detectors } from './registry.ts';

const work = (): Work => new Work(0);

const parts = fc.oneof(
  fc.constantFrom(
    '@',
    '@@',
    '"',
    '\\',
    '"@a.bc',
    '.',
    '..',
    '-',
    '+',
    '=',
    ' ',
    '/',
    "'",
    'a',
    'alice',
    'bob.b',
    'example',
    'example.com',
    'xn--p1ai',
    'xn--',
    'com',
    'c0m',
    'png',
    'html',
    'mailto:',
  ),
  fc.constantFrom(
    '+1 415 555 2671',
    '+44 20 7946 0958',
    '+44 (0)20 7946 0958',
    '(415) 555-2671',
    '+',
    '00',
    '1',
    '12',
    '415',
    '5552671',
    '(',
    ')',
    'tel: ',
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 4 }),
);

const spansOf = (search: (found: (start: number, end: number) => void) => void): [number, number][] => {
  const spans: [number, number][] = [];
  search((start, end) => spans.push([start, end]));
  return spans;
};

for (const detector of [...detectors.values()].filter(
  (one): one is Detector & Required<Pick<Detector, 'findIn'>> => one.findIn !== undefined,
)) {
  test(`${detector.name} finds the same in bytes as in text`, () => {
    fc.assert(
      fc.property(
        fc.array(parts, { maxLength: 12 }),
        fc.constantFrom('', 'x', '\\', '+1@a.b'),
        fc.constantFrom('', '@b.com', '0', '.1'),
        fc.nat(1023),
        (all, before, after, context) => {
          const text = all.join('');
          const bytes = Buffer.from(before + text + after);
          const inBytes = spansOf((found) => detector.findIn(bytes, before.length, before.length + text.length, context, found, work()));
          expect(inBytes).toEqual(spansOf((found) => detector.find(text, context, found, work())));
        },
      ),
      { numRuns: 3000 },
    );
  });
}

test('an email address is found behind a text that starts with "@"', () => {
  const text = '@bob, ask alice@example.com';
  expect(spansOf((found) => detectors.get('email')!.find(text, 0, found, work()))).toEqual([[10, 27]]);
});
