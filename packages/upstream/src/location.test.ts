import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { relocate } from './location.ts';

const scope = {
  target: { origin: 'https://api.example', basePath: '/v1' },
  connection: 'payments',
  url: 'https://api.example/v1/refunds/7?page=1',
  relayOrigin: 'http://relay.test',
  passesForeign: false,
};
const one = (name: string, value: string, change: Partial<typeof scope> = {}) => relocate([[name, value]], { ...scope, ...change })!;
const location = (value: string, change: Partial<typeof scope> = {}) => one('location', value, change).headers[0]?.[1] ?? null;

describe("a URL of the connection becomes the relay's", () => {
  it.each([
    ['https://api.example/v1/echo', '/payments/echo'],
    ['https://api.example:443/v1/echo?a=b#c', '/payments/echo?a=b#c'],
    ['HTTPS://API.EXAMPLE/v1/echo', '/payments/echo'],
    ['https://api.example/v1', '/payments'],
    ['https://api.example/v1?x', '/payments?x'],
    ['//api.example/v1/echo', '/payments/echo'],
    ['https:8', '/payments/refunds/8'],
    ['/v1/echo', '/payments/echo'],
    ['/v1/', '/payments/'],
    ['8', '/payments/refunds/8'],
    ['?page=2', '/payments/refunds/7?page=2'],
    ['', '/payments/refunds/7?page=1'],
    ['\\v1\\echo', '/payments/echo'],
    ['/v1//evil.example/x', '/payments//evil.example/x'],
  ])('%s', (value, wanted) => expect(location(value)).toBe(wanted));

  it('also outside ASCII, as a browser reads it', () =>
    expect(location(Buffer.from('/v1/ümlaut').toString('latin1'))).toBe('/payments/%C3%BCmlaut'));

  it('where the target has no path of its own', () => {
    const change = { target: { origin: 'https://api.example', basePath: '' } };
    expect(location('/echo', change)).toBe('/payments/echo');
    expect(location('https://api.example', change)).toBe('/payments/');
    expect(location('/stripe/v1/refunds', change)).toBe('/payments/stripe/v1/refunds');
  });
});

describe('any other URL is withheld', () => {
  it.each([
    'https://other.example/v1/x',
    'http://api.example/v1/x',
    'https://api.example:8443/v1/x',
    'https://api.example.evil.test/v1/x',
    'https://api.example@evil.test/v1/x',
    'https://user:pass@api.example/v1/x',
    'https://api.example/v2/x',
    'https://api.example/v10/x',
    '/stripe/v1/refunds',
    '/payments/x',
    '//evil.test/v1/x',
    '///evil.test/v1/x',
    '\\\\evil.test\\v1\\x',
    '/\\evil.test/v1/x',
    '/\t/evil.test/v1/x',
    '\t//evil.test/v1/x',
    '/v1/../stripe/v1/refunds',
    '/v1/%2e%2e/stripe',
    '/v1/%2E./stripe',
    '/v1/..\\stripe',
    '../../../stripe',
    'javascript:alert(1)',
    'data:text/html,x',
    'blob:https://api.example/v1/x',
    'http://[',
  ])('%j', (value) => {
    const { headers, withheld } = one('location', value);
    expect(headers).toEqual([]);
    expect(withheld).toHaveLength(1);
    expect(withheld[0]![1]).toMatch(/^[\x21-\x7e]+$/);
    // Let through, it is read as the target meant it, by a client that takes it for the relay's as well.
    const passed = location(value, { passesForeign: true });
    expect(passed).toBe(URL.parse(value, scope.url)?.href ?? null);
  });

  it('of the relay itself also where others pass', () => {
    for (const value of ['http://relay.test/stripe/x', 'https://RELAY.test/stripe/x'])
      expect(location(value, { passesForeign: true })).toBeNull();
  });

  it('unread after a hundred, so that a long list costs little', () => {
    const url = `https://api.example/v1/${'x'.repeat(30_000)}`;
    const startedAt = performance.now();
    const { headers, withheld } = one('link', '<?page=2>,'.repeat(6_000), { url });
    expect(headers[0]![1].split(', ')).toHaveLength(100);
    expect(withheld).toHaveLength(10);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('in each header that a client acts upon, and in no other', () => {
    for (const name of ['location', 'content-location', 'operation-location', 'azure-asyncoperation'])
      expect(one(name, 'https://other.example/').headers).toEqual([]);
    expect(relocate([['x-location', 'https://other.example/']], scope)).toBeNull();
  });
});

describe('Link', () => {
  const link = (value: string) => one('link', value);

  it('keeps the links of the connection, as absolute URLs of the relay', () => {
    expect(link('<https://api.example/v1/r?page=2>; rel="next", </v1/r?page=9>; rel=last').headers).toEqual([
      ['link', '<http://relay.test/payments/r?page=2>; rel="next", <http://relay.test/payments/r?page=9>; rel=last'],
    ]);
  });

  it('loses the others, whatever commas and brackets are in quotes', () => {
    const { headers, withheld } = link(
      '<https://other.example/a,b>; title="x, <https://api.example/v1/no>", <2>; title="a\\",b"; rel=next',
    );
    expect(headers).toEqual([['link', '<http://relay.test/payments/refunds/2>; title="a\\",b"; rel=next']]);
    expect(withheld).toEqual([['link', 'https://other.example/a,b']]);
  });

  it.each(['https://other.example/', '<https://other.example/', 'x <https://api.example/v1/x>', '</v1/x>, y'])(
    'is withheld whole where it cannot be parsed: %s',
    (value) => {
      expect(link(value).headers).toEqual([]);
      expect(link(value).withheld).not.toEqual([]);
    },
  );

  it('takes time in proportion to its length', () => {
    const startedAt = performance.now();
    link(`<${'<'.repeat(30_000)}`);
    link('<a>;"'.repeat(12_000));
    link(','.repeat(60_000));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('Refresh', () => {
  const refresh = (value: string) => one('refresh', value).headers[0]?.[1] ?? null;
  it.each([
    ['5', '5'],
    ['5; url=/v1/echo', '5; url=/payments/echo'],
    ['0;URL="https://api.example/v1/echo"', '0; url=/payments/echo'],
    ["0, 'https://api.example/v1/echo'", '0; url=/payments/echo'],
    ['0;url=https://other.example/', null],
    ['0 https://other.example/', null],
    ['0;url="//other.example/"', null],
    ['url=https://other.example/', null],
  ])('%s', (value, wanted) => expect(refresh(value)).toBe(wanted));
});

it('whatever a target sends, no client reads more in it than a path of the connection (property)', () => {
  const part = fc.constantFrom(
    '/',
    '\\',
    '..',
    '.',
    '%2e',
    '%2E',
    '%2f',
    '%5c',
    ';',
    '@',
    ':',
    '//',
    '\t',
    'v1',
    'payments',
    'stripe',
    'api.example',
    'evil.test',
    'https:',
    '?',
    '#',
    'a',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const moved = location(parts.join(''));
      if (moved === null) return;
      expect(moved).toMatch(/^\/payments(?:[/?#]|$)/);
      const asked = 'http://relay.test/payments/refunds/7';
      const { host, pathname } = new URL(moved, asked);
      expect(host).toBe('relay.test');
      expect(pathname).toMatch(/^\/payments(?:\/|$)/);
      // Nor does a client that takes an encoded dot, or a backslash, for what it stands for.
      const plain = moved.split(/[?#]/, 1)[0]!.replace(/%2e/gi, '.').replace(/\\/g, '/');
      expect(plain.split('/')).not.toContain('..');
    }),
    { numRuns: 2_000 },
  );
});
