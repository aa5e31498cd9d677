import type { Rule } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { WrittenNumber } from './body/written-number.ts';
import { compilePolicy } from './compile-policy.ts';
import { decide, needsBody } from './decide.ts';
import type { BodyState, Facts } from './facts.ts';
import { parsePolicy } from './parse-policy.ts';

interface FactsInput {
  readonly method?: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly bodyState?: BodyState;
  readonly context?: Record<string, string>;
  readonly headers?: Facts['request']['headers'];
}

const factsOf = ({ method = 'GET', path = '/v1/customers', body, bodyState, context = {}, headers = {} }: FactsInput): Facts => ({
  request: { method, path, query: {}, headers, body: body ?? null, bodyState: bodyState ?? (body === undefined ? 'absent' : 'parsed') },
  identity: {
    name: 'nightly-billing',
    issuer: 'https://issuer.example',
    subject: 'repo:acme/billing',
    claims: { ref: 'refs/heads/main' },
    labels: { team: 'billing' },
  },
  connection: { name: 'payments' },
  context,
  now: 1_764_000_000_000,
});

const approval = {
  reviewers: ['group:payments'],
  quorum: 1,
  ttl: '30m',
  validity: ['once' as const],
  fourEyes: false,
  requireComment: false,
};
const compile = (...rules: Rule[]): ReturnType<typeof compilePolicy> =>
  compilePolicy({ id: 'pol_01jd8m3v9k2t5x7y0a1b2c3d4e', revision: 3, rules });

const payments: Rule[] = [
  { name: 'read customers', effect: 'allow', match: { methods: ['GET'], paths: ['/v1/customers', '/v1/customers/:id'] } },
  {
    name: 'refunds name a ticket',
    effect: 'require_context',
    match: { methods: ['POST'], paths: ['/v1/refunds'] },
    context: { ticket: '^OPS-[0-9]+$' },
  },
  {
    name: 'large refunds need a person',
    effect: 'require_approval',
    match: { methods: ['POST'], paths: ['/v1/refunds'] },
    when: 'request.body.amount > 10000',
    approval,
  },
  { name: 'nobody deletes', effect: 'deny', match: { methods: ['DELETE'] }, reason: 'Customers are closed in the back office.' },
];
const policy = compile(...payments);
const refund = (amount: number, context?: Record<string, string>): Facts =>
  factsOf({ method: 'POST', path: '/v1/refunds', body: { amount }, ...(context === undefined ? {} : { context }) });

describe('a decision', () => {
  it('allows what an allow rule matches, and names rule and revision', () => {
    expect(decide(policy, factsOf({ path: '/v1/customers/42' }))).toEqual({
      effect: 'allow',
      rule: 'read customers',
      reason: 'The rule "read customers" allows this call.',
      policyId: 'pol_01jd8m3v9k2t5x7y0a1b2c3d4e',
      policyRevision: 3,
      matchedRules: ['read customers'],
      missingContext: [],
      approvals: [],
      allowedBy: '',
    });
  });

  it('denies what a deny rule matches, with its reason', () => {
    const verdict = decide(policy, factsOf({ method: 'DELETE', path: '/v1/customers/42' }));
    expect(verdict).toMatchObject({ effect: 'deny', rule: 'nobody deletes', reason: 'Customers are closed in the back office.' });
    expect(verdict.allowedBy).toContain('denies DELETE on every path');
  });

  it('denies what no rule matches, and says which rules are near', () => {
    expect(decide(policy, factsOf({ path: '/v1/charges' }))).toMatchObject({
      effect: 'deny',
      rule: null,
      reason: 'No rule of the policy allows this call.',
    });
    expect(decide(policy, factsOf({ path: '/v1/charges' })).allowedBy).toContain('GET on /v1/customers and /v1/customers/:id');
    expect(decide(policy, factsOf({ method: 'PUT' })).allowedBy).toContain('can allow GET (rule "read customers")');
  });

  it('denies without a policy and with an empty one', () => {
    expect(decide(null, factsOf({}))).toMatchObject({ effect: 'deny', rule: null, policyId: null, policyRevision: null });
    expect(decide(compile(), factsOf({}))).toMatchObject({
      effect: 'deny',
      rule: null,
      allowedBy: 'A rule that allows it; the policy has none that allows anything.',
    });
  });

  it('lets one deny win over everything', () => {
    const rules: Rule[] = [
      { name: 'all', effect: 'allow' },
      { name: 'ask', effect: 'require_approval', approval },
      { name: 'no', effect: 'deny', match: { paths: ['/v1/*'] } },
    ];
    expect(decide(compile(...rules), factsOf({}))).toMatchObject({ effect: 'deny', rule: 'no', matchedRules: ['all', 'ask', 'no'] });
  });

  it('needs the context that a rule names, with a value that matches in whole', () => {
    const verdict = decide(policy, refund(50));
    expect(verdict).toMatchObject({
      effect: 'require_context',
      rule: 'refunds name a ticket',
      missingContext: [{ key: 'ticket', pattern: '^OPS-[0-9]+$' }],
      allowedBy: 'The context ticket (the whole value must match ^OPS-[0-9]+$).',
    });
    expect(decide(policy, refund(50, { ticket: 'OPS-12' }))).toMatchObject({ effect: 'allow', rule: 'refunds name a ticket' });
    const unanchored = compile({ name: 'ticket', effect: 'require_context', context: { ticket: 'OPS-[0-9]+' } });
    for (const ticket of ['xOPS-12', 'OPS-12x', 'OPS-12\n', ''])
      expect(decide(unanchored, factsOf({ context: { ticket } })).effect, ticket).toBe('require_context');
    expect(decide(unanchored, factsOf({ context: { ticket: 'OPS-12' } })).effect).toBe('allow');
  });

  it('does not take inherited properties for context', () => {
    const rule = compile({ name: 'any', effect: 'require_context', context: { constructor: '(?s:.*)' } });
    expect(decide(rule, factsOf({})).effect).toBe('require_context');
  });

  it('adds requirements up: the context of every rule, and then the approval', () => {
    expect(decide(policy, refund(50_000))).toMatchObject({
      effect: 'require_context',
      approvals: [{ rule: 'large refunds need a person' }],
    });
    expect(decide(policy, refund(50_000)).allowedBy).toContain(
      ', and then an approval by group:payments (rule "large refunds need a person")',
    );
    expect(decide(policy, refund(50_000, { ticket: 'OPS-1' }))).toMatchObject({
      effect: 'require_approval',
      rule: 'large refunds need a person',
      approvals: [{ rule: 'large refunds need a person', approval }],
      allowedBy: 'An approval by group:payments (rule "large refunds need a person").',
    });
    const both = compile(
      { name: 'a', effect: 'require_context', context: { ticket: '.+', reason: '.+' } },
      { name: 'b', effect: 'require_context', context: { reason: 'x+' } },
    );
    expect(decide(both, factsOf({ context: { ticket: '1' } })).missingContext).toEqual([
      { key: 'reason', pattern: '.+' },
      { key: 'reason', pattern: 'x+' },
    ]);
    expect(decide(both, factsOf({ context: { ticket: '1', reason: 'y' } })).effect).toBe('require_context');
    expect(decide(both, factsOf({ context: { ticket: '1', reason: 'xx' } })).effect).toBe('allow');
  });

  it('does not let an allow rule stand in for a requirement', () => {
    const rules = [...payments, { name: 'all', effect: 'allow' } as const];
    expect(decide(compile(...rules), refund(50)).effect).toBe('require_context');
    expect(decide(compile(...rules), refund(50_000, { ticket: 'OPS-1' })).effect).toBe('require_approval');
  });

  it('gives conditions the parameters of the first pattern that matches', () => {
    const rule = compile({
      name: 'own',
      effect: 'allow',
      match: { paths: ['/a/:id/x', '/:kind/:id/*'] },
      when: 'request.params.id == "7" && !has(request.params.kind)',
    });
    expect(decide(rule, factsOf({ path: '/a/7/x' })).effect).toBe('allow');
    expect(decide(rule, factsOf({ path: '/b/7/x' })).effect).toBe('deny');
  });

  it('counts a rule once, however many of its patterns match', () => {
    const ask: Rule = {
      name: 'ask',
      effect: 'require_approval',
      match: { paths: ['/v1/customers/:id', '/v1/customers/*', '/v1/:kind/:id', '/v1/customers/42'] },
      approval,
    };
    const others = Array.from({ length: 30 }, (_, i): Rule => ({ name: `o${i}`, effect: 'allow', match: { paths: [`/o/${i}`] } }));
    for (const rules of [[ask], [ask, ...others]]) {
      const verdict = decide(compile(...rules), factsOf({ path: '/v1/customers/42' }));
      expect(verdict.matchedRules).toEqual(['ask']);
      expect(verdict.approvals).toHaveLength(1);
    }
  });

  it('refuses a method that is not in upper case, whatever allows it', () => {
    const rules = compile({ name: 'all', effect: 'allow' }, { name: 'no', effect: 'deny', match: { methods: ['DELETE'] } });
    expect(decide(rules, factsOf({ method: 'delete' })).effect).toBe('deny');
    expect(decide(rules, factsOf({ method: 'M-SEARCH' })).effect).toBe('allow');
  });
});

describe('an error in a condition', () => {
  const all: Rule = { name: 'all', effect: 'allow' };
  const broken = (effect: 'deny' | 'allow'): Rule => ({ name: 'broken', effect, when: 'request.body.amount > 1' });

  it('of a deny rule denies', () => {
    const verdict = decide(compile(all, broken('deny')), factsOf({}));
    expect(verdict).toMatchObject({
      effect: 'deny',
      rule: 'broken',
      error: 'condition_failed',
      reason: expect.stringContaining('`request.body.amount` does not exist'),
    });
    expect(verdict.allowedBy).toContain('can be evaluated');
  });

  it('of a requirement denies, although another rule allows', () => {
    const ask: Rule = { name: 'ask', effect: 'require_approval', when: 'request.body.amount > 1', approval };
    const ticket: Rule = { name: 'ticket', effect: 'require_context', when: 'request.body.amount > 1', context: { ticket: '.*' } };
    for (const rule of [ask, ticket])
      expect(decide(compile(all, rule), factsOf({ context: { ticket: '1' } }))).toMatchObject({
        effect: 'deny',
        rule: rule.name,
        error: 'condition_failed',
      });
  });

  it('of an allow rule allows nothing, and hinders no other', () => {
    expect(decide(compile(broken('allow')), factsOf({}))).toMatchObject({ effect: 'deny', rule: 'broken', error: 'condition_failed' });
    expect(decide(compile(broken('allow'), all), factsOf({}))).toMatchObject({ effect: 'allow', rule: 'all' });
    expect(decide(compile(broken('allow'), all), factsOf({}))).not.toHaveProperty('error');
  });

  it.each([
    ['too_large', 'body_too_large'],
    ['unsupported', 'body_not_inspectable'],
    ['malformed', 'body_malformed'],
    ['ambiguous', 'body_ambiguous'],
    ['too_complex', 'body_too_complex'],
    ['unread', 'condition_failed'],
  ] as const)('over a body that is %s is %s', (bodyState, error) => {
    const facts = factsOf({ method: 'POST', path: '/v1/refunds', bodyState, context: { ticket: 'OPS-1' } });
    expect(decide(policy, facts)).toMatchObject({ effect: 'deny', rule: 'large refunds need a person', error });
    expect(decide(policy, facts).allowedBy).toContain('JSON or a form');
    expect(decide(compile(broken('allow')), facts)).toMatchObject({ effect: 'deny', error });
  });

  it('over a number with more digits than servers agree on is body_number_inexact', () => {
    const body = { amount: new WrittenNumber('10000.0000000000001') };
    const facts = factsOf({ method: 'POST', path: '/v1/refunds', body, context: { ticket: 'OPS-1' } });
    expect(decide(policy, facts)).toMatchObject({
      effect: 'deny',
      rule: 'large refunds need a person',
      error: 'body_number_inexact',
      allowedBy: expect.stringContaining('at most 15 digits'),
    });
  });
});

describe('a body', () => {
  it('is needed only where a rule that could apply reads it', () => {
    expect(needsBody(policy, 'POST', '/v1/refunds')).toBe(true);
    expect(needsBody(policy, 'PUT', '/v1/refunds')).toBe(false);
    expect(needsBody(policy, 'POST', '/v1/customers')).toBe(false);
    expect(needsBody(compile({ name: 'x', effect: 'allow', when: 'has(request.body)' }), 'GET', '/')).toBe(true);
    expect(needsBody(compile({ name: 'x', effect: 'allow', when: '[1].exists(i, request.body.a == i)' }), 'GET', '/')).toBe(true);
    expect(needsBody(compile({ name: 'x', effect: 'allow', when: 'request.path == "/request.body"' }), 'GET', '/')).toBe(false);
  });
});

describe('the order of rules', () => {
  const paths = ['/a', '/a/:id', '/*', '/a{/b}?', '/(a|b)', '/a/b'];
  const conditions = [
    'request.body.n > 1',
    'request.body.missing == 1',
    'context.k == "v"',
    'request.method == "GET"',
    'has(request.body.n)',
  ];
  const rule = fc.record({
    name: fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5'),
    effect: fc.constantFrom('allow', 'deny', 'require_context', 'require_approval'),
    methods: fc.option(fc.subarray(['GET', 'POST', 'DELETE'], { minLength: 1 })),
    paths: fc.option(fc.subarray(paths, { minLength: 1 })),
    when: fc.option(fc.constantFrom(...conditions)),
    reason: fc.option(fc.constantFrom('because', 'so it is')),
  });
  const rules = fc.array(rule, { maxLength: 20 }).map((list) =>
    list.map((one): Rule => ({
      name: one.name,
      effect: one.effect,
      ...(one.methods === null && one.paths === null
        ? {}
        : { match: { ...(one.methods === null ? {} : { methods: one.methods }), ...(one.paths === null ? {} : { paths: one.paths }) } }),
      ...(one.when === null ? {} : { when: one.when }),
      ...(one.reason === null ? {} : { reason: one.reason }),
      ...(one.effect === 'require_context' ? { context: { k: 'v+' } } : {}),
      ...(one.effect === 'require_approval' ? { approval } : {}),
    })),
  );
  const facts = fc
    .record({
      method: fc.constantFrom('GET', 'POST', 'DELETE', 'PUT'),
      path: fc.constantFrom('/a', '/a/b', '/b', '/c/d', '/'),
      body: fc.constantFrom(undefined, { n: 1 }, { n: 2 }),
      bodyState: fc.constantFrom(undefined, 'too_large' as const),
      context: fc.constantFrom({}, { k: 'v' }),
    })
    .map(({ bodyState, ...one }) => factsOf(bodyState === undefined ? one : { ...one, bodyState }));

  it('means nothing', () => {
    const effects = new Set<string>();
    fc.assert(
      fc.property(
        rules.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        facts,
        ([list, shuffled], one) => {
          const verdict = decide(compile(...list), one);
          expect(decide(compile(...shuffled), one)).toEqual(verdict);
          effects.add(`${verdict.effect} ${verdict.error ?? ''}`);
        },
      ),
      { numRuns: 1500 },
    );
    expect([...effects].sort()).toEqual([
      'allow ',
      'deny ',
      'deny body_too_large',
      'deny condition_failed',
      'require_approval ',
      'require_context ',
    ]);
  });

  it('and the index finds exactly what trying every rule alone finds', () => {
    fc.assert(
      fc.property(rules, facts, (list, one) => {
        // alone, a rule matches where the verdict names it as matched
        const alone = list.flatMap((each) => decide(compile(each), one).matchedRules).sort();
        const filler = Array.from({ length: 20 }, (_, i): Rule => ({
          name: `z${i}`,
          effect: 'allow',
          match: { methods: ['PATCH'], paths: [`/filler/${i}/:id`] },
        }));
        const names = [...new Set(alone)];
        expect([...new Set(decide(compile(...list, ...filler), one).matchedRules)]).toEqual(names);
        expect([...new Set(decide(compile(...list), one).matchedRules)]).toEqual(names);
      }),
      { numRuns: 1000 },
    );
  });

  it('never allows where a requirement is unmet, a deny matches, or nothing matches', () => {
    fc.assert(
      fc.property(rules, facts, (list, one) => {
        if (decide(compile(...list), one).effect !== 'allow') return;
        const each = list.map((rule) => ({ rule, verdict: decide(compile(rule), one) }));
        expect(each.some(({ verdict }) => verdict.effect === 'allow')).toBe(true);
        for (const { rule, verdict } of each) {
          if (rule.effect === 'deny') expect(verdict.rule).toBeNull();
          if (rule.effect.startsWith('require')) expect(verdict.effect === 'allow' || verdict.rule === null).toBe(true);
        }
      }),
      { numRuns: 1500 },
    );
  });
});

describe('a thousand rules', () => {
  it('are decided about by looking at few of them', () => {
    const rules = Array.from({ length: 1000 }, (_, i): Rule => ({
      name: `r${i}`,
      effect: 'allow',
      match: { methods: ['GET'], paths: [`/v1/resource-${i}/:id`, `/v1/resource-${i}`] },
    }));
    const { rules: parsed, errors } = parsePolicy({ rules });
    expect(errors).toEqual([]);
    const many = compilePolicy({ id: 'p', revision: 1, rules: parsed });
    expect(decide(many, factsOf({ path: '/v1/resource-999/7' })).rule).toBe('r999');
    expect(decide(many, factsOf({ path: '/v1/resource-1000/7' })).effect).toBe('deny');
    // Against ten rules on the same machine in the same moments; looking at all would take a hundred times as long.
    const few = compilePolicy({ id: 'p', revision: 1, rules: parsed.slice(495, 505) });
    const facts = factsOf({ path: '/v1/resource-500/7' });
    const spent = (policy: typeof many): number => {
      const start = performance.now();
      for (let i = 0; i < 1000; i++) decide(policy, facts);
      return performance.now() - start;
    };
    const rounds = Array.from({ length: 15 }, () => [spent(many), spent(few)] as const);
    const best = (at: 0 | 1): number => Math.min(...rounds.map((one) => one[at]));
    expect(best(0)).toBeLessThan(20 * best(1));
  });
});

describe('masking of rules', () => {
  const mask = (key: string): Pick<Rule, 'mask'> => ({ mask: [{ key, action: 'redact' }] });
  const customers: Rule = { name: 'customers', effect: 'allow', match: { paths: ['/v1/customers'] }, ...mask('email') };
  const names = (policy: ReturnType<typeof compile>, facts = factsOf({})): string[] =>
    (decide(policy, facts).maskedBy ?? []).map((rule) => rule.name);

  it('is that of every rule the call falls under, whatever their order', () => {
    const reads: Rule = { name: 'reads', effect: 'allow', match: { methods: ['GET'] }, ...mask('phone') };
    const ticket: Rule = { name: 'a ticket', effect: 'require_context', context: { ticket: '.+' }, ...mask('iban') };
    const writes: Rule = { name: 'writes', effect: 'allow', match: { methods: ['POST'] }, ...mask('card') };
    const facts = factsOf({ context: { ticket: 'OPS-1' } });
    expect(names(compile(customers, reads, ticket, writes), facts)).toEqual(['a ticket', 'customers', 'reads']);
    expect(names(compile(writes, ticket, reads, customers), facts)).toEqual(['a ticket', 'customers', 'reads']);
  });

  it('is there for a call that needs an approval', () => {
    const person: Rule = { name: 'a person', effect: 'require_approval', approval, ...mask('iban') };
    expect(decide(compile(customers, person), factsOf({}))).toMatchObject({
      effect: 'require_approval',
      maskedBy: [{ name: 'a person' }, { name: 'customers' }],
    });
  });

  it('holds also where the condition of its rule fails, which may have been meant for the call', () => {
    const team: Rule = { name: 'team', effect: 'allow', when: 'request.headers["x-team"] == "a"', ...mask('salary') };
    expect(decide(compile(customers, team), factsOf({}))).toMatchObject({
      effect: 'allow',
      maskedBy: [{ name: 'customers' }, { name: 'team' }],
    });
    expect(names(compile(customers, team), factsOf({ headers: { 'x-team': 'b' } }))).toEqual(['customers']);
  });

  it('costs a policy without it nothing: the verdict has no such member', () => {
    expect(decide(compile({ name: 'all', effect: 'allow' }), factsOf({}))).not.toHaveProperty('maskedBy');
  });

  it('is refused where it is malformed, or on a deny, which has no response', () => {
    const { errors } = parsePolicy({
      rules: [
        { name: 'a', effect: 'allow' },
        { name: 'b', effect: 'allow', mask: [{ key: '' }] },
        { name: 'c', effect: 'deny', mask: [{ key: 'x' }] },
      ],
    });
    expect(errors.map((error) => error.path)).toEqual(['rules[1].mask[0].key', 'rules[2].mask']);
  });
});
