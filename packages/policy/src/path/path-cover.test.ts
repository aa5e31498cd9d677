import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { covers, coversEverything, pathShape, shapeOf } from './path-cover.ts';
import { compilePathPattern } from './path-matcher.ts';
import { pathReader } from './path-readings.ts';
import { compileWidePattern } from './wide-matcher.ts';

const piece = fc.constantFrom('/a', '/b', '/ab', '/:N', '/:N', '/a:N', '/:Nb', '/*', 'a');
const pattern = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => {
  let names = 0;
  return `/${pieces.join('').replace(/^\//, '')}`.replaceAll('N', () => `n${names++}`);
});
const path = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'aab', 'c'), { minLength: 1, maxLength: 4 })
  .map((segments) => `/${segments.join('/')}`);

describe('covering path patterns', () => {
  it('is never claimed where a path of the narrower one is not a path of the wider one', () => {
    let claimed = 0;
    fc.assert(
      fc.property(pattern, pattern, fc.array(path, { minLength: 20, maxLength: 20 }), (wider, narrower, paths) => {
        if (!covers(pathShape(wider), pathShape(narrower))) return;
        claimed++;
        const [a, b] = [compilePathPattern(wider), compilePathPattern(narrower)];
        for (const one of paths) if (b.match(one) !== null) expect(a.match(one), `${wider} ${narrower} ${one}`).not.toBeNull();
      }),
      { numRuns: 3000 },
    );
    expect(claimed).toBeGreaterThan(100);
  });

  it('of a rule that restricts is never claimed where the rule does not cover a reading of a path of the narrower one', () => {
    const reader = pathReader();
    const forms = (one: string) => compileWidePattern(one, reader);
    const spelled = pattern.map((one) => one.replaceAll('/a', '/A').replaceAll('/b', '/b%3Bx'));
    const path = fc
      .array(fc.constantFrom('a', 'A', 'b', 'b%3Bx', 'ab', 'Ab', 'a.', 'c.json', '%20'), { minLength: 1, maxLength: 4 })
      .map((segments) => `/${segments.join('/')}`);
    let claimed = 0;
    fc.assert(
      fc.property(spelled, fc.oneof(pattern, spelled), fc.array(path, { minLength: 20, maxLength: 20 }), (wider, narrower, paths) => {
        const [nearest] = forms(narrower);
        if (!forms(wider).some((form) => covers(shapeOf(wider, form.parts), shapeOf(narrower, nearest!.parts)))) return;
        claimed++;
        const exact = compilePathPattern(narrower);
        for (const one of paths.filter((each) => exact.test(each))) {
          const isCovered = forms(wider).some((form) => reader.readingsOf(one).some((reading) => form.test(reading)));
          expect(isCovered, `${wider} ${narrower} ${one}`).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
    expect(claimed).toBeGreaterThan(50);
  });

  it.each([
    ['/*', '/v1/customers', true],
    ['/v1/*', '/v1/customers/:id', true],
    ['/v1/:kind', '/v1/customers', true],
    ['/v1/:kind', '/v1/:id.json', true],
    ['/v1/:kind', '/v1/customers/:id', false],
    ['/v1/customers', '/v1/:kind', false],
    ['/v1/:kind', '/v1/*', false],
    ['/v1{/x}?', '/v1', false],
    ['/v1/(\\d+)', '/v1/(\\d+)', true],
  ])('of %s over %s is %s', (wider, narrower, expected) => {
    expect(covers(pathShape(wider), pathShape(narrower))).toBe(expected);
  });

  it('knows a pattern of every path', () => {
    expect(coversEverything(pathShape('/*'))).toBe(true);
    expect(coversEverything(pathShape('/:id'))).toBe(false);
    expect(coversEverything(pathShape('/a*'))).toBe(false);
  });
});
