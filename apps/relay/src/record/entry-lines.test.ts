import { parseJson } from '@hoop/contract';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { HeadersPart, quoted } from './entry-lines.ts';

it('writes every string as JSON does (property)', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\u0000', '\ud800', '\u2028', 'a') }),
      ),
      (text) => {
        expect(JSON.parse(quoted(text))).toBe(JSON.parse(JSON.stringify(text)));
        // Text must survive UTF-8 unchanged.
        expect(JSON.parse(Buffer.from(quoted(text)).toString())).toBe(JSON.parse(Buffer.from(JSON.stringify(text)).toString()));
      },
    ),
  );
});

it('writes every list of headers as JSON does, whatever the list before it was (property)', () => {
  const name = fc.constantFrom('accept', 'etag');
  const list = fc.array(fc.tuple(fc.oneof(name, fc.string()), fc.oneof(name, fc.string())), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(list, { maxLength: 8 }), (lists) => {
      const part = new HeadersPart('requestHeaders');
      for (const one of lists) expect(parseJson(part.of(one))).toEqual({ requestHeaders: one });
    }),
  );
});
