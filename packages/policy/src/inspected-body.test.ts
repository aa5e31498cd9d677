import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { headerFacts, readInspectedBody } from './inspected-body.ts';

const json = (text: string, type = 'application/json'): ReturnType<typeof readInspectedBody> =>
  readInspectedBody(new TextEncoder().encode(text), type);

describe('a body that conditions inspect', () => {
  it('is absent where there are no bytes', () => {
    expect(json('')).toEqual({ body: null, bodyState: 'absent' });
  });

  it('is JSON as JSON.parse reads it, whatever is in it', () => {
    const value = fc.jsonValue({ maxDepth: 5 }).filter((one) => JSON.stringify(one).match(/\d{17}|e[+-]?\d/) === null);
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2), (one, indent) => {
        const text = JSON.stringify(one, null, indent);
        expect(json(text)).toEqual({ body: JSON.parse(text), bodyState: 'parsed' });
      }),
    );
  });

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/vnd.api+json', 'application/json;charset="UTF-8"'])(
    'may be %s',
    (type) => {
      expect(json('{"a":1}', type)).toEqual({ body: { a: 1 }, bodyState: 'parsed' });
    },
  );

  it.each([
    ['a key twice', '{"amount":1,"amount":20000}'],
    ['a key twice, once escaped', '{"amount":1,"\\u0061mount":20000}'],
    ['a key twice, deep inside', '[{"a":{"b":[1,{"c":1,"c":2}]}}]'],
    ['a key twice, after a nested object', '{"a":{"x":[1,"a"]},"b":2,"a":3}'],
    ['an empty key twice', '{"":1,"":2}'],
    ['a number beyond what a double holds', '{"amount":9007199254740993}'],
    ['a number beyond all bounds', '{"amount":1e999}'],
    ['a long fraction', `{"amount":0.${'1'.repeat(60)}}`],
    ['a byte order mark', '\ufeff{"a":1}'],
    ['more than one document', '{"a":1}{"a":2}'],
    ['a comment', '{"a":1/*,"a":2*/}'],
    ['nesting beyond reason', `${'['.repeat(300)}${']'.repeat(300)}`],
    ['an early end', '{"a":1'],
  ])('is unparsed with %s', (_what, text) => {
    expect(json(text)).toEqual({ body: null, bodyState: 'unparsed' });
  });

  it.each([
    ['no type', undefined],
    ['plain text', 'text/plain'],
    ['another charset', 'application/json; charset=utf-16'],
    ['a list of types', 'application/json, text/plain'],
    ['multipart', 'multipart/form-data; boundary=x'],
  ])('is unparsed with %s', (_what, type) => {
    expect(readInspectedBody(new TextEncoder().encode('{"a":1}'), type).bodyState).toBe('unparsed');
  });

  it('is unparsed where it is not UTF-8', () => {
    expect(readInspectedBody(Uint8Array.of(0x22, 0xff, 0x22), 'application/json').bodyState).toBe('unparsed');
    expect(readInspectedBody(Uint8Array.of(0x22, 0xc0, 0x80, 0x22), 'application/json').bodyState).toBe('unparsed');
  });

  it('may have the same key in different objects, and keys that objects inherit', () => {
    expect(json('[{"a":1},{"a":2},{"b":{"a":3},"a":4}]').bodyState).toBe('parsed');
    const { body } = json('{"__proto__":{"x":1},"constructor":2}');
    expect(Object.keys(body as object)).toEqual(['__proto__', 'constructor']);
  });

  it('finds every duplicate key, wherever it stands', () => {
    const key = fc.constantFrom('a', 'b', 'é', 'a"b', '\\');
    const object = fc.letrec<{ node: { text: string; duplicate: boolean } }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('1', '"a"', 'null', '"},{"', '"\\\\"', '-1.5').map((text) => ({ text, duplicate: false })),
        fc.array(fc.tuple(key, fc.boolean(), tie('node')), { maxLength: 4 }).map((members) => ({
          text: `{${members.map(([name, escaped, value]) => `${escaped ? `"${[...name].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"` : JSON.stringify(name)} : ${value.text}`).join(' , ')}}`,
          duplicate: new Set(members.map(([name]) => name)).size < members.length || members.some(([, , value]) => value.duplicate),
        })),
        fc
          .array(tie('node'), { maxLength: 3 })
          .map((items) => ({ text: `[${items.map((item) => item.text).join(', ')}]`, duplicate: items.some((item) => item.duplicate) })),
      ),
    })).node;
    let duplicates = 0;
    fc.assert(
      fc.property(object, ({ text, duplicate }) => {
        expect(json(text).bodyState, text).toBe(duplicate ? 'unparsed' : 'parsed');
        if (duplicate) duplicates++;
      }),
      { numRuns: 1000 },
    );
    expect(duplicates).toBeGreaterThan(50);
  });

  it('may be a form, with every value of a key', () => {
    const form = 'application/x-www-form-urlencoded';
    expect(json('amount=1&amount=2&note=a+b%20c', form)).toEqual({ body: { amount: ['1', '2'], note: ['a b c'] }, bodyState: 'parsed' });
    expect(json('amount=%', form).bodyState).toBe('unparsed');
    expect(json('amount=%ff', form).bodyState).toBe('unparsed');
    expect(Object.keys(json('__proto__=1', form).body as object)).toEqual(['__proto__']);
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
