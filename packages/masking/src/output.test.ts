import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Constant, Output } from './output.ts';

const source = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7919) & 255);
const constants = ['', '"[redacted]"', 'null', 'x'.repeat(70)].map((text) => new Constant(Buffer.from(text)));

const step = fc.record({
  of: fc.nat(1),
  act: fc.constantFrom('copy', 'put', 'constant', 'begin', 'take'),
  from: fc.nat(source.length),
  length: fc.oneof(fc.nat(20), fc.nat(900), fc.nat(source.length)),
});

test('two outputs give what was let out of each, and what they gave stays as it was', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const outputs = [new Output(), new Output()];
      const pending: number[][] = [[], []];
      const taken: { given: Uint8Array; expected: Uint8Array }[] = [];
      for (const { of, act, from, length } of [...steps, ...[0, 1].map((last) => ({ of: last, act: 'take', from: 0, length: 0 }))]) {
        const output = outputs[of]!;
        const to = Math.min(source.length, from + length);
        if (act === 'copy') {
          output.copy(source, from, to);
          pending[of]!.push(...source.subarray(from, to));
        } else if (act === 'put') {
          const mine = source.slice(from, to);
          output.putPart(mine, mine.length);
          pending[of]!.push(...mine);
          mine.fill(0);
        } else if (act === 'constant') {
          output.putConstant(constants[from % constants.length]!);
          pending[of]!.push(...constants[from % constants.length]!.bytes);
        } else if (act === 'begin') output.begin(source, new DataView(source.buffer));
        else {
          const given = output.take();
          expect(given === null).toBe(pending[of]!.length === 0);
          if (given !== null) taken.push({ given, expected: Uint8Array.from(pending[of]!) });
          pending[of] = [];
        }
      }
      for (const { given, expected } of taken) expect(Buffer.compare(given, expected)).toBe(0);
    }),
    { numRuns: 500 },
  );
});
