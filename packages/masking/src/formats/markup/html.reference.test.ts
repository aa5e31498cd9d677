/** Masking of HTML against a reference parser: no value that a browser sees under a masked name is left. */
import fc from 'fast-check';
import { parse } from 'parse5';
import type { DefaultTreeAdapterTypes } from 'parse5';
import { describe, expect, test } from 'vitest';

import { runMasker } from '../../testing/run-masker.ts';

type Node = DefaultTreeAdapterTypes.ChildNode | DefaultTreeAdapterTypes.Document;

const childrenOf = (node: Node): readonly Node[] => [
  ...('childNodes' in node ? node.childNodes : []),
  ...('content' in node ? node.content.childNodes : []),
];
const attributesOf = (node: Node): readonly { name: string; value: string }[] => ('attrs' in node ? node.attrs : []);

/** Everything that a text can be read from: text, attributes' values, comments. */
function textsOf(node: Node): string[] {
  const own = 'value' in node ? [node.value] : 'data' in node ? [node.data] : [];
  return [...own, ...attributesOf(node).map(({ value }) => value), ...childrenOf(node).flatMap(textsOf)];
}

/** The text and the values under elements that are named `pin`. */
function selectedIn(node: Node): string[] {
  const isNamed = attributesOf(node).some(({ name, value }) => (name === 'id' || name === 'name') && value === 'pin');
  const isContainer = 'tagName' in node && ['form', 'label', 'html', 'body', 'head'].includes(node.tagName);
  if (!isNamed || isContainer) return childrenOf(node).flatMap(selectedIn);
  const values = attributesOf(node).flatMap(({ name, value }) => (name === 'value' || name === 'content' ? [value] : []));
  return [...values, ...childrenOf(node).flatMap(textsOf)];
}

const parsed = (text: string): Node => parse(text, { scriptingEnabled: false });
const secrets = (texts: readonly string[]): string[] => texts.flatMap((text) => text.match(/SECRET[0-9]+;/g) ?? []);

const names =
  'p div span b i a table tr td th ul li button select option textarea title style script svg math math xmp iframe template object h1 input br'.split(
    ' ',
  );
const name = fc.constantFrom(...names);
const tag = fc
  .tuple(
    name,
    fc.constantFrom(
      '',
      ' id=pin',
      ' id="pin"',
      " name='pin'",
      ' id = pin',
      '/id=pin',
      ' id=pin/',
      ' x="a"id=pin',
      ' x=a"b',
      " x='a",
      ' ="x"',
      ' id=pin value=SECRET;',
      ' id=pin value="SECRET;"',
      ' id=&#112;in',
      ' class=a',
      ' "',
    ),
    fc.constantFrom('>', '>', '>', '/>', ' >', '\n>', '', ' /'),
  )
  .map((parts) => `<${parts.join('')}`);
const piece = fc.oneof(
  { weight: 5, arbitrary: tag },
  { weight: 4, arbitrary: name.map((one) => `</${one}>`) },
  { weight: 4, arbitrary: fc.constant('SECRET;') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '<!--',
      '-->',
      '<!-->',
      '--!>',
      '<!x',
      '<?x',
      '</ ',
      '<![CDATA[',
      ']]>',
      '"',
      "'",
      '>',
      '<',
      '</',
      '&lt;',
      '&',
      ' ',
      '/',
      '=',
      '</script',
      '<script',
      'a',
      '-',
    ),
  },
);
/** Each secret has a number of its own. */
const document = fc.array(piece, { maxLength: 14 }).map((pieces) => {
  let count = 0;
  return pieces.join('').replaceAll('SECRET;', () => `SECRET${count++};`);
});

/** Inputs that once leaked a value. */
const known = [
  '<p x=a"b><p id=pin>SECRET0;</p><p x="">',
  '</ <p x=\'a><p id="pin">SECRET0;',
  '<svg id="pin"><p/id=pin></svg>SECRET0;',
  '<svg><input id=pin value=SECRET0;>SECRET1;',
  '<li x="a"id=pin><i /<p id=pin value=SECRET0;></li>SECRET1;',
  "<tr id=pin><p name='pin'></tr>SECRET0;",
  '<p id=pin><button></p>SECRET0;',
  '<div id=pin><table></div>SECRET0;',
  '<script><!--<script></script><!--</script><p id=pin>SECRET0;',
  '<select><style><b id=pin>SECRET0;',
  '<svg><style><p id=pin>SECRET0;</p></style>',
];

describe('HTML against a reference parser', () => {
  test('what a browser sees in an element that a rule names is not let out', async () => {
    let selectedInAll = 0;
    await fc.assert(
      fc.asyncProperty(document, fc.integer({ min: 1, max: 50 }), async (body, chunk) => {
        const selected = secrets(selectedIn(parsed(body)));
        selectedInAll += selected.length;
        const { text } = await runMasker({ rules: [{ key: 'pin' }], type: 'text/html', body, chunks: [chunk] });
        const shown = secrets(textsOf(parsed(text)));
        expect(selected.filter((one) => shown.includes(one))).toEqual([]);
      }),
      { numRuns: 3000, seed: 13_225, examples: known.map((body) => [body, 7]) },
    );
    expect(selectedInAll).toBeGreaterThan(200);
  });

  const mail = fc.constantFrom(
    'alice@example.com',
    'alice&#64;example.com',
    'alice&#x40example.com',
    'alice&#0000000000000064;example.com',
    'alice&commat;example.com',
  );
  test('what a browser reads anywhere holds nothing that a detector finds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            piece,
            mail.map((one) => ` ${one} `),
            mail.map((one) => `<p x="${one}">`),
            mail.map((one) => `<p x=${one}>`),
          ),
          { maxLength: 10 },
        ),
        async (pieces) => {
          const body = pieces.join('');
          const { text } = await runMasker({ rules: [{ detect: 'email' }], type: 'text/html', body, chunks: [9] });
          expect(textsOf(parsed(text)).join('\n')).not.toContain('alice@example.com');
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('sound documents come out with the same elements and texts, but for what is masked', async () => {
    const sound: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('text', ' a &amp; b ', '<br>', '<!-- c -->', '<input name="x" value="1">'),
        fc
          .tuple(fc.constantFrom('div', 'span', 'b', 'section'), fc.array(tie('node'), { maxLength: 3 }))
          .map(([one, inner]) => `<${one} title="t">${inner.join('')}</${one}>`),
      ),
    })).node;
    await fc.assert(
      fc.asyncProperty(sound, async (body) => {
        const { text } = await runMasker({ rules: [{ key: 'pin' }, { detect: 'personal' }], type: 'text/html', body, chunks: [5] });
        expect(text).toBe(body);
      }),
      { numRuns: 500 },
    );
  });
});
