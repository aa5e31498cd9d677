import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { parseJson } from './parse-json.ts';

const names = fc.oneof(
  fc.constantFrom('', '"', '\\', '\n', 'a', 'amount', '\\u', '\\u0061', '\\u0061mount', '__proto__', 'constructor', ':', '{', '\ud800'),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
const value = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, 0, -1.5e-7, 1e300),
    names,
    fc.array(tie('json'), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie('json')), { maxLength: 4 }).map(objectOf),
  ),
})).json;

function objectOf(members: readonly [string, unknown][]): object {
  const object = {};
  for (const [name, one] of members)
    Object.defineProperty(object, name, { value: one, writable: true, enumerable: true, configurable: true });
  return object;
}

/** JSON of the value, written in another way each time: white space, and escapes where none need be. */
function written(any: unknown, next: () => number): string {
  const space = (): string => ['', '', '', ' ', '\n\t'][next() % 5]!;
  const text = (plain: string): string =>
    `"${[
      ...JSON.stringify(plain)
        .slice(1, -1)
        .matchAll(/\\(?:u[0-9a-f]{4}|.)|[^\\]/gs),
    ]
      .map(([one]) => (one.length === 1 && next() % 4 === 0 ? `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}` : one))
      .join('')}"`;
  if (typeof any === 'string') return text(any);
  if (Array.isArray(any)) return `[${space()}${any.map((one) => `${written(one, next)}${space()}`).join(',')}]`;
  if (typeof any !== 'object' || any === null) return JSON.stringify(any);
  return `{${space()}${Object.entries(any)
    .map(([name, one]) => `${text(name)}${space()}:${space()}${written(one, next)}`)
    .join(',')}${space()}}`;
}

/** What JSON.parse cannot be asked for: the value as lists of names and values. */
const listed = (any: unknown): unknown => {
  if (Array.isArray(any)) return any.map(listed);
  if (typeof any !== 'object' || any === null) return any;
  return { members: Object.keys(any).map((name) => [name, listed((any as Record<string, unknown>)[name])]) };
};

describe('JSON', () => {
  test('has the names that are written in it, whatever was read before (property)', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), fc.infiniteStream(fc.nat()), (values, numbers) => {
        const next = (): number => numbers.next().value as number;
        for (const one of values) expect(listed(parseJson(written(one, next)))).toEqual(listed(one));
      }),
      { numRuns: 500 },
    );
  });

  test('keeps a member that another text would have hidden', () => {
    for (let i = 0; i < 3; i++) parseJson(String.raw`{"q":1,"\\u0061":1}`);
    expect(parseJson(String.raw`{"q":1,"\u0061mount":50000}`)).toEqual({ q: 1, amount: 50_000 });
  });

  test('takes the last of two members of one name, as JSON.parse does', () => {
    expect(parseJson(String.raw`{"a":1,"\u0061":2}`)).toEqual({ a: 2 });
  });

  test('is refused where it is none', () => {
    for (const text of ['', '{', String.raw`{"\u00":1}`, String.raw`{"\n":1}x`, String.raw`["\n" 1]`, '{"a":1,}'])
      expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  test('is read in one pass, however many backslashes it has', () => {
    const long = { a: '\\'.repeat(2_000_000), '"': '"'.repeat(2_000_000) };
    const read = parseJson(JSON.stringify(long)) as typeof long;
    expect(Object.keys(read)).toEqual(['a', '"']);
    expect([read.a === long.a, read['"'] === long['"']]).toEqual([true, true]);
    const deep = `${'{"\\n":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    expect(Object.keys(parseJson(deep) as object)).toEqual(['\n']);
  });
});
