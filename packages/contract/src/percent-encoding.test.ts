import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeFully } from './percent-encoding.ts';

const decodeOnce = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_triplet, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

describe('decoding until nothing is left to decode', () => {
  it('is decoding again and again (property)', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^(?:%25|%|2|5|4|1|%32|%35|x){0,20}$/), (text) => {
        let expected = text;
        for (let before = ''; before !== expected;) {
          before = expected;
          expected = decodeOnce(expected);
        }
        // %55 is a U: the reference here does not know the %uXXXX that it may begin.
        fc.pre(!/%u[0-9a-f]{4}/i.test(expected));
        expect(decodeFully(text)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it('reads %u forms, which only show after a first decoding', () => {
    expect(decodeFully('/%25u0072efunds')).toBe('/refunds');
    expect(decodeFully('%u00e9')).toBe('\u00c3\u00a9');
    expect(decodeFully('%u00g0%u12')).toBe('%u00g0%u12');
  });

  it('leaves alone what is no encoding', () => {
    for (const text of ['', 'a', '%', '%%', '%4', '100%', '%zz', '/a/b']) expect(decodeFully(text)).toBe(text);
  });

  it('takes time in proportion to the text', () => {
    const start = performance.now();
    expect(decodeFully(`%${'25'.repeat(200_000)}`)).toBe('%');
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
