import { parseJson } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { headerFacts, inspectBody, readInspectedBody } from './inspected-body.ts';
import type { InspectedBody } from './inspected-body.ts';
import { maxBodyDepth } from './json-reader.ts';
import { foldName } from './member-names.ts';
import { WrittenNumber } from './written-number.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const json = (text: string, type = 'application/json'): InspectedBody => readInspectedBody(bytes(text), type);
const form = (text: string): InspectedBody => json(text, 'application/x-www-form-urlencoded');

function inSlices(text: string, type: string, characters: number): InspectedBody {
  const inspection = inspectBody(bytes(text), type);
  while (!inspection.advance(characters));
  return inspection.result();
}

/** As JSON.parse reads it; numbers that no double holds as they are written stand as their double. */
function asParsed(value: unknown): unknown {
  if (value instanceof WrittenNumber) return value.double;
  if (Array.isArray(value)) return value.map(asParsed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, asParsed(item)]));
}

describe('a body that conditions inspect', () => {
  it('is absent where there are no bytes', () => {
    expect(json('')).toEqual({ body: null, bodyState: 'absent' });
  });

  it('is JSON as JSON.parse reads it, whole or in slices', () => {
    // among them half a surrogate pair, and what has to be escaped
    const unit = fc.constantFrom('a', 'B', '\u00e9', '"', '\\', '\n', '\0', '\u{1f600}', '\ud800');
    const value = fc.jsonValue({ maxDepth: 3, stringUnit: unit });
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2), fc.integer({ min: 1, max: 50 }), (one, indent, characters) => {
        const text = JSON.stringify(one, null, indent);
        const whole = json(text);
        expect(inSlices(text, 'application/json', characters)).toEqual(whole);
        if (whole.bodyState !== 'ambiguous') expect(asParsed(whole.body)).toEqual(parseJson(text));
      }),
      { numRuns: 300 },
    );
  });

  it('is JSON where JSON.parse says so, and nowhere else', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '1',
      '-',
      '0',
      '1.5',
      'e',
      'null',
      'tru',
      ' ',
      '\\',
      '"',
      '\u00e9',
      '\t',
    );
    let valid = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        const text = pieces.join('');
        let expected: string;
        try {
          JSON.parse(text);
          expected = 'parsed';
          valid++;
        } catch {
          expected = text === '' ? 'absent' : 'malformed';
        }
        const { bodyState } = json(text);
        expect(bodyState === 'ambiguous' ? 'parsed' : bodyState, text).toBe(expected);
      }),
      { numRuns: 5000 },
    );
    expect(valid).toBeGreaterThan(50);
  });

  it('may be a long string with escapes anywhere, whatever the slices', () => {
    const unit = fc.constantFrom('a', '\\n', '\\u00e9', '\\ud83d\\ude00', '\\"', '\u20ac');
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 5 }), fc.integer({ min: 32_700, max: 32_780 }), (units, padding) => {
        const text = `["${'x'.repeat(padding)}${units.join('').repeat(30)}${'y'.repeat(40_000)}${units.join('')}"]`;
        expect(inSlices(text, 'application/json', 5000)).toMatchObject({ body: parseJson(text) as unknown });
      }),
      { numRuns: 30 },
    );
  });

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/vnd.api+json', 'application/json;charset="UTF-8"'])(
    'may be %s',
    (type) => {
      expect(json('{"a":1}', type)).toMatchObject({ body: { a: 1 }, bodyState: 'parsed' });
    },
  );

  it.each([
    ['a name twice', '{"amount":1,"amount":20000}'],
    ['a name twice, once escaped', '{"amount":1,"\\u0061mount":20000}'],
    ['a name twice, deep inside', '[{"a":{"b":[1,{"c":1,"c":2}]}}]'],
    ['a name twice, after a nested object', '{"a":{"x":[1,"a"]},"b":2,"a":3}'],
    ['an empty name twice', '{"":1,"":2}'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}'],
    ['a name in another case', '{"amount":5,"Amount":50000}'],
    ['a name with a Kelvin sign', '{"kind":1,"\u212aind":2}'],
    ['a name with a long s', '{"sum":1,"\\u017fum":2}'],
    ['a name with another sigma', '{"\u03c3":1,"\u03c2":2}'],
    ['a name that goes on after a NUL', '{"amount":5,"amount\\u0000x":50000}'],
    ['a name with half a surrogate pair', '{"amount\\ud800":1}'],
  ])('is ambiguous with %s', (_what, text) => {
    expect(json(text)).toEqual({ body: null, bodyState: 'ambiguous' });
  });

  it.each([
    ['a byte order mark', '\ufeff{"a":1}'],
    ['more than one document', '{"a":1}{"a":2}'],
    ['a comment', '{"a":1/*,"a":2*/}'],
    ['a trailing comma', '{"a":1,}'],
    ['single quotes', "{'a':1}"],
    ['no quotes', '{a:1}'],
    ['NaN', '{"a":NaN}'],
    ['a number with a plus sign', '{"a":+1}'],
    ['a hexadecimal number', '{"a":0x10}'],
    ['a number with a zero before it', '{"a":010}'],
    ['a line feed in a string', '{"a":"\n"}'],
    ['an unknown escape', '{"a":"\\x41"}'],
    ['an early end', '{"a":1'],
    ['an early end in a string', '{"a'],
    ['UTF-16', '\0{\0"\0a\0"\0:\x001\0}'],
    ['white space that is not JSON\u2019s', '\u00a0{"a":1}'],
  ])('is malformed with %s', (_what, text) => {
    expect(json(text)).toEqual({ body: null, bodyState: 'malformed' });
  });

  it.each([
    ['no type', undefined],
    ['plain text', 'text/plain'],
    ['JSON by another name', 'text/json'],
    ['another charset', 'application/json; charset=utf-16'],
    ['UTF-7', 'application/json; charset=utf-7'],
    ['two charsets', 'application/json; charset=utf-8; charset=utf-7'],
    ['a charset with a space', 'application/json; charset =utf-7'],
    ['a list of types', 'application/json, text/plain'],
    ['multipart', 'multipart/form-data; boundary=x'],
  ])('is unsupported with %s', (_what, type) => {
    expect(readInspectedBody(bytes('{"a":1}'), type).bodyState).toBe('unsupported');
  });

  it('is malformed where it is not UTF-8', () => {
    expect(readInspectedBody(Uint8Array.of(0x22, 0xff, 0x22), 'application/json').bodyState).toBe('malformed');
    expect(readInspectedBody(Uint8Array.of(0x22, 0xc0, 0x80, 0x22), 'application/json').bodyState).toBe('malformed');
  });

  it('is too complex beyond a depth, a number of values, and a length of names and numbers', () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(json(nested(maxBodyDepth)).bodyState).toBe('parsed');
    expect(json(nested(maxBodyDepth + 1)).bodyState).toBe('too_complex');
    expect(json(`[${'1,'.repeat(200_000)}1]`).bodyState).toBe('too_complex');
    expect(json(`{"${'a'.repeat(5000)}":1}`).bodyState).toBe('too_complex');
    expect(json(`[${'1'.repeat(5000)}]`).bodyState).toBe('too_complex');
    expect(form('a=1&'.repeat(10_001)).bodyState).toBe('too_complex');
  });

  it('may have the same name in different objects, and names that objects inherit', () => {
    expect(json('[{"a":1},{"A":2},{"b":{"a":3},"a":4}]').bodyState).toBe('parsed');
    const { body } = json('{"__proto__":{"x":1},"constructor":2}');
    expect(Object.keys(body as object)).toEqual(['__proto__', 'constructor']);
  });

  it('keeps as written what no double holds, and reads what one does', () => {
    const { body } = json(
      '[9007199254740993, 10000.0000000000001, 1e999, 0.1, 1.50, 123456789012345678e3, 9007199254740992, 1e22, 0.30000000000000004, -0.0]',
    );
    expect((body as unknown[]).map((one) => (one instanceof WrittenNumber ? one.literal : one))).toEqual([
      '9007199254740993',
      '10000.0000000000001',
      '1e999',
      0.1,
      1.5,
      '123456789012345678e3',
      9_007_199_254_740_992,
      1e22,
      0.30000000000000004,
      -0,
    ]);
  });

  it('finds every name that is there twice, in whatever case, wherever it stands', () => {
    const key = fc.constantFrom('a', 'A', 'b', 'é', 'É', 'a"b', '\\');
    const object = fc.letrec<{ node: { text: string; duplicate: boolean } }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('1', '"a"', 'null', '"},{"', '"\\\\"', '-1.5').map((text) => ({ text, duplicate: false })),
        fc.array(fc.tuple(key, fc.boolean(), tie('node')), { maxLength: 4 }).map((members) => ({
          text: `{${members.map(([name, escaped, value]) => `${escaped ? `"${[...name].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"` : JSON.stringify(name)} : ${value.text}`).join(' , ')}}`,
          duplicate:
            new Set(members.map(([name]) => name.toLowerCase())).size < members.length || members.some(([, , value]) => value.duplicate),
        })),
        fc
          .array(tie('node'), { maxLength: 3 })
          .map((items) => ({ text: `[${items.map((item) => item.text).join(', ')}]`, duplicate: items.some((item) => item.duplicate) })),
      ),
    })).node;
    let duplicates = 0;
    fc.assert(
      fc.property(object, ({ text, duplicate }) => {
        expect(json(text).bodyState, text).toBe(duplicate ? 'ambiguous' : 'parsed');
        if (duplicate) duplicates++;
      }),
      { numRuns: 1000 },
    );
    expect(duplicates).toBeGreaterThan(50);
  });

  it('may be a form, with every value of a name', () => {
    expect(form('amount=1&amount=2&note=a+b%20c&&flag&=x')).toEqual({
      body: { amount: ['1', '2'], note: ['a b c'], flag: [''], '': ['x'] },
      bodyState: 'parsed',
      bodyFormat: 'form',
    });
    expect(form('amount=%').bodyState).toBe('malformed');
    expect(form('amount=%ff').bodyState).toBe('malformed');
    expect(Object.keys(form('__proto__=1').body as object)).toEqual(['__proto__']);
  });

  it('is a form as the URL standard reads it, whole or in slices', () => {
    const piece = fc.constantFrom('a', 'b', '=', '&', '+', '%20', '%C3%A9', '%F0%9F%98%80', '\u20ac', 'x'.repeat(70));
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom(1, 700),
        (pieces, characters, times) => {
          const text = `q=${pieces.join('').repeat(times)}`;
          const expected: Record<string, string[]> = {};
          for (const [name, value] of new URLSearchParams(text)) (expected[name] ??= []).push(value);
          const read = inSlices(text, 'application/x-www-form-urlencoded', characters * times);
          if (read.bodyState !== 'too_complex') expect(read.body).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each(['{"role":"admin"}', ' \n[{"role":"admin"}]&x=1', '\ufeff{"role":"admin"}'])(
    'is ambiguous as a form that a server which does not look at the type reads as JSON: %s',
    (text) => {
      expect(form(text).bodyState).toBe('ambiguous');
    },
  );
});

describe('names fold', () => {
  it('wherever simple case folding makes two letters one', () => {
    const others = (letter: string): string[] => [
      letter.toLowerCase(),
      letter.toUpperCase(),
      letter.toLowerCase().toUpperCase(),
      letter.toUpperCase().toLowerCase(),
    ];
    let pairs = 0;
    for (let code = 1; code <= 0x1_ff_ff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const letter = String.fromCodePoint(code);
      for (const other of others(letter)) {
        if (other === letter || [...other].length !== 1 || !new RegExp(`^\\u{${code.toString(16)}}$`, 'iu').test(other)) continue;
        pairs++;
        if (foldName(letter) !== foldName(other)) expect.unreachable(`${letter} and ${other}`);
      }
    }
    expect(pairs).toBeGreaterThan(2500);
    expect(foldName('\u1e9e')).toBe(foldName('\u00df'));
  });
});

describe('headers that conditions read', () => {
  it('keep apart what came on several lines', () => {
    const facts = headerFacts([
      ['accept', 'a'],
      ['x-mode', 'safe'],
      ['x-mode', 'danger'],
      ['x-mode', 'both'],
      ['__proto__', 'x'],
    ]);
    expect({ ...facts }).toEqual(
      Object.assign(Object.create(null) as object, JSON.parse('{"accept":"a","x-mode":["safe","danger","both"],"__proto__":"x"}')),
    );
    expect(Object.keys(facts)).toContain('__proto__');
  });
});
