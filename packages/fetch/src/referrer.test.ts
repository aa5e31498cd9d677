import { expect, test } from 'vitest';

import { redirectReferrer } from './referrer.ts';

// Referrer Policy §3, for a page of https://a.example/x: what goes to the same origin, to another one, and to one without TLS.
test.each([
  ['no-referrer', undefined, undefined, undefined],
  ['no-referrer-when-downgrade', 'whole', 'whole', undefined],
  ['same-origin', 'whole', undefined, undefined],
  ['origin', 'origin', 'origin', 'origin'],
  ['strict-origin', 'origin', 'origin', undefined],
  ['origin-when-cross-origin', 'whole', 'origin', 'origin'],
  ['strict-origin-when-cross-origin', 'whole', 'origin', undefined],
  ['unsafe-url', 'whole', 'whole', 'whole'],
])('%s', (policy, same, cross, downgrade) => {
  const names: Record<string, string> = { whole: 'https://a.example/x?q', origin: 'https://a.example/' };
  const sent = (url: string): string | undefined =>
    redirectReferrer({ url: 'https://user:word@a.example/x?q#f', policy: 'unsafe-url' }, policy, new URL(url)).url;
  for (const [url, expected] of [
    ['https://a.example/y', same],
    ['https://b.example/', cross],
    ['http://c.example/', downgrade],
  ] as const)
    expect(sent(url)).toBe(expected === undefined ? undefined : names[expected]);
});

test('a policy that is not known changes nothing, of several the last counts, and what was not sent once is not sent later', () => {
  const url = new URL('https://b.example/');
  const from = { url: 'https://a.example/x', policy: 'unsafe-url' };
  expect(redirectReferrer(from, 'nonsense', url)).toEqual(from);
  expect(redirectReferrer(from, null, url)).toEqual(from);
  expect(redirectReferrer(from, 'no-referrer, ORIGIN, nonsense', url)).toEqual({ url: 'https://a.example/', policy: 'origin' });
  expect(redirectReferrer({ url: undefined, policy: 'no-referrer' }, 'unsafe-url', url)).toEqual({ url: undefined, policy: 'unsafe-url' });
  const long = `https://a.example/${'x'.repeat(4096)}`;
  expect(redirectReferrer({ url: long, policy: 'unsafe-url' }, null, url).url).toBe('https://a.example/');
});
