/** Deciding, explaining and backtesting come to the same about requests that servers could read differently. */
import type { Rule } from '@hoop/contract';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { backtest } from './backtest.ts';
import { readInspectedBody } from './body/inspected-body.ts';
import { compilePolicy } from './compile-policy.ts';
import { decide } from './decide.ts';
import { explain } from './explain.ts';
import type { Facts } from './facts.ts';

const conditions = [
  'request.body.amount > 10000',
  'has(request.body.amount) && request.body.amount > 10000',
  'request.body.role == "admin"',
  'has(request.body.role) && request.body.role != "admin"',
  'request.body.roles.exists(r, r == "admin")',
  '"role" in request.query',
];
const bodies = [
  '{"amount":5}',
  '{"amount":50000}',
  '{"Amount":50000}',
  '{"amount":5,"Amount":50000}',
  '{"amount":10000.0000000000001}',
  '{"role":["admin"]}',
  '{"role":"user"}',
  '{"roles":{"0":"admin"}}',
  '{"amount":5',
  'role=admin',
  '',
];
const effects = ['allow', 'deny', 'require_context', 'require_approval'] as const;

const rule = fc.tuple(fc.constantFrom(...effects), fc.constantFrom(...conditions), fc.boolean()).map(([effect, when, isNegated]): Rule => ({
  name: `${effect} where ${when}`,
  effect,
  when: isNegated ? `!(${when})` : when,
  ...(effect === 'require_context' ? { context: { ticket: '.+' } } : {}),
  ...(effect === 'require_approval'
    ? { approval: { reviewers: ['group:ops'], quorum: 1, ttl: '30m', validity: ['once'], fourEyes: false, requireComment: false } }
    : {}),
}));

const facts = fc
  .tuple(
    fc.constantFrom(...bodies),
    fc.constantFrom('application/json', 'application/x-www-form-urlencoded', undefined),
    fc.constantFrom({}, { role: ['x'] }, { Role: ['x'] }),
  )
  .map(([body, type, query]): Facts => ({
    request: { method: 'POST', path: '/', query, headers: {}, ...readInspectedBody(new TextEncoder().encode(body), type) },
    identity: { name: 'nightly', issuer: '', subject: '', claims: {}, labels: {} },
    connection: { name: 'payments' },
    context: {},
    now: 0,
  }));

it('whatever the rules and the body', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 4 }), facts, (rules, one) => {
      const policy = compilePolicy({ id: 'pol_1', revision: 1, rules });
      const verdict = decide(policy, one);
      const explained = explain(policy, one);
      expect(explained.verdict).toEqual(verdict);
      for (const { outcome, effect } of explained.rules) {
        if (outcome !== 'condition_failed') continue;
        // no value: what restricts is not passed, and what allows does not allow
        if (effect !== 'allow') expect(verdict.effect).toBe('deny');
        seen.add(effect);
      }
      const { changes, unchanged } = backtest(policy, [{ callId: 'call_1', facts: one, effect: verdict.effect }]);
      expect(unchanged, JSON.stringify(changes)).toBe(1);
    }),
    { numRuns: 1000 },
  );
  expect([...seen].toSorted()).toEqual([...effects].toSorted());
});
