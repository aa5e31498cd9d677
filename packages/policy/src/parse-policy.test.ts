import { AppError } from '@hoop/contract';
import { describe, expect, it } from 'vitest';

import { compilePolicy } from './compile-policy.ts';
import { parsePolicy } from './parse-policy.ts';

const allow = { name: 'read', effect: 'allow', match: { methods: ['GET'], paths: ['/v1/*'] } };
const errorsOf = (...rules: unknown[]): string[] => parsePolicy({ rules }).errors.map(({ path, message }) => `${path}: ${message}`);

describe('a policy that somebody sends', () => {
  it('is accepted with its defaults filled in', () => {
    const { rules, mask, errors } = parsePolicy({
      rules: [{ name: 'ask', effect: 'require_approval', approval: { reviewers: ['group:ops'] } }],
    });
    expect(errors).toEqual([]);
    expect(mask).toEqual([]);
    expect(rules[0]!.approval).toMatchObject({ quorum: 1, ttl: '30m', validity: ['once'] });
  });

  it.each([
    ['an unknown member', { ...allow, effects: 'deny' }, /^rules\[0\]: .*effects/],
    ['an unknown effect', { ...allow, effect: 'maybe' }, /^rules\[0\]\.effect: /],
    ['no name', { effect: 'allow' }, /^rules\[0\]\.name: /],
    [
      'a method in lower case',
      { ...allow, match: { methods: ['get'] } },
      /^rules\[0\]\.match\.methods\[0\]: must be an upper-case HTTP method/,
    ],
    ['no methods at all', { ...allow, match: { methods: [] } }, /^rules\[0\]\.match\.methods: /],
    ['a path without a slash', { ...allow, match: { paths: ['v1'] } }, /^rules\[0\]\.match\.paths\[0\]: /],
    [
      'a path pattern with an open group',
      { ...allow, match: { paths: ['/ok', '/{a'] } },
      /^rules\[0\]\.match\.paths\[1\]: has a group that is not closed/,
    ],
    ['a path that no request can have', { ...allow, match: { paths: ['/a/../b'] } }, /^rules\[0\]\.match\.paths\[0\]: can match nothing/],
    [
      'a condition that does not type-check',
      { ...allow, when: 'request.verb == "GET"' },
      /^rules\[0\]\.when: No such key: verb at character/,
    ],
    ['a condition that is over long', { ...allow, when: 'true || '.repeat(2000) }, /^rules\[0\]\.when: /],
    [
      'a requirement without keys',
      { name: 'c', effect: 'require_context', context: {} },
      /^rules\[0\]\.context: must name at least one key/,
    ],
    [
      'a requirement without context',
      { name: 'c', effect: 'require_context' },
      /^rules\[0\]\.context: is needed with the effect require_context/,
    ],
    [
      'a bad context pattern',
      { name: 'c', effect: 'require_context', context: { ticket: '(' } },
      /^rules\[0\]\.context\.ticket: is not a regular expression/,
    ],
    ['context on an allow', { ...allow, context: { a: 'b' } }, /^rules\[0\]\.context: belongs to require_context only/],
    [
      'an approval without settings',
      { name: 'a', effect: 'require_approval' },
      /^rules\[0\]\.approval: is needed with the effect require_approval/,
    ],
    [
      'approval settings on a deny',
      { name: 'a', effect: 'deny', approval: { reviewers: ['group:ops'] } },
      /^rules\[0\]\.approval: belongs to require_approval only/,
    ],
    ['an approval by nobody', { name: 'a', effect: 'require_approval', approval: { reviewers: [] } }, /^rules\[0\]\.approval\.reviewers: /],
    [
      'an escalation without a time',
      { name: 'a', effect: 'require_approval', approval: { reviewers: ['group:a'], escalateTo: ['group:b'] } },
      /escalateAfter: is needed/,
    ],
  ])('is refused with %s', (_what, rule, message) => {
    expect(errorsOf(rule)[0]).toMatch(message);
  });

  it('is told all that is wrong, each at its place', () => {
    expect(errorsOf({ ...allow, when: 'x' }, allow, { ...allow, match: { paths: ['/('] }, when: 'y == 1' })).toEqual([
      expect.stringMatching(/^rules\[0\]\.when: Unknown variable: x/),
      expect.stringMatching(/^rules\[2\]\.match\.paths\[0\]: /),
      expect.stringMatching(/^rules\[2\]\.when: Unknown variable: y/),
    ]);
  });

  it.each([null, 7, 'rules', [], {}, { rules: {} }, { rules: [null] }, { rules: [], more: 1 }])('is refused where it is %j', (input) => {
    expect(parsePolicy(input).errors.length).toBeGreaterThan(0);
  });

  it('may not refer to itself', () => {
    const rule: Record<string, unknown> = { ...allow };
    rule['match'] = rule;
    const rules: unknown[] = [rule];
    rules.push(rules);
    expect(parsePolicy({ rules }).errors).toEqual([{ path: '', message: 'is nested more than 12 deep' }]);
  });

  it.each([
    ['10 MB of rules', { rules: Array.from({ length: 100_000 }, (_, i) => ({ ...allow, name: `rule ${i} ${'x'.repeat(60)}` })) }],
    ['one condition of 10 MB', { rules: [{ ...allow, when: `true${' '.repeat(10_000_000)}` }] }],
    ['a million paths', { rules: [{ ...allow, match: { paths: Array.from({ length: 1_000_000 }, () => '/a') } }] }],
    [
      'a million unknown members',
      { rules: [{ ...allow, ...Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`m${i}`, 1])) }] },
    ],
    ['an unending list', { rules: [{ ...allow, match: { paths: Array(100_000_000) } }] }],
    ['nesting without end', JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
    ['1,001 rules', { rules: Array.from({ length: 1001 }, () => allow) }],
    [
      'more path patterns than a policy may have',
      {
        rules: Array.from({ length: 101 }, (_, i) => ({
          ...allow,
          match: { paths: Array.from({ length: 100 }, (_one, j) => `/a/${i}/${j}`) },
        })),
      },
    ],
    ['a thousand rules that are all wrong', { rules: Array.from({ length: 1000 }, () => ({ ...allow, when: 'nothing' })) }],
  ])('of unreasonable size is refused in bounded time and words: %s', (_what, input) => {
    const start = performance.now();
    const { errors } = parsePolicy(input);
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(50);
    expect(JSON.stringify(errors).length).toBeLessThan(50_000);
  });

  it('of a thousand rules with conditions is accepted', () => {
    const rules = Array.from({ length: 1000 }, (_, i) => ({
      ...allow,
      name: `r${i}`,
      match: { methods: ['GET'], paths: [`/v${i}/*`] },
      when: `request.params["0"] == "${i}"`,
    }));
    expect(errorsOf(...rules)).toEqual([]);
  });
});

describe('compiling', () => {
  it('throws policy_invalid with the place of every error', () => {
    try {
      compilePolicy({ id: 'p', revision: 1, rules: [{ name: 'a', effect: 'allow', when: 'nothing == 1' }] });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).code).toBe('policy_invalid');
      expect((error as AppError).extras['errors']).toEqual([
        { path: 'rules[0].when', message: expect.stringContaining('Unknown variable: nothing') },
      ]);
    }
  });

  it('does not trust that requirements are complete', () => {
    expect(() => compilePolicy({ id: 'p', revision: 1, rules: [{ name: 'a', effect: 'require_context' }] })).toThrow(/at least one key/);
    expect(() => compilePolicy({ id: 'p', revision: 1, rules: [{ name: 'a', effect: 'require_approval' }] })).toThrow(/is needed/);
  });
});
