/** Selection by the masker, in one pass, against a reference evaluator of RFC 9535 over the whole document. */
import { parseJson } from '@hoop/contract';
import fc from 'fast-check';
import { jsonpath } from 'json-p3';
import { describe, expect, test } from 'vitest';

import { describeRule } from '../sample/describe-rule.ts';
import { rulesOf, runMasker } from '../testing/run-masker.ts';
import { JsonPathError, parseJsonPath } from './json-path.ts';

const hidden = '[redacted]';
const names = ['a', 'b', 'data', 'iban', 'é', '0', '*', 'a.b', "it's", '"'];

const name = fc.constantFrom(...names);
const { document } = fc.letrec<{ document: unknown }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    fc.oneof(fc.constantFrom(null, true, 0, -1.5, 'x', '', 'text'), fc.nat(99)),
    fc.array(tie('document'), { maxLength: 7 }),
    fc.dictionary(name, tie('document'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

const blank = fc.constantFrom('', '', '', ' ', '\t', '\n');
const small = fc.oneof(fc.integer({ min: 0, max: 8 }), fc.constantFrom(4096, 9_007_199_254_740_991));
const optional = fc.option(small, { nil: '' as const });
const quoted = name.chain((one) =>
  fc.constantFrom(
    `'${one.replaceAll("'", "\\'")}'`,
    JSON.stringify(one),
    `"\\u0061${one === 'a' ? '' : JSON.stringify(one).slice(1, -1)}"`,
  ),
);
const slice = fc
  .tuple(
    optional,
    optional,
    fc.option(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom('', 4096, 9_007_199_254_740_991)), { nil: null }),
    blank,
    blank,
  )
  .map(([start, end, step, one, other]) => `${start}${one}:${other}${end}${step === null ? '' : `${other}:${one}${step}`}`);
/** Stands before what one pass cannot decide and a path must be refused for; taken out before it is used. */
const mark = '\u0001';
const undecidable = fc
  .constantFrom('-1', '-2:', ':-1', '::-1', '1:0:-1', '::0', '?@.a', '?@ > 1', "?@['a'] == 'x'")
  .map((one) => mark + one);
const selector = fc.oneof(
  { weight: 3, arbitrary: quoted },
  { weight: 3, arbitrary: slice },
  { weight: 2, arbitrary: fc.nat(8).map(String) },
  { weight: 1, arbitrary: fc.constant('*') },
  { weight: 1, arbitrary: undecidable },
);
const bracketed = fc
  .tuple(fc.array(selector, { minLength: 1, maxLength: 3 }), blank)
  .map(([selectors, space]) => `[${space}${selectors.join(`${space},${space}`)}${space}]`);
const segment = fc.oneof(
  { weight: 4, arbitrary: bracketed },
  { weight: 3, arbitrary: fc.constantFrom('.a', '.b', '.data', '.iban', '.é', '.*') },
  { weight: 2, arbitrary: fc.constantFrom('..a', '..b', '..iban', '..*') },
  { weight: 2, arbitrary: bracketed.map((one) => `..${one}`) },
);
const marked = fc.array(fc.tuple(blank, segment), { maxLength: 5 }).map((segments) => `$${segments.flat().join('')}`);
const withoutMarks = (expression: string): string => expression.replaceAll(mark, '');

/** The document with every selected node replaced; those in a replaced one are gone with it. */
function expected(expression: string, value: unknown): unknown {
  const copy = { root: structuredClone(value) };
  const { nodes } = jsonpath.query(expression, value as never);
  for (const { location } of nodes.toSorted((one, other) => other.location.length - one.location.length)) {
    let parent: Record<string, unknown> = copy;
    let last = 'root';
    for (const step of location) {
      parent = parent[last] as Record<string, unknown>;
      last = String(step);
    }
    parent[last] = hidden;
  }
  return copy.root;
}

function refusal(expression: string): string | null {
  try {
    parseJsonPath(expression);
    return null;
  } catch (error) {
    if (error instanceof JsonPathError) return error.message;
    throw error;
  }
}

describe('selection in one pass against a reference evaluator', () => {
  test('every path that is accepted selects in a stream what RFC 9535 says, in any chunks', async () => {
    let accepted = 0;
    let selected = 0;
    await fc.assert(
      fc.asyncProperty(marked, document, fc.integer({ min: 1, max: 40 }), async (one, value, chunk) => {
        const expression = withoutMarks(one);
        const reason = refusal(expression);
        expect(reason !== null, `${expression}: ${reason}`).toBe(one.includes(mark));
        if (reason !== null) return;
        accepted++;
        const body = JSON.stringify(value);
        const wanted = expected(expression, value);
        if (JSON.stringify(wanted) !== body) selected++;
        const { text } = await runMasker({ rules: [{ path: expression }], body, chunks: [chunk] });
        expect(parseJson(text)).toEqual(wanted);
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(1000);
    expect(selected).toBeGreaterThan(200);
  });

  test('several rules select what each of them selects', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(marked, { minLength: 2, maxLength: 6 }), document, async (expressions, value) => {
        const rules = expressions
          .map(withoutMarks)
          .filter((one) => refusal(one) === null)
          .map((one) => ({ path: one }));
        const { text } = await runMasker({ rules, body: JSON.stringify(value) });
        let wanted = value;
        // a later path must not look into what an earlier one hid, so all are evaluated on the document itself
        const places = rules.map((rule) => expected(rule.path, value));
        for (const one of places) wanted = hideBoth(wanted, one);
        expect(parseJson(text)).toEqual(wanted);
      }),
      { numRuns: 500 },
    );
  });

  test('a text that is accepted as a path is one for the reference too', () => {
    const noise = fc.array(
      fc.oneof(segment, fc.constantFrom('.', '..', '[', ']', ',', ':', "'", '"', ' ', '-0', '01', '$', '@', '(', 'ä')),
      {
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(noise, (parts) => {
        const expression = withoutMarks(`$${parts.join('')}`);
        if (refusal(expression) === null) expect(() => jsonpath.compile(expression), expression).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    '$.data[:].iban',
    '$.data[::1].iban',
    '$.data[0:].iban',
    '$.data[::].iban',
    '$.data[0::1].iban',
    '$.data[:,0].iban',
    '$..[:].iban',
  ])('%s, a slice of everything, hides every element', async (expression) => {
    const body = '{"data":[{"iban":"a"},{"iban":"b"},{"iban":"c"}]}';
    const { text } = await runMasker({ rules: [{ path: expression }], body, chunks: [5] });
    expect(text).toBe(body.replaceAll(/"[abc]"/g, `"${hidden}"`));
  });

  test.each([
    ['$.data[:].iban', /selects/],
    ['$[1:]', /selects/],
  ])('%s is described as it works', (expression, wording) => {
    const [rule] = rulesOf([{ path: expression }]);
    expect(describeRule(rule!)).toMatch(wording);
  });

  test.each([
    ['$.list.item[1].mail', 'application/xml', '<list><item><mail>SECRET</mail></item></list>'],
    ['$.list.item[1:].mail', 'application/xml', '<list><item><mail>SECRET</mail></item></list>'],
    ['$.list.item[7::2]', 'application/xml', '<list><item>SECRET</item></list>'],
    ['$[*][1]', 'text/csv; header=absent', '1,SECRET\n2,SECRET\n'],
    ['$[:][1:]', 'text/csv; header=absent', '1,SECRET\n2,SECRET\n'],
    ['$[:].mail', 'text/csv', 'id,mail\n1,SECRET\n2,SECRET\n'],
    ['$[0:][1]', 'text/csv', 'id,mail\n1,SECRET\n2,SECRET\n'],
    ["$.user['0']", 'application/x-www-form-urlencoded', 'user[0]=SECRET'],
    ['$.user[0]', 'application/x-www-form-urlencoded', 'user[0]=SECRET&user.0=SECRET'],
    ['$.user[:]', 'application/x-www-form-urlencoded', 'user[]=SECRET&user[][x]=SECRET'],
  ])('%s selects at least as much in %s: indexes have no narrower meaning where a format has none', async (expression, type, body) => {
    const { text } = await runMasker({ rules: [{ path: expression }], type, body, chunks: [4] });
    expect(text).not.toContain('SECRET');
  });

  test.each(['$.data[-1].iban', '$.data[:-1]', '$.data[::-1]', '$.data[?@.a].iban', '$[?length(@) > 1]', '$.data[::0]'])(
    '%s, which one pass cannot decide, is refused',
    (expression) => {
      expect(refusal(expression)).not.toBeNull();
    },
  );
});

function hideBoth(one: unknown, other: unknown): unknown {
  if (one === hidden || other === hidden) return hidden;
  if (Array.isArray(one)) return one.map((element, index) => hideBoth(element, (other as unknown[])[index]));
  if (one !== null && typeof one === 'object')
    return Object.fromEntries(Object.entries(one).map(([key, value]) => [key, hideBoth(value, (other as Record<string, unknown>)[key])]));
  return one;
}
