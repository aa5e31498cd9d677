import type { Rule } from '@hoop/contract';
import { describe, expect, it } from 'vitest';

import { compilePolicy } from './compile-policy.ts';
import { decide } from './decide.ts';
import { explain } from './explain.ts';
import type { Facts } from './facts.ts';

const rules: Rule[] = [
  {
    name: 'read own',
    effect: 'allow',
    match: { methods: ['GET'], paths: ['/v1/customers/:id'] },
    when: 'request.params.id == "42" && identity.labels.team == "billing"',
  },
  { name: 'write', effect: 'allow', match: { methods: ['POST'], paths: ['/v1/customers/:id'] } },
  { name: 'reports', effect: 'allow', match: { paths: ['/v1/reports'] } },
  { name: 'secret header', effect: 'deny', when: 'request.headers["x-key"] == "hunter2"' },
  { name: 'ticket', effect: 'require_context', match: { paths: ['/v1/customers/:id'] }, context: { ticket: 'OPS-.*', team: '.+' } },
];
const policy = compilePolicy({ id: 'p', revision: 1, rules });
const facts: Facts = {
  request: {
    method: 'GET',
    path: '/v1/customers/7',
    query: {},
    headers: { 'x-key': 'swordfish' },
    body: { amount: 5 },
    bodyState: 'parsed',
  },
  identity: { name: 'n', issuer: 'i', subject: 's', claims: {}, labels: { team: 'sales' } },
  connection: { name: 'payments' },
  context: { team: 'blue' },
  now: 0,
};

describe('an explanation', () => {
  const { verdict, rules: explained } = explain(policy, facts);
  const of = (name: string): (typeof explained)[number] => explained.find((one) => one.rule === name)!;

  it('has the verdict of the decision, and every rule', () => {
    expect(verdict).toEqual(decide(policy, facts));
    expect(explained.map((one) => one.rule)).toEqual(['read own', 'reports', 'secret header', 'ticket', 'write']);
    expect(explain(null, facts)).toMatchObject({ verdict: { effect: 'deny' }, rules: [] });
  });

  it('says which part of a condition is false, and what it saw', () => {
    expect(of('read own')).toMatchObject({
      outcome: 'condition_false',
      params: { id: '7' },
      because:
        'Its condition is false: request.params.id == "42" (request.params.id is "7"); identity.labels.team == "billing" (identity.labels.team is "sales").',
    });
  });

  it('says that the method or the path is another', () => {
    expect(of('write')).toMatchObject({ outcome: 'method_differs', because: 'It is for POST on /v1/customers/:id; the method is GET.' });
    expect(of('reports')).toMatchObject({ outcome: 'path_differs', because: expect.stringContaining('the path is /v1/customers/7') });
  });

  it('repeats no value of a header or a body', () => {
    expect(of('secret header').outcome).toBe('condition_false');
    const bodies = compilePolicy({
      id: 'p',
      revision: 1,
      rules: [{ name: 'b', effect: 'allow', when: 'request.body.amount > 10 || request.body == "s3cret"' }],
    });
    const text = JSON.stringify([
      of('secret header').because,
      of('secret header').condition.map((part) => part.seen),
      explain(bodies, facts).rules[0]!.condition[0]!.seen,
    ]);
    expect(text).not.toContain('swordfish');
    expect(text).toContain('a value of type string');
    expect(text).toContain('a value of type double');
  });

  it('says which context is met, without its value', () => {
    expect(of('ticket')).toMatchObject({
      outcome: 'matched',
      because: 'Its match and its condition hold, and it lacks the context ticket.',
      context: [
        { key: 'ticket', pattern: 'OPS-.*', met: false },
        { key: 'team', pattern: '.+', met: true },
      ],
    });
    expect(JSON.stringify(of('ticket'))).not.toContain('blue');
  });

  it('says what an error in a condition does', () => {
    const failing = explain(policy, { ...facts, request: { ...facts.request, headers: {} } }).rules.find(
      (one) => one.rule === 'secret header',
    )!;
    expect(failing).toMatchObject({ outcome: 'condition_failed', because: expect.stringContaining('so it denies') });
    expect(failing.condition[0]).toMatchObject({ outcome: 'error', error: '`request.headers["x-key"]` does not exist' });
  });
});
