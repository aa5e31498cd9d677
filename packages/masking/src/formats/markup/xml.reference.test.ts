/** Masking of XML against a reference parser: no value that the parser reads under a masked name is left. */
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';

import { runMasker } from '../../testing/run-masker.ts';

interface Reading {
  /** Texts and values under elements and attributes of the local name `pin`. */
  readonly selected: string[];
  /** Every text, value, comment and instruction. */
  readonly texts: string[];
  readonly names: string[];
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/** Null: the document is not well-formed. */
function read(document: string): Reading | null {
  const parser = new SaxesParser();
  const reading: Reading = { selected: [], texts: [], names: [] };
  const open: string[] = [];
  const add = (text: string): void => {
    reading.texts.push(text);
    if (open.includes('pin')) reading.selected.push(text);
  };
  parser.on('opentag', ({ name, attributes }) => {
    open.push(localName(name));
    reading.names.push(name);
    for (const [attribute, value] of Object.entries(attributes)) {
      add(value);
      if (localName(attribute) === 'pin') reading.selected.push(value);
    }
  });
  parser.on('closetag', () => void open.pop());
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('comment', (text) => reading.texts.push(text));
  parser.on('processinginstruction', ({ body }) => reading.texts.push(body));
  try {
    parser.write(document).close();
    return reading;
  } catch {
    return null;
  }
}

const secretsIn = (texts: readonly string[]): string[] => texts.join('').match(/SECRET[0-9]+;/g) ?? [];

const name = fc.constantFrom('a', 'pin', 'x:pin', 'b.c', 'pin-b', 'é', 'Pin');
const value = fc.constantFrom(
  '"v"',
  "'v'",
  '"SECRET;"',
  "'SECRET;'",
  '"a>b"',
  "'\"'",
  '"&lt;"',
  '"&#83;ECRET;"',
  '"a&amp;SECRET;"',
  '"<"',
  'v',
);
const attribute = fc
  .tuple(fc.constantFrom(' ', '\n', '  ', ''), name, fc.constantFrom('=', ' = ', '\t='), value)
  .map((parts) => parts.join(''));
const attributes = fc.uniqueArray(attribute, { maxLength: 3, selector: (one) => one.trim().split(/\s*=/)[0] }).map((all) => all.join(''));
const text = fc.constantFrom(
  't',
  'SECRET;',
  '&amp;',
  '&#x53;ECRET;',
  '<![CDATA[SECRET;]]>',
  '<![CDATA[<pin>]]>',
  '<!-- SECRET; -->',
  '<!--<pin>-->',
  '<?p SECRET;?>',
  ']]',
  '&lt;pin&gt;SECRET;&lt;/pin&gt;',
  ' ',
  '>',
  '&nope;',
  '<',
  ']]>',
);
const { node } = fc.letrec<{ node: string; element: string }>((tie) => ({
  node: fc.oneof({ maxDepth: 4 }, text, tie('element')),
  element: fc
    .tuple(name, attributes, fc.array(tie('node'), { maxLength: 4 }), fc.constantFrom('', ' ', '\n'), fc.boolean())
    .map(([one, all, inner, space, isEmpty]) =>
      isEmpty ? `<${one}${all}${space}/>` : `<${one}${all}${space}>${inner.join('')}</${one}${space}>`,
    ),
}));
const document = fc
  .tuple(fc.constantFrom('', '<?xml version="1.0"?>', '<!DOCTYPE a>', '<!-- c -->'), fc.array(node, { maxLength: 3 }), attributes)
  .map(([start, inner, all]) => {
    let count = 0;
    return `${start}<root${all}>${inner.join('')}</root>`.replaceAll('ECRET;', () => `ECRET${count++};`);
  });

describe('XML against a reference parser', () => {
  test('what a parser reads under a name that a rule has is not let out, and what comes out is well-formed', async () => {
    let selected = 0;
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(document, fc.integer({ min: 1, max: 40 }), async (body, chunk) => {
        const before = read(body);
        const { text: masked, error } = await runMasker({ rules: [{ key: 'pin' }], type: 'application/xml', body, chunks: [chunk] });
        if (before === null || error !== null) return;
        accepted++;
        const after = read(masked);
        expect(after, masked).not.toBeNull();
        const wanted = secretsIn(before.selected);
        selected += wanted.length;
        const shown = secretsIn(after!.texts);
        expect(wanted.filter((one) => shown.includes(one))).toEqual([]);
      }),
      { numRuns: 4000 },
    );
    expect(accepted).toBeGreaterThan(300);
    expect(selected).toBeGreaterThan(200);
  });

  test('what is well-formed is not cut, and passes as it is where no rule selects anything', async () => {
    let sound = 0;
    await fc.assert(
      fc.asyncProperty(document, async (body) => {
        if (read(body) === null) return;
        sound++;
        const { text: passed, error } = await runMasker({ rules: [{ key: 'other' }], type: 'application/xml', body, chunks: [11] });
        expect(error?.detail ?? '').toBe('');
        expect(passed).toBe(body);
      }),
      { numRuns: 3000 },
    );
    expect(sound).toBeGreaterThan(200);
  });

  test('what a parser reads anywhere holds nothing that a detector finds', async () => {
    const mail = fc.constantFrom(
      'alice@example.com',
      'alice&#64;example.com',
      'alice<![CDATA[@]]>example.com',
      '<a b="alice&#x0040;example.com"/>',
      '<!-- alice@example.com -->',
      '<?p alice@example.com?>',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            node,
            mail.map((one) => ` ${one} `),
          ),
          { maxLength: 6 },
        ),
        async (nodes) => {
          const body = `<root>${nodes.join('')}</root>`;
          const { text: masked, error } = await runMasker({ rules: [{ detect: 'email' }], type: 'application/xml', body, chunks: [7] });
          const after = error === null ? read(masked) : null;
          if (after !== null) expect(after.texts.join('')).not.toContain('alice@example.com');
        },
      ),
      { numRuns: 2000 },
    );
  });
});
