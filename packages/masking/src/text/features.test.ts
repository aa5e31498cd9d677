import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { detectors } from '../detectors/registry.ts';
import { Work } from './work.ts';
import { F_ASSIGN, F_DATE, textFeatures } from './features.ts';

const digits = (length: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((all) => all.join(''));
const fraction = fc.oneof(
  fc.constant(''),
  fc
    .nat(9)
    .chain(digits)
    .map((some) => `.${some}`),
);
const timestamps = fc
  .tuple(digits(4), digits(2), digits(2), digits(2), digits(2), digits(2), fraction)
  .map(([year, month, day, hour, minute, second, part]) => `${year}-${month}-${day}T${hour}:${minute}:${second}${part}Z`);

describe('the shapes of a text', () => {
  test('a timestamp has those of a date and an assignment, and nothing for any detector that wants others', () => {
    const all = [...detectors.values()].flatMap((one) => one.parts ?? [one]);
    const others = all.filter((one) => one.features !== 0 && (one.features & (F_DATE | F_ASSIGN)) === 0);
    expect(others.length).toBeGreaterThan(15);
    fc.assert(
      fc.property(timestamps, (text) => {
        expect(textFeatures(Buffer.from(text), 0, text.length, -1)).toBe(F_DATE | F_ASSIGN);
        for (const one of others) one.find(text, 0, () => expect.fail(`${one.name} finds something in ${text}`), new Work(0));
      }),
      { numRuns: 500 },
    );
  });

  test('what is nearly a timestamp is looked at', () => {
    for (const text of ['4111 1111 1111 1111.00Z', '2026-11-24T09:00:00 AKIA', '2026-11-24T09:00:00-4111111111', '::1-11-24T09:00:00.0Z']) {
      expect(textFeatures(Buffer.from(text), 0, text.length, -1), text).not.toBe(F_DATE | F_ASSIGN);
    }
  });
});
