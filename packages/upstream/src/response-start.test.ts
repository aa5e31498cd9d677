import fc from 'fast-check';
import { expect, it } from 'vitest';

import { ResponseStart } from './response-start.ts';

/** Returns the bytes that undici gets of a response that arrives in these pieces. */
function pass(text: string, cuts: readonly number[] = []): string {
  const start = new ResponseStart();
  start.expect();
  const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  let out = '';
  for (let i = 1; i < at.length; i++) {
    const piece = Buffer.from(text.slice(at[i - 1], at[i]), 'latin1');
    if (piece.length > 0) out += start.pass(piece)?.toString('latin1') ?? '';
  }
  return out;
}

const final = 'HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\nHTTP/1.1 100 no';

it.each([
  ['no interim response', final, final],
  ['one', `HTTP/1.1 100 Continue\r\n\r\n${final}`, `HTTP/1.1 102 Continue\r\n\r\n${final}`],
  [
    'one with headers',
    `HTTP/1.1 100 x\r\na: HTTP/1.1 100\r\nb: c\r\n\r\n${final}`,
    `HTTP/1.1 102 x\r\na: HTTP/1.1 100\r\nb: c\r\n\r\n${final}`,
  ],
  ['one of HTTP/1.0', `HTTP/1.0 100 x\n\n${final}`, `HTTP/1.0 102 x\n\n${final}`],
  [
    'several',
    `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 100\r\n\r\n${final}`,
    `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 102\r\n\r\nHTTP/1.1 102\r\n\r\n${final}`,
  ],
  ['what is no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['what only begins like HTTP', 'HTTP/2.0 100 x\r\n\r\nHTTP/1.1 100', 'HTTP/2.0 100 x\r\n\r\nHTTP/1.1 100'],
])('an unasked-for 100 becomes a 102, and nothing else changes, in whatever pieces it comes: %s', (_case, text, wanted) => {
  expect(pass(text)).toBe(wanted);
  fc.assert(
    fc.property(fc.array(fc.nat(200), { maxLength: 12 }), (cuts) => {
      expect(pass(text, cuts)).toBe(wanted);
    }),
  );
});

it('says whether anything came back', () => {
  const start = new ResponseStart();
  start.expect();
  expect(start.hasBegun).toBe(false);
  start.pass(Buffer.from('H'));
  expect(start.hasBegun).toBe(true);
  start.expect();
  expect(start.hasBegun).toBe(false);
});
