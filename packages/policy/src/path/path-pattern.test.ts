import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compilePathPattern } from './path-matcher.ts';
import { PathPatternError } from './path-pattern.ts';

/** The platform's own implementation is the reference. */
const reference = (pattern: string, path: string): Record<string, string | undefined> | null => {
  const result = new URLPattern({ pathname: pattern }).exec({ pathname: path });
  return result === null ? null : result.pathname.groups;
};

const defined = (groups: Readonly<Record<string, string | undefined>> | null): Record<string, string> | null =>
  groups === null
    ? null
    : (Object.fromEntries(Object.entries(groups).filter(([, value]) => value !== undefined)) as Record<string, string>);

const segment = fc.stringMatching(/^[abv1.~_-]{1,3}$/).filter((text) => !/^\.{1,2}$/.test(text));
const piece = fc.oneof(
  segment.map((text) => `/${text}`),
  fc.constantFrom('a', 'b', '.a', '/', '//', '\\:', '\\*', 'é'),
  fc.constantFrom('/:N', ':N', '/:N?', '/:N*', '/:N+', ':N?', '{:N}', '{a:N}', '{/:N.b}', '{:N/}?', '{/a:Nb}*', '{a:N-}+'),
  fc.constantFrom('/*', '*', '{*}', '/*?', '{/a}?', '{/a}*', '{b}+', '{/x*y}'),
  fc.constantFrom('/(a|b)', '(\\d+)', '/:N(\\d+)', '/:N([a-z]+)?', '/(?:a|b)+', '{/(\\d)x}*', '/:N(a.*b)', '([^\\/]+?)', '(.*)'),
);
const pattern = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => {
  let names = 0;
  return `/${pieces.join('').replace(/^\//, '')}`.replaceAll('N', () => `n${names++}`);
});
const path = fc
  .array(fc.oneof(segment, fc.constantFrom('', 'a', 'b', 'a1b', '42', 'ab', 'xay', ':', '*', 'x', '%C3%A9')), { maxLength: 6 })
  .map((segments) => `/${segments.join('/')}`);

describe('path patterns', () => {
  it('match what the platform’s URLPattern matches, with the same parameters', () => {
    let matches = 0;
    fc.assert(
      fc.property(pattern, path, (one, text) => {
        let expected: ReturnType<typeof reference>;
        try {
          expected = reference(one, text);
        } catch {
          expect(() => compilePathPattern(one)).toThrow(PathPatternError);
          return;
        }
        let matcher: ReturnType<typeof compilePathPattern>;
        try {
          matcher = compilePathPattern(one);
        } catch (error) {
          // narrower than the platform on purpose: the relay refuses such paths
          expect((error as Error).message).toContain('can match nothing');
          return;
        }
        const found = matcher.match(text);
        expect(found === null ? null : { ...found }).toEqual(defined(expected));
        expect(matcher.test(text)).toBe(found !== null);
        if (found !== null) matches++;
      }),
      { numRuns: 4000 },
    );
    expect(matches).toBeGreaterThan(100);
  });

  it.each([
    ['/v1/customers', '/v1/customers', {}],
    ['/v1/customers/:id', '/v1/customers/42', { id: '42' }],
    ['/v1/customers/:id', '/v1/customers/', null],
    ['/v1/customers/:id', '/v1/customers/42/notes', null],
    ['/files/*', '/files/a/b', { 0: 'a/b' }],
    ['/files/*', '/files', null],
    ['/:kind/:id.json', '/a/7.json', { kind: 'a', id: '7' }],
    ['/v1{/beta}?/x', '/v1/beta/x', {}],
    ['/orders/:id(\\d+)', '/orders/12', { id: '12' }],
    ['/orders/:id(\\d+)', '/orders/x', null],
  ])('%s on %s gives %j', (one, text, expected) => {
    const found = compilePathPattern(one).match(text);
    expect(found === null ? null : { ...found }).toEqual(expected);
  });

  it('encode what is written out of ASCII as it stands in a path', () => {
    expect(compilePathPattern('/caf\u00e9/:id').match('/caf%C3%A9/1')).not.toBeNull();
  });

  it('undo what a client need not have encoded, as the relay does', () => {
    expect(compilePathPattern('/%7euser/%c3%a9').match('/~user/%C3%A9')).not.toBeNull();
  });

  it('take an encoded slash for data of a segment', () => {
    expect(compilePathPattern('/repos/acme%2fapi').match('/repos/acme%2Fapi')).not.toBeNull();
    expect(compilePathPattern('/repos/acme%2Fapi').match('/repos/acme/api')).toBeNull();
    expect(compilePathPattern('/repos/:name').match('/repos/acme%2Fapi')).toMatchObject({ name: 'acme%2Fapi' });
  });

  it('let no line break end a wildcard', () => {
    expect(compilePathPattern('{/x}?/*').match('/a\nb')).not.toBeNull();
    expect(compilePathPattern('/*').match('/a\nb')).not.toBeNull();
  });

  it.each(['/a/../b', '/./a', '/a%2e', '/a\\\\b', '/a%00', '/a;b', '/a//b', '/a%252e', '/100%', '/a%0a'])(
    'refuse %s, which no accepted path can match',
    (one) => {
      expect(() => compilePathPattern(one)).toThrow(/can match nothing/);
    },
  );

  it.each([
    ['/:', /no name follows/],
    ['/(', /not closed/],
    ['/()', /empty/],
    ['/(a(b))', /capturing group/],
    ['/(?:a)', /starts with/],
    ['/:a/:a', /twice/],
    ['/a}', /modifies nothing/],
    ['/{a', /not closed/],
    ['/a\\', /lone backslash/],
    ['/(a(?=b))', /RE2/],
    ['/((?:a{900}){2}b{900}c{900})', /too large|RE2/],
  ])('refuse %s with a sentence', (one, message) => {
    expect(() => compilePathPattern(one)).toThrow(message);
  });

  it('match a hostile path in linear time', () => {
    const matcher = compilePathPattern('/((?:a|aa)+)b');
    // A backtracking matcher would not end.
    expect(matcher.match(`/${'a'.repeat(8000)}`)).toBeNull();
  });
});
