import { describe, expect, test } from 'vitest';

import { runMasker } from '../testing/run-masker.ts';
import { JsonPathError, parseJsonPath } from './json-path.ts';

const message = (path: string): string => {
  try {
    parseJsonPath(path);
  } catch (error) {
    if (error instanceof JsonPathError) return error.message;
    throw error;
  }
  return '';
};

describe('JSONPath in one pass', () => {
  test.each([
    ['$.a[?@.b > 1]', /filter/],
    ['$[-1]', /index from the end/],
    ['$[-2:]', /slice from the end/],
    ['$[::-1]', /negative step/],
    ['$[::0]', /step 0/],
    ['$.length()', /functions/],
    ['a.b', /starts with \$/],
    ['$.', /member name/],
    ['$..', /member name/],
    ['$[', /selector is/],
    ["$['a", /does not end/],
    ["$['a'", /"]" is missing/],
    ['$[01]', /leading zero/],
    ['$[-0]', /-0/],
    ['$[9007199254740992]', /out of range/],
    ["$['\\x']", /escape/],
    ["$['\\ud800']", /surrogate/],
    ['$ ', /blanks/],
    ['$.a b', /segment/],
    ['$.1', /member name/],
  ])('refuses %s and says why', (path, reason) => {
    expect(message(path)).toMatch(reason);
    expect(message(path)).toMatch(/at character \d+/);
  });

  const document = { a: { b: [10, 11, 12, 13, 14], 'c d': { e: 1 }, é: 2 }, b: [{ a: 3 }, { x: { a: 4 } }] };
  test.each([
    ['$.a.b[0,2]', [10, 12]],
    ['$.a.b[1:4:2]', [11, 13]],
    ['$.a.b[::3]', [10, 13]],
    ['$.a.b[3:]', [13, 14]],
    ["$.a['c d'].e", [1]],
    ['$.a["é"]', [2]],
    ['$.a.é', [2]],
    ['$..a', [{ b: [10, 11, 12, 13, 14], 'c d': { e: 1 }, é: 2 }, 3, 4]],
    ['$.b[*].a', [3]],
    ['$..b[1]', [11, { x: { a: 4 } }]],
    ['$ .a .b [ 4 ]', [14]],
    ["$.a['b','é'][0]", [10]],
    ['$..*', undefined],
    ['$', undefined],
  ])('%s selects what RFC 9535 says', async (path, selected) => {
    const { text } = await runMasker({ rules: [{ path }], body: JSON.stringify(document), chunks: [3] });
    const gone: unknown[] = [];
    const compare = (before: unknown, after: unknown): void => {
      if (after === '[redacted]') gone.push(before);
      else if (before !== null && typeof before === 'object')
        for (const [key, value] of Object.entries(before)) compare(value, (after as Record<string, unknown>)[key]);
      else expect(after).toEqual(before);
    };
    compare(document, JSON.parse(text));
    if (selected !== undefined) expect(gone).toEqual(selected);
    else expect(gone.length).toBeGreaterThan(0);
  });
});
