import type { Rule } from '@hoop/contract';
import { describe, expect, it } from 'vitest';

import { backtest, markMasked, maskedValue } from './backtest.ts';
import type { RecordedCall } from './backtest.ts';
import { compilePolicy } from './compile-policy.ts';

const approval = { reviewers: ['group:ops'], quorum: 1, ttl: '30m', validity: ['once' as const], fourEyes: false, requireComment: false };

const call = (
  effect: RecordedCall['effect'],
  method: string,
  path: string,
  body?: unknown,
  context: Record<string, unknown> = {},
): RecordedCall => ({
  callId: `call ${method} ${path}`,
  effect,
  facts: {
    request: { method, path, query: {}, headers: {}, body: body ?? null, bodyState: body === undefined ? 'absent' : 'parsed' },
    identity: { name: 'n', issuer: 'i', subject: 's', claims: {}, labels: {} },
    connection: { name: 'c' },
    context: context as Record<string, string>,
    now: 0,
  },
});

const outcome = (rules: Rule[], one: RecordedCall): string => {
  const { changes, unchanged } = backtest(compilePolicy({ id: 'p', revision: 1, rules }), [one]);
  const [kind] = Object.entries(changes).filter(([, change]) => change.count > 0);
  return kind === undefined ? `unchanged ${unchanged}` : `${kind[0]} ${kind[1].examples[0]!.after.join('|')}`;
};

const read: Rule = { name: 'read', effect: 'allow', match: { methods: ['GET'] } };
const large: Rule = {
  name: 'large',
  effect: 'require_approval',
  match: { methods: ['POST'] },
  when: 'request.body.amount > 100',
  approval,
};
const small: Rule = { name: 'small', effect: 'allow', match: { methods: ['POST'] }, when: 'request.body.amount <= 100' };

describe('what is not on record at all', () => {
  const unknown = maskedValue as never;
  const base = call('allow', 'GET', '/a');
  const { request, identity } = base.facts;
  const cases: [string, string, RecordedCall['facts']][] = [
    ['headers', 'request.headers["x-team"] == "a"', { ...base.facts, request: { ...request, headers: unknown } }],
    ['the presence of a header', '"x-team" in request.headers', { ...base.facts, request: { ...request, headers: unknown } }],
    ['the query', 'request.query.a[0] == "b"', { ...base.facts, request: { ...request, query: unknown } }],
    ['claims', 'has(identity.claims.ref)', { ...base.facts, identity: { ...identity, claims: unknown } }],
    ['labels', 'identity.labels.team == "a"', { ...base.facts, identity: { ...identity, labels: unknown } }],
    ['context', 'context.ticket == "OPS-1"', { ...base.facts, context: unknown }],
  ];
  it.each(cases)('%s: cannot be told', (_name, when, facts) => {
    expect(outcome([{ ...read, when }], { ...base, facts })).toBe('unknown allow|deny');
  });

  it('context that a rule requires: cannot be told', () => {
    const ticket: Rule = { name: 'ticket', effect: 'require_context', match: { methods: ['GET'] }, context: { ticket: '.+' } };
    expect(outcome([ticket], { ...base, facts: { ...base.facts, context: unknown } })).toBe('unknown allow|require_context');
  });
});

describe('a backtest', () => {
  it('counts what changes, with examples', () => {
    const policy = compilePolicy({
      id: 'p',
      revision: 1,
      rules: [read, large, small, { name: 'ticket', effect: 'require_context', match: { methods: ['PUT'] }, context: { ticket: '.+' } }],
    });
    const result = backtest(
      policy,
      [
        call('allow', 'GET', '/a'),
        call('deny', 'GET', '/b'),
        call('allow', 'DELETE', '/c'),
        call('allow', 'DELETE', '/d'),
        call('allow', 'POST', '/e', { amount: 500 }),
        call('allow', 'POST', '/f', { amount: 5 }),
        call('allow', 'PUT', '/g'),
        call('allow', 'POST', '/h', { amount: maskedValue }),
        call('require_approval', 'POST', '/i', { amount: 500 }),
      ],
      { maxExamples: 1 },
    );
    expect(result).toMatchObject({ total: 9, unchanged: 3 });
    expect(Object.fromEntries(Object.entries(result.changes).map(([kind, { count }]) => [kind, count]))).toEqual({
      newlyDenied: 2,
      newlyAllowed: 1,
      newlyNeedingApproval: 1,
      newlyNeedingContext: 1,
      unknown: 1,
    });
    expect(result.changes.newlyDenied.examples).toEqual([
      {
        callId: 'call DELETE /c',
        method: 'DELETE',
        path: '/c',
        before: 'allow',
        after: ['deny'],
        rule: null,
        reason: 'No rule of the policy allows this call.',
      },
    ]);
    expect(result.changes.unknown.examples[0]).toMatchObject({
      after: ['allow', 'deny', 'require_approval'],
      reason: expect.stringMatching(
        /depends on the rule "(?:large|small)", and `request.body.amount` is masked or not kept in the recording/,
      ),
    });
  });

  it('cannot tell where a whole body was not kept', () => {
    expect(outcome([read, large], call('allow', 'POST', '/a', maskedValue))).toBe('unknown deny|require_approval');
  });

  it('can tell where what was masked does not decide', () => {
    const masked = call('allow', 'POST', '/a', { amount: maskedValue, kind: 'gift' });
    const all: Rule = { name: 'all', effect: 'allow' };
    expect(outcome([all, small], masked)).toBe('unchanged 1');
    expect(outcome([{ ...all, effect: 'deny' }, small], masked)).toBe('newlyDenied deny');
    expect(
      outcome(
        [
          all,
          {
            ...large,
            effect: 'deny',
            when: 'request.body.amount > 1 && request.body.kind == "sale"',
            approval: undefined,
          } as unknown as Rule,
        ],
        masked,
      ),
    ).toBe('unchanged 1');
    expect(outcome([{ ...all, when: 'request.body.amount > 1 || request.body.kind == "gift"' }], masked)).toBe('unchanged 1');
    expect(outcome([{ ...all, when: 'request.body.missing == 1 || request.body.amount > 1' }], masked)).toBe('unknown allow|deny');
    expect(outcome([{ ...all, when: 'request.body.amount > 1 || request.body.missing == 1' }], masked)).toBe('unknown allow|deny');
    expect(outcome([{ ...all, when: '[request.body].exists(b, b.amount == 1)' }], masked)).toBe('unknown allow|deny');
    expect(outcome([{ ...all, when: 'request.body == {"a": 1}' }], call('allow', 'POST', '/a', { a: maskedValue }))).toBe(
      'unknown allow|deny',
    );
    expect(outcome([{ ...all, when: '1 in request.body' }], call('allow', 'POST', '/a', [maskedValue]))).toBe('unknown allow|deny');
  });

  it('cannot tell whether a masked context would have met a requirement', () => {
    const rules: Rule[] = [{ name: 'ticket', effect: 'require_context', context: { ticket: 'OPS-.+' } }];
    expect(outcome(rules, call('allow', 'GET', '/a', undefined, { ticket: maskedValue }))).toBe('unknown allow|require_context');
    expect(outcome(rules, call('allow', 'GET', '/a', undefined, { ticket: 'OPS-1' }))).toBe('unchanged 1');
  });

  it('marks what was masked, at any depth', () => {
    const marked = markMasked({ a: ['[masked]', { b: '[masked]' }], c: 'text', d: 1, e: null }, (text) => text === '[masked]');
    expect(marked).toEqual(
      Object.assign(Object.create(null) as object, {
        a: [maskedValue, Object.assign(Object.create(null) as object, { b: maskedValue })],
        c: 'text',
        d: 1,
        e: null,
      }),
    );
  });
});
