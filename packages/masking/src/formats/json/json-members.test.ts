import { parseJson } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { runMasker } from '../../testing/run-masker.ts';
import type { RuleInput } from '../../testing/run-masker.ts';

const values = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(
    '',
    'a "quoted" word',
    'C:\\dir',
    '\u0001',
    'a@example.com',
    'mail a@example.com "now"',
    '4111111111111111',
    '{"pin":7}',
    '[info]',
    ' ',
    '"',
    '\\',
    '😀',
  ),
  fc.constantFrom(4_111_111_111_111_111, 5555555555554444, -4_111_111_111_111_111),
  fc.integer(),
  // none of sixteen digits, which now and then are a card's
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
  fc.constantFrom(true, false, null, {}, [], { a: 1 }, [1, 'x']),
);
const row = fc.record({
  id: values,
  pin: values,
  a_key_that_is_longer_than_the_words_that_are_compared: values,
  'k"ey': values,
  ünï: values,
  code: values,
  card: values,
  last: values,
  address: fc.record({ city: values, pin: values, geo: fc.record({ code: values }) }),
  lines: fc.array(fc.record({ card: values, pin: values }), { maxLength: 4 }),
});
/** Objects that repeat their keys in order, now and then with one fewer. */
const rows = fc
  .array(fc.tuple(row, fc.nat(30)), { minLength: 2, maxLength: 8 })
  .map((all) => all.map(([one, gone]) => Object.fromEntries(Object.entries(one).filter((_, at) => at !== gone))));
const chunkings = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 });

const selecting: RuleInput[] = [{ key: 'pin' }, { key: 'code', action: 'null' }, { path: '$[*].last', action: 'partial' }];
const detecting: RuleInput[] = [...selecting, { detect: 'payment_card' }, { detect: 'email' }];

/** A reference masker of one value, as plain as possible. */
function masked(value: unknown, key: string | null, detects: boolean): unknown {
  if (key === 'pin') return '[redacted]';
  if (key === 'code') return null;
  if (typeof value === 'string') {
    if (value === '{"pin":7}') return '{"pin":"[redacted]"}';
    return detects ? value.replaceAll(/a@example\.com|4111111111111111/g, '[redacted]') : value;
  }
  if (typeof value === 'number') {
    return !detects || !/4111111111111111|5555555555554444/.test(String(value)) ? value : `${value < 0 ? '-' : ''}[redacted]`;
  }
  if (Array.isArray(value)) return value.map((one) => masked(one, null, detects));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, masked(one, name, detects)]));
}

describe('objects that repeat their keys', () => {
  for (const [name, rules, detects] of [
    ['path and key rules', selecting, false],
    ['rules and detectors', detecting, true],
  ] as const) {
    test(`with ${name} become what a plain reference makes of them, in any chunks`, async () => {
      await fc.assert(
        fc.asyncProperty(rows, chunkings, async (all, chunks) => {
          const body = JSON.stringify(all);
          const whole = await runMasker({ rules, body });
          expect(whole.error).toBeNull();
          // the partial action's text is the other tests' matter; here it must be the same by every way
          const withoutLast = (value: unknown): unknown =>
            parseJson(JSON.stringify(value, (key, one: unknown) => (key === 'last' ? 0 : one)));
          expect(withoutLast(parseJson(whole.text))).toEqual(withoutLast(masked(parseJson(body), null, detects)));
          const pieces = await runMasker({ rules, body, chunks });
          const bytes = await runMasker({ rules, body, chunks: [1] });
          expect(pieces.text).toBe(whole.text);
          expect(bytes.text).toBe(whole.text);
          expect(pieces.report.maskedCount).toBe(whole.report.maskedCount);
          expect(bytes.report.maskedCount).toBe(whole.report.maskedCount);
        }),
        { numRuns: 250 },
      );
    });

    test(`with ${name} and one byte changed are taken exactly where JSON.parse takes them`, async () => {
      await fc.assert(
        fc.asyncProperty(
          rows,
          fc.nat(),
          fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\,:{}[]0-.eutn \n\u0000'))),
          async (all, at, byte) => {
            const body = Buffer.from(JSON.stringify(all));
            body[at % body.length] = byte;
            let valid = true;
            try {
              JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
            } catch {
              valid = false;
            }
            const { error, text } = await runMasker({ rules, body });
            expect(error === null).toBe(valid);
            if (valid) JSON.parse(text);
          },
        ),
        { numRuns: 800 },
      );
    });
  }

  test('in arrays of which a rule selects some elements are counted right, whatever stands between them', async () => {
    const element = fc.oneof(
      { weight: 5, arbitrary: fc.record({ id: values, pin: fc.nat(), in: fc.record({ pin: fc.nat() }) }) },
      fc.constantFrom<unknown>(1, 'x', {}, [], [{ id: 1, pin: 2 }], null),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(element, { maxLength: 9 }), fc.nat(), chunkings, async (all, at, chunks) => {
        const end = all.length - 1;
        const body = JSON.stringify({ data: all }, null, at % 5 === 0 ? 1 : 0);
        const { text, error } = await runMasker({
          rules: [{ path: '$.data[1:5].pin' }, { path: '$.data[2].in.pin' }, { path: `$.data[${Math.max(0, end)}].id` }],
          body,
          chunks,
        });
        expect(error).toBeNull();
        const isObject = (one: unknown): one is Record<string, unknown> =>
          typeof one === 'object' && one !== null && !Array.isArray(one) && 'pin' in one;
        const expected = all.map((one, i) => {
          if (!isObject(one)) return one;
          return {
            id: i === end ? '[redacted]' : one['id'],
            pin: i >= 1 && i < 5 ? '[redacted]' : one['pin'],
            in: i === 2 ? { pin: '[redacted]' } : one['in'],
          };
        });
        // a string that holds JSON with a pin is the other tests' matter
        const plain = (value: unknown): unknown =>
          parseJson(JSON.stringify(value, (_key, one: unknown) => (typeof one === 'string' && one.includes('pin') ? 0 : one)));
        expect(plain(parseJson(text))).toEqual({ data: plain(expected) });
      }),
      { numRuns: 400 },
    );
  });
});
