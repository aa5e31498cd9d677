import fc from 'fast-check';
import { expect, test } from 'vitest';

import { createResponseMasker } from '../response/create-response-masker.ts';
import { compileMasking } from '../rules/compile-masking.ts';
import type { CompiledMasking } from '../rules/compile-masking.ts';
import { hashKey, rulesOf } from '../testing/run-masker.ts';

const rules = rulesOf([
  { key: 'pin' },
  { path: '$.data[1].id', action: 'partial' },
  { path: '$..gone', action: 'remove' },
  { detect: 'email' },
  { detect: 'payment_card' },
]);
const compile = (): CompiledMasking => compileMasking(rules, { hashKey });

const bodies = [
  '{"data":[{"id":"cus_123456789","pin":7},{"id":"cus_987654321","pin":"x"}],"gone":1,"to":"alice@example.com"}',
  '{"data":[{"id":"cus_123456789","pin":7}, {"id":"cus_987654321","pin":"x"} ],\n"card":4111111111111111}',
  '\ufeff{"pin":{"a":[1,2,{"b":null}]},"gone":{"x":1},"note":"é \\u0041 \\"q\\""}',
  '[[[[{"data":{"pin":"deep"}}]]]]',
  '"alice@example.com"',
  '4111111111111111',
  '{"pin":"unterminated',
  '{"data":[1,2,}',
  '{"alice@example.com":1,"bob@example.com":2}',
  '{"pin":1}\n{"pin":2}\n',
  '',
];

interface Response {
  readonly body: string;
  readonly isLines: boolean;
  readonly size: number;
  /** Chunks after which it breaks off; -1: it does not. */
  readonly brokenAfter: number;
}

const response = fc.record({
  body: fc.constantFrom(...bodies),
  isLines: fc.boolean(),
  size: fc.integer({ min: 1, max: 60 }),
  brokenAfter: fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, fc.nat(3)),
});

/** A response that goes on by one chunk with each step; the result, once it is over. */
function open(masking: CompiledMasking, { body, isLines, size, brokenAfter }: Response): () => string | null {
  const out: Uint8Array[] = [];
  let ended = 'broken off';
  const masker = createResponseMasker({
    masking,
    unmaskedContentTypes: [],
    requestMethod: 'GET',
    status: 200,
    headers: [['content-type', isLines ? 'application/x-ndjson' : 'application/json']],
    scrub: null,
    sink: {
      data: (chunk) => void out.push(chunk),
      end: () => void (ended = 'whole'),
      error: (error) => void (ended = error.detail ?? ''),
      drain() {},
    },
  });
  const bytes = Buffer.from(body);
  let at = 0;
  let steps = 0;
  const result = (): string => JSON.stringify([Buffer.concat(out).toString(), ended, masker.report]);
  return () => {
    if (steps++ === brokenAfter) {
      masker.abort();
      return result();
    }
    if (at < bytes.length) {
      masker.write(Uint8Array.from(bytes.subarray(at, (at += size))));
      return null;
    }
    masker.end();
    return result();
  };
}

function runAlone(one: Response): string {
  const step = open(compile(), one);
  for (;;) {
    const result = step();
    if (result !== null) return result;
  }
}

test('responses under the same rules, one after the other and at once, broken off and malformed ones among them, are masked as each alone', () => {
  fc.assert(
    fc.property(fc.array(response, { minLength: 2, maxLength: 8 }), fc.array(fc.nat(2), { minLength: 1, maxLength: 20 }), (all, turns) => {
      const masking = compile();
      const waiting = all.map((one) => ({ one, expected: runAlone(one) }));
      const running: { step: () => string | null; expected: string }[] = [];
      for (let turn = 0; waiting.length > 0 || running.length > 0; turn++) {
        const which = turns[turn % turns.length]!;
        if (which >= running.length && waiting.length > 0) {
          const { one, expected } = waiting.shift()!;
          running.push({ step: open(masking, one), expected });
          continue;
        }
        const at = which % running.length;
        const result = running[at]!.step();
        if (result === null) continue;
        expect(result).toBe(running[at]!.expected);
        running.splice(at, 1);
      }
    }),
    { numRuns: 400 },
  );
});
