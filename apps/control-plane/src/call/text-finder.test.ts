import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createFinder } from './text-finder.ts';

const find = (wanted: { text?: string; pattern?: string; ignoreCase?: boolean }, body: string) =>
  createFinder({ ignoreCase: false, ...wanted })(body);

describe('a finder', () => {
  it('finds a text as it stands, with what is around it', () => {
    const found = find({ text: 'a.c' }, `${'x'.repeat(100)}abc a.c${'y'.repeat(100)}`);
    expect(found).toEqual({ count: 1, excerpts: [{ before: `${'x'.repeat(56)}abc `, text: 'a.c', after: 'y'.repeat(60) }] });
  });

  it('minds case, or does not', () => {
    expect(find({ text: 'REFUND' }, 'a refund')).toBeNull();
    expect(find({ text: 'REFUND', ignoreCase: true }, 'a refund, a Refund')).toMatchObject({ count: 2 });
    expect(find({ text: 'STRASSE ÄÖ', ignoreCase: true }, 'strasse äö')).toMatchObject({ count: 1 });
    expect(find({ pattern: 'r.f', ignoreCase: true }, 'a REFUND')).toMatchObject({ count: 1 });
  });

  it('finds RE2 patterns, and says which are none', () => {
    expect(find({ pattern: String.raw`re_\d+` }, '{"id":"re_12","other":"re_345"}')).toMatchObject({
      count: 2,
      excerpts: [{ text: 're_12' }, { text: 're_345' }],
    });
    for (const pattern of ['(', String.raw`(a)\1`, 'a(?=b)', '(?:a{1000}){50}'])
      expect(() => createFinder({ pattern, ignoreCase: false }), pattern).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('wants exactly one of text and pattern', () => {
    expect(() => createFinder({ ignoreCase: true })).toThrow('exactly one');
    expect(() => createFinder({ text: 'a', pattern: 'b', ignoreCase: true })).toThrow('exactly one');
  });

  it('takes a pattern that matches nothing for no finding', () => {
    expect(find({ pattern: 'x*' }, 'aaa')).toBeNull();
    expect(find({ pattern: 'x*' }, 'axxa')).toMatchObject({ count: 1 });
  });

  it('counts to a thousand and shows three', () => {
    const found = find({ text: 'a' }, 'a'.repeat(5000));
    expect(found?.count).toBe(1000);
    expect(found?.excerpts).toHaveLength(3);
  });

  it('shows no half of a character, and not all of a long place', () => {
    const found = find({ pattern: 'b+' }, `${'😀'.repeat(31)}${'b'.repeat(1000)}`);
    expect(found?.excerpts[0]?.before.isWellFormed()).toBe(true);
    expect(found?.excerpts[0]?.text).toHaveLength(200);
  });

  it('finds what lies across windows, once', () => {
    for (const at of [1_048_570, 1_048_576, 2_097_150]) {
      const body = `${'.'.repeat(at)}needle${'.'.repeat(1_200_000)}`;
      for (const wanted of [{ text: 'needle' }, { text: 'NEEDLE', ignoreCase: true }, { pattern: 'need.e' }])
        expect(find(wanted, body), `${at} ${JSON.stringify(wanted)}`).toMatchObject({ count: 1, excerpts: [{ text: 'needle' }] });
    }
  });

  it('finds what indexOf finds, whatever the text looks like', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }),
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        (text, body) => {
          const whole = body + text + body;
          for (const ignoreCase of [false, true]) expect(find({ text, ignoreCase }, whole)).not.toBeNull();
          expect(find({ text }, body) !== null).toBe(body.includes(text));
        },
      ),
    );
  });
});
