import { RE2JS } from 're2js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compilePartMatch, compileWholeMatch } from './re2.ts';

describe('a pattern that a user writes', () => {
  it('matches as a whole what RE2 matches as a whole, with anchors or without', () => {
    const piece = fc.constantFrom(
      '^',
      '$',
      'a',
      'b',
      '|',
      '\\$',
      '\\\\',
      '[ab]',
      '[$]',
      '(?:a|b$)',
      '(^a)',
      '.',
      'a*',
      '(?m)',
      '\\Q',
      '*',
      '?',
      '(?i)',
    );
    const text = fc.stringMatching(/^[ab$\n\\]{0,4}$/);
    let compared = 0;
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), fc.array(text, { minLength: 5, maxLength: 5 }), (pieces, texts) => {
        const pattern = pieces.join('');
        let reference: RE2JS;
        try {
          reference = RE2JS.compile(pattern);
        } catch {
          expect(() => compileWholeMatch(pattern)).toThrow(/RE2/);
          return;
        }
        compared++;
        for (const one of texts)
          expect(compileWholeMatch(pattern).matches(one), `${pattern} on ${JSON.stringify(one)}`).toBe(reference.testExact(one));
      }),
      { numRuns: 3000 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  it('matches somewhere, unless it is anchored', () => {
    expect(compilePartMatch('b').matches('abc')).toBe(true);
    expect(compilePartMatch('^b').matches('abc')).toBe(false);
  });

  it('is refused where it is no RE2 or too large', () => {
    expect(() => compilePartMatch('(?=a)')).toThrow(/is not a regular expression of RE2 syntax/);
    expect(() => compileWholeMatch('(a)\\1')).toThrow(/RE2/);
    expect(() => compileWholeMatch('(?:a{1000}){2}')).toThrow(/RE2|too large/);
    expect(() => compileWholeMatch('a{900}b{900}c{900}')).toThrow(/too large/);
  });

  it('takes linear time', () => {
    // A backtracking matcher would not end.
    expect(compileWholeMatch('^(a+)+$').matches(`${'a'.repeat(20_000)}b`)).toBe(false);
  });
});
