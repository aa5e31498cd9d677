import { pathSettingsSchema } from '@hoop/contract';
import type { Rule } from '@hoop/contract';
import { describe, expect, it } from 'vitest';

import { lintPolicy } from './lint-policy.ts';

const approval = { reviewers: ['group:ops'], quorum: 1, ttl: '30m', validity: ['once' as const], fourEyes: false, requireComment: false };
const read: Rule = { name: 'read', effect: 'allow', match: { methods: ['GET'], paths: ['/v1/customers/:id'] } };
const codes = (...rules: Rule[]): string[] => lintPolicy(rules).map((finding) => `${finding.code} ${finding.path}`);

describe('lint', () => {
  it('finds nothing in a policy that says what it allows', () => {
    expect(
      lintPolicy([
        read,
        {
          name: 'refund',
          effect: 'require_approval',
          match: { methods: ['POST'], paths: ['/v1/refunds'] },
          when: 'request.body.amount > 1',
          approval,
        },
        { name: 'no deletion', effect: 'deny', match: { methods: ['DELETE'] } },
      ]),
    ).toEqual([]);
  });

  it('tells of a policy without rules, and of one that allows nothing', () => {
    expect(codes()).toEqual(['empty_policy rules']);
    expect(codes({ name: 'no', effect: 'deny' })).toEqual(['nothing_allowed rules']);
  });

  it('tells of a rule that allows everything', () => {
    expect(codes({ name: 'all', effect: 'allow' })).toContain('allow_all rules[0]');
    expect(codes({ name: 'all', effect: 'allow', match: { paths: ['/*'] }, when: 'true' })).toContain('allow_all rules[0]');
    expect(codes({ name: 'some', effect: 'allow', when: 'identity.name == "x"' })).not.toContain('allow_all rules[0]');
    expect(codes({ name: 'some', effect: 'allow', match: { paths: ['/:one'] } })).not.toContain('allow_all rules[0]');
  });

  it('tells of a rule that a deny covers', () => {
    const deny: Rule = { name: 'closed', effect: 'deny', match: { paths: ['/v1/*'] } };
    expect(lintPolicy([read, deny])[0]).toEqual({
      code: 'unreachable_rule',
      severity: 'warning',
      rules: ['read', 'closed'],
      path: 'rules[0]',
      message: 'The rule "read" decides nothing: the rule "closed" denies every call that it matches.',
    });
    expect(codes(read, { ...deny, match: { methods: ['POST'], paths: ['/v1/*'] } })).toEqual([]);
    expect(codes(read, { ...deny, when: 'identity.name == "x"' })).toEqual([]);
    expect(codes({ ...read, when: 'identity.name == "x"' }, { ...deny, when: 'identity.name == "x"' })).toEqual([
      'unreachable_rule rules[0]',
    ]);
    expect(codes(read, { ...deny, match: { paths: ['/v1/customers/:id/notes'] } })).toEqual([]);
  });

  it('does not take the same condition on other parameters for the same', () => {
    const when = 'request.params["0"] == "x"';
    const rules: Rule[] = [
      { ...read, match: { methods: ['GET'], paths: ['/a/b/*'] }, when },
      { name: 'closed', effect: 'deny', match: { paths: ['/a/*'] }, when },
    ];
    expect(codes(...rules)).toEqual([]);
  });

  it('tells of a rule that adds nothing, once', () => {
    const wide: Rule = { name: 'wide', effect: 'allow', match: { methods: ['GET'], paths: ['/v1/*'] } };
    expect(codes(read, wide)).toEqual(['redundant_rule rules[0]']);
    expect(codes(wide, { ...wide, name: 'again' })).toEqual(['redundant_rule rules[1]']);
  });

  it('tells of writes and deletions that need no approval', () => {
    const write: Rule = { name: 'write', effect: 'allow', match: { methods: ['GET', 'POST'], paths: ['/v1/notes'] } };
    expect(lintPolicy([write])[0]).toMatchObject({
      code: 'write_without_approval',
      severity: 'notice',
      message: expect.stringContaining('allows POST without an approval'),
    });
    expect(lintPolicy([{ ...write, match: { methods: ['DELETE'], paths: ['/v1/notes'] } }])[0]).toMatchObject({ severity: 'warning' });
    expect(codes(write, { name: 'ask', effect: 'require_approval', match: { methods: ['POST'] }, approval })).toEqual([]);
    expect(
      codes(
        { name: 'all', effect: 'allow', match: { paths: ['/v1/notes'] } },
        { name: 'no', effect: 'deny', match: { methods: ['POST', 'PUT', 'PATCH', 'DELETE'] } },
      ),
    ).toEqual([]);
    expect(lintPolicy([{ ...read, match: { methods: ['MOVE'], paths: ['/a'] } }], { writeMethods: ['MOVE'] })[0]?.code).toBe(
      'write_without_approval',
    );
  });

  it('tells of names that are used twice', () => {
    expect(codes(read, { ...read, match: { methods: ['GET'], paths: ['/other'] } })).toEqual(['duplicate_name rules[0]']);
  });

  it('tells of rules that can match nothing', () => {
    expect(codes(read, { ...read, name: 'never', match: { methods: ['GET'], paths: ['/b'] }, when: 'false' })).toEqual([
      'matches_nothing rules[1]',
    ]);
    expect(codes(read, { name: 'trace', effect: 'allow', match: { methods: ['TRACE'], paths: ['/b'] } })).toEqual([
      'matches_nothing rules[1]',
    ]);
  });

  it('tells of conditions on the body of methods that have none', () => {
    const rule: Rule = {
      name: 'small',
      effect: 'allow',
      match: { paths: ['/v1/refunds'], methods: ['GET', 'POST'] },
      when: 'request.body.amount < 5',
    };
    const found = lintPolicy([rule]).find((finding) => finding.code === 'body_of_bodyless_method');
    expect(found?.message).toContain('also matches GET');
    expect(codes({ ...rule, when: '!has(request.body) || request.body.amount < 5' })).not.toContain('body_of_bodyless_method rules[0]');
  });

  it('tells of conditions that look at one of several values of a query key', () => {
    expect(codes({ ...read, when: 'request.query.limit[0] == "10"' })).toEqual(['first_query_value rules[0]']);
    expect(codes({ ...read, when: 'request.query["limit"][0] == "10"' })).toEqual(['first_query_value rules[0]']);
    expect(codes({ ...read, when: 'request.query.limit == ["10"]' })).toEqual([]);
  });

  it('tells of an allow that covers another spelling of a path that is restricted', () => {
    const denied: Rule = { name: 'not these', effect: 'deny', match: { paths: ['/v1/secrets'] } };
    const asked: Rule = { ...denied, effect: 'require_approval', approval };
    for (const paths of [undefined, ['/v1/*'], ['/v1/:kind'], ['/v1/Secrets'], ['/v1/secrets/'], ['/v1/secrets.json']]) {
      const allowed: Rule = { name: 'reads', effect: 'allow', match: { methods: ['GET'], ...(paths ? { paths } : {}) } };
      for (const restricting of [denied, asked]) {
        const found = lintPolicy([allowed, restricting]).find(({ code }) => code === 'restricted_spelling');
        expect(found, paths?.join()).toMatchObject({ severity: 'notice', rules: ['not these', 'reads'], path: 'rules[1]' });
      }
    }
    const posts: Rule = { name: 'posts', effect: 'allow', match: { methods: ['POST'], paths: ['/v1/*'] } };
    expect(codes(posts, { ...denied, match: { methods: ['GET'], paths: ['/v1/secrets'] } })).not.toContain('restricted_spelling rules[1]');
    expect(codes(read, denied)).toEqual([]);
  });

  it('warns where the connection says that the target tells that spelling apart', () => {
    const rules: Rule[] = [
      { name: 'reads', effect: 'allow', match: { methods: ['GET'], paths: ['/v1/*'] } },
      { name: 'not these', effect: 'deny', match: { methods: ['GET'], paths: ['/v1/secrets'] } },
    ];
    const [found] = lintPolicy(rules, { paths: pathSettingsSchema.parse({ trailingSlash: 'significant' }) });
    expect(found).toMatchObject({
      code: 'restricted_spelling',
      severity: 'warning',
      message: expect.stringContaining('covers /v1/secrets/'),
    });
  });

  it('takes a rule that restricts for as wide as the decision does', () => {
    const deny: Rule = { name: 'closed', effect: 'deny', match: { methods: ['GET'], paths: ['/V1/:kind/'] } };
    const allowed: Rule = { name: 'one', effect: 'allow', match: { methods: ['GET'], paths: ['/v1/Customers'] } };
    expect(codes(allowed, deny)).toEqual(['unreachable_rule rules[0]']);
    const ask: Rule = { name: 'ask', effect: 'require_approval', match: { paths: ['/v1/Notes/'] }, approval };
    expect(codes({ name: 'write', effect: 'allow', match: { methods: ['POST'], paths: ['/v1/notes'] } }, ask)).toEqual([
      'restricted_spelling rules[1]',
    ]);
  });

  it('tells of a condition of a rule that restricts on the path as it was spelled', () => {
    const rule: Rule = { name: 'no', effect: 'deny', match: { methods: ['GET'] }, when: 'request.path.startsWith("/v1/admin")' };
    expect(codes(read, rule)).toEqual(['path_in_condition rules[1]']);
    expect(codes({ ...read, when: 'request.path == "/a"' })).toEqual([]);
  });

  it('tells of paths with an encoded slash that the connection refuses', () => {
    const rule: Rule = { ...read, match: { methods: ['GET'], paths: ['/repos/acme%2Fapi'] } };
    const found = (encodedSlash: 'refused' | 'data') => lintPolicy([rule], { paths: pathSettingsSchema.parse({ encodedSlash }) });
    expect(found('refused')).toMatchObject([{ code: 'matches_nothing', message: expect.stringContaining('paths.encodedSlash') }]);
    expect(found('data')).toEqual([]);
  });

  it('looks at a thousand rules in bounded time', () => {
    const rules = Array.from({ length: 1000 }, (_, i): Rule => ({
      name: `r${i}`,
      effect: i % 3 === 0 ? 'deny' : 'allow',
      match: { methods: ['GET', 'POST'], paths: [`/v1/:a/x${i}`, `/v1/:a/y${i}/*`] },
    }));
    const start = performance.now();
    lintPolicy(rules);
    expect(performance.now() - start).toBeLessThan(60_000);
    const paths = Array.from({ length: 100 }, (_, i) => `/v1/:a/x${i}`);
    expect(
      codes(...Array.from({ length: 50 }, (_, i): Rule => ({ name: `r${i}`, effect: 'allow', match: { methods: ['GET'], paths } }))),
    ).toEqual(['not_compared rules']);
  });
});
