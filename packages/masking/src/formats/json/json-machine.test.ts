import { parseJson } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { foldKey } from '../../rules/fold-key.ts';
import { runMasker } from '../../testing/run-masker.ts';
import type { RuleInput } from '../../testing/run-masker.ts';

/** A reference masker on a parsed document, for a few rules, as plain as possible. */
function reference(value: unknown, keys: ReadonlyMap<string, string>, words: readonly string[]): unknown {
  if (typeof value === 'string') {
    const masked = words.reduce((text, word) => text.split(word).join('[redacted]'), value);
    return masked;
  }
  if (Array.isArray(value)) return value.map((one) => reference(one, keys, words));
  if (value === null || typeof value !== 'object') return value;
  const out: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const action = keys.get(foldKey(key));
    if (action === 'remove') continue;
    out.push([key, action === 'redact' ? '[redacted]' : action === 'null' ? null : reference(member, keys, words)]);
  }
  return Object.fromEntries(out);
}

const keyNames = fc.constantFrom('email', 'E-Mail', 'e_mail', 'cardNumber', 'card_number', 'id', 'name', 'gone', 'ünï', 'a"b\\c', '', ' ');
const strings = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('magenta', 'a magenta b', 'x\n"\\y', '\u2028', '😀'),
);
const { document: documents } = fc.letrec((tie) => ({
  document: fc.oneof({ maxDepth: 5, withCrossShrink: true }, tie('leaf'), tie('array'), tie('object')),
  leaf: fc.oneof(strings, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
  array: fc.array(tie('document'), { maxLength: 4 }),
  object: fc.dictionary(keyNames, tie('document'), { maxKeys: 5 }),
}));

/** JSON with white space and needless escapes. */
function dress(json: string, seed: number): string {
  let state = seed;
  const next = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % limit;
  };
  let dressed = '';
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const char = json[i]!;
    if (inString && char === '\\') {
      dressed += char + json[++i]!;
      continue;
    }
    if (char === '"') inString = !inString;
    if (inString && char !== '"' && next(6) === 0 && !/[\ud800-\udfff]/.test(char))
      dressed += `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
    else dressed += char;
    if (!inString && '{}[],:'.includes(char)) dressed += ['', '', ' ', '\n', '\t\r\n'][next(5)]!;
  }
  return dressed;
}

const rules: RuleInput[] = [
  { key: 'email' },
  { key: 'card_number', action: 'null' },
  { key: 'gone', action: 'remove' },
  { words: ['magenta'] },
];
const keys = new Map([
  ['email', 'redact'],
  ['cardnumber', 'null'],
  ['gone', 'remove'],
]);

describe('masking JSON', () => {
  test('any document in any chunks becomes what a plain reference makes of the parsed document', async () => {
    await fc.assert(
      fc.asyncProperty(
        documents,
        fc.integer(),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        async (document, seed, chunks) => {
          const body = dress(JSON.stringify(document), seed);
          const whole = await runMasker({ rules, body });
          const pieces = await runMasker({ rules, body, chunks });
          expect(whole.error).toBeNull();
          expect(parseJson(whole.text)).toEqual(parseJson(JSON.stringify(reference(parseJson(body), keys, ['magenta']))));
          expect(pieces.text).toBe(whole.text);
          expect(pieces.report.maskedCount).toBe(whole.report.maskedCount);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('leaves every byte as it was where no rule selects anything', async () => {
    await fc.assert(
      fc.asyncProperty(documents, fc.integer(), fc.integer({ min: 1, max: 20 }), async (document, seed, size) => {
        const body = dress(JSON.stringify(document), seed);
        expect((await runMasker({ rules: [{ key: 'nothing has this key' }], body, chunks: [size] })).text).toBe(body);
      }),
      { numRuns: 200 },
    );
  });

  test('masks every one of duplicate keys', async () => {
    expect((await runMasker({ rules: [{ key: 'pin' }], body: '{"pin":1,"pin":{"a":2},"p\\u0069n":"3"}' })).text).toBe(
      '{"pin":"[redacted]","pin":"[redacted]","p\\u0069n":"[redacted]"}',
    );
  });

  test('removes members and elements together with their commas', async () => {
    const remove = (path: string): RuleInput[] => [{ path, action: 'remove' }];
    expect((await runMasker({ rules: remove('$.a'), body: '{"a":1}' })).text).toBe('{}');
    expect((await runMasker({ rules: remove('$.a'), body: '{"a":[1,{}],"b":2,"a":3}' })).text).toBe('{"b":2}');
    expect((await runMasker({ rules: remove('$[1:]'), body: '[1,2,[3]]' })).text).toBe('[1]');
    expect((await runMasker({ rules: remove('$[0]'), body: '["x", {"y":[1]}]' })).text).toBe('[ {"y":[1]}]');
    expect((await runMasker({ rules: remove('$'), body: '[1]' })).text).toBe('null');
  });

  test('keeps the last four characters with partial, hashes equal values alike, and hides containers whole', async () => {
    const { text } = await runMasker({
      rules: [
        { key: 'card', action: 'partial' },
        { key: 'mail', action: 'hash' },
      ],
      body: '{"card":"4111 1111 1111 1111","card":4111111111111111,"card":"1234","card":{"n":1},"mail":"a","mail":"\\u0061","mail":[1],"card":true}',
    });
    const hashes = [...text.matchAll(/"(hash:[0-9a-f]{32})"/g)].map((found) => found[1]);
    expect(hashes).toHaveLength(2);
    expect(hashes[0]).toBe(hashes[1]);
    expect(text.replaceAll(hashes[0]!, 'H')).toBe(
      '{"card":"****1111","card":"****1111","card":"****","card":"[redacted]","mail":"H","mail":"H","mail":"[redacted]","card":"[redacted]"}',
    );
  });

  test('masks JSON inside JSON strings, as deep as its limit, and hides what is deeper', async () => {
    let body = '{"pin":"1234"}';
    for (let depth = 0; depth < 4; depth++) body = JSON.stringify({ payload: body });
    expect((await runMasker({ rules: [{ key: 'pin' }], body })).text).not.toContain('1234');
    expect((await runMasker({ rules: [{ key: 'pin' }], body: JSON.stringify({ payload: body }) })).text).not.toContain('1234');
    const path = await runMasker({ rules: [{ path: '$.payload.pin' }], body: JSON.stringify({ payload: '{"pin":"1234","x":1}' }) });
    expect(JSON.parse(JSON.parse(path.text).payload)).toEqual({ pin: '[redacted]', x: 1 });
  });

  test('hides a string whole that starts like JSON with keys and is not JSON', async () => {
    const masked = await runMasker({
      rules: [{ key: 'pin' }],
      body: JSON.stringify({ log: '{"pin":"1234"} and more', note: '[info] all well', set: '{a, b}' }),
    });
    expect(JSON.parse(masked.text)).toEqual({ log: '[redacted]', note: '[info] all well', set: '{a, b}' });
  });

  test('takes NDJSON and JSON text sequences, and cuts a second document of application/json', async () => {
    const body = '{"pin":1}\n{"pin":2}\n';
    expect((await runMasker({ rules: [{ key: 'pin' }], type: 'application/x-ndjson', body })).text).toBe(
      '{"pin":"[redacted]"}\n{"pin":"[redacted]"}\n',
    );
    expect((await runMasker({ rules: [{ key: 'pin' }], type: 'application/json-seq', body: '\u001e{"pin":1}\n\u001e7\n' })).text).toBe(
      '\u001e{"pin":"[redacted]"}\n\u001e7\n',
    );
    expect((await runMasker({ rules: [{ key: 'pin' }], body })).error?.code).toBe('unmaskable_response');
  });

  test('lets masked bytes out before the second chunk arrives', async () => {
    const body = `{"pin":1234,"rows":[${'{"name":"somebody"},'.repeat(100)}`;
    const { progress, error, report } = await runMasker({ rules: [{ key: 'pin' }], body: `${body}{}]}`, chunks: [body.length, 4] });
    expect(error).toBeNull();
    expect(progress[0]).toBeGreaterThan(body.length - 10);
    expect(report.maskedCount).toBe(1);
  });

  test('a string of many megabytes is masked without being kept', async () => {
    const body = JSON.stringify({ blob: `${'x '.repeat(700_000)}magenta${' y'.repeat(700_000)}magenta` });
    const { text, report } = await runMasker({ rules: [{ words: ['magenta'] }], body, chunks: [65_536] });
    expect(report.maskedCount).toBe(2);
    expect(text).toBe(body.replaceAll('magenta', '[redacted]'));
  });

  test('a long string that may be JSON is hidden whole where keys are masked', async () => {
    const body = JSON.stringify({ blob: JSON.stringify({ pin: 'x'.repeat(1_500_000) }) });
    expect((await runMasker({ rules: [{ key: 'pin' }], body, chunks: [65_536] })).text).toBe('{"blob":"[redacted]"}');
  });

  test('keys that are themselves sensitive are masked, and stay different from each other', async () => {
    const { text } = await runMasker({ rules: [{ words: ['magenta', 'cyan'] }], body: '{"magenta":1,"cyan":2,"ok":3}' });
    expect(JSON.parse(text)).toEqual({ '[redacted]': 1, '[redacted] (2)': 2, ok: 3 });
  });

  test('cuts where the document breaks, and says where', async () => {
    const { text, error, report } = await runMasker({ rules: [{ key: 'pin' }], body: '{"a":1,"pin":2,"b":tru}', chunks: [8] });
    expect(error?.code).toBe('unmaskable_response');
    expect(report.cut).toEqual({ at: 19, reason: 'this is neither a number nor true, false or null' });
    expect(text).not.toContain('2');
  });
});
