import { parseJson } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { canonicalJson } from './canonical-json.ts';

describe('canonical JSON', () => {
  test('is what RFC 8785 §3.2 gives for its example', () => {
    const value: unknown = JSON.parse(
      String.raw`{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001], "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`,
    );
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('sorts members by UTF-16 code units, as RFC 8785 §3.2.3 shows', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect(Object.values(JSON.parse(canonicalJson(value)) as object)).toHaveLength(7);
    expect([...canonicalJson(value).matchAll(/:"([^"]+)"/g)].map((match) => match[1])).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000001', '9007199254740994'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555557', '333333333.33333343'],
  ])('writes the number %s as %s (RFC 8785, appendix B)', (bits, text) => {
    expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE(0))).toBe(text);
  });

  test('says the same value, in one form whatever the order of members', () => {
    fc.assert(
      fc.property(
        fc.jsonValue().filter((value) => JSON.stringify(value).isWellFormed() && !/\\ud[89a-f]/.test(JSON.stringify(value))),
        (value) => {
          const text = canonicalJson(value);
          expect(parseJson(text)).toEqual(parseJson(JSON.stringify(value)));
          expect(canonicalJson(reversed(value))).toBe(text);
        },
      ),
    );
  });

  test('is what members that are sorted one by one give, whatever their names (property)', () => {
    const plain = (value: unknown): string => {
      if (Array.isArray(value)) return `[${value.map(plain).join(',')}]`;
      if (typeof value !== 'object' || value === null) return JSON.stringify(value);
      const members = value as Record<string, unknown>;
      const names = Object.keys(members).sort((a, b) => (a < b ? -1 : 1));
      return `{${names.map((name) => `${JSON.stringify(name)}:${plain(members[name])}`).join(',')}}`;
    };
    const name = fc.oneof(fc.string(), fc.constantFrom('1', '10', '9', '01', '-1', '', 'toJSON', 'constructor', '\uffff', '\u{10000}'));
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('any')),
        fc.dictionary(name, tie('any')),
      ),
    })).any;
    fc.assert(
      fc.property(value, (any) => {
        expect(canonicalJson(any)).toBe(plain(any));
      }),
      { numRuns: 1000 },
    );
  });

  test('leaves out members that are undefined, and hangs on to nothing of what it was given', () => {
    const given = {
      b: [
        { d: 1, c: undefined },
        { z: 1, y: 2 },
      ],
      a: undefined,
    };
    expect(canonicalJson(given)).toBe('{"b":[{"d":1},{"y":2,"z":1}]}');
    expect(Object.keys(given.b[1]!)).toEqual(['z', 'y']);
    expect(canonicalJson({ x: { ['__proto__']: 1, a: 2 } })).toBe('{"x":{"__proto__":1,"a":2}}');
  });

  test('refuses what has no canonical form', () => {
    for (const value of [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '\ud800',
      { '\udc00': 1 },
      1n,
      () => 1,
      new Date(0),
      undefined,
      [undefined],
    ]) {
      expect(() => canonicalJson(value)).toThrow(TypeError);
    }
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
}
