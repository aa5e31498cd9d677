import { policyContentSchema } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { claimsOfPolicy } from './claims-of-policy.ts';
import { compileCondition } from './condition/condition.ts';
import { requestEnvironment } from './condition/environment.ts';
import type { Facts } from './facts.ts';

const policy = (when?: string, more: object = {}) =>
  policyContentSchema.parse({ rules: [{ name: 'r', effect: 'allow', ...(when === undefined ? {} : { when }), ...more }] });
const read = (when: string): string[] | 'all' => {
  const names = claimsOfPolicy(policy(when));
  return names === 'all' ? names : [...names].sort();
};

describe('the claims that a policy reads', () => {
  it.each([
    ['identity.claims.ref == "main"', ['ref']],
    ['identity.claims["a/b"] == "x" && identity.claims.sub != ""', ['a/b', 'sub']],
    ['has(identity.claims.admin) || "team" in identity.claims', ['admin', 'team']],
    ['identity.claims.realm_access.roles.exists(role, role == identity.claims.wanted)', ['realm_access', 'wanted']],
    ['["x"].exists(claims, claims == identity.subject)', []],
    ['request.body.claims.ref == "x" && context["claims"] == "y"', []],
    ['identity.claims[request.method] == "x"', 'all'],
    ['identity.claims.exists(name, name.startsWith("x"))', 'all'],
    ['request.method in identity.claims', 'all'],
    ['size(identity.claims) > 3', 'all'],
    ['has(identity.claims)', 'all'],
    ['{"a": identity.claims}.a.ref == "x"', 'all'],
  ])('%s', (when, names) => {
    expect(read(when)).toEqual(names);
  });

  it('are those of conditions, of exemptions from masking, and of the masking of rules', () => {
    const content = policyContentSchema.parse({
      rules: [
        { name: 'a', effect: 'allow', when: 'identity.claims.a == 1' },
        { name: 'b', effect: 'allow', mask: [{ key: 'pin', unless: 'identity.claims.b == 1' }] },
      ],
      mask: [{ key: 'iban', unless: 'identity.claims.c == 1' }],
    });
    expect(claimsOfPolicy(content)).toEqual(new Set(['a', 'b', 'c']));
    expect(claimsOfPolicy(policy())).toEqual(new Set());
  });

  it('are all where a condition cannot be compiled', () => {
    expect(read('identity.claims.')).toBe('all');
  });

  // The claims that are left out are those that the value cannot depend on.
  it('decide a condition as all claims would (property)', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const value = fc.constantFrom('x', 'y');
    const atom = fc.oneof(
      fc.tuple(name, value).map(([n, v]) => `identity.claims.${n} == "${v}"`),
      fc.tuple(name, value).map(([n, v]) => `identity.claims["${n}"] != "${v}"`),
      name.map((n) => `has(identity.claims.${n})`),
      name.map((n) => `"${n}" in identity.claims`),
      name.map((n) => `["x", "y"].exists(v, v == identity.claims.${n})`),
    );
    const condition = fc
      .array(atom, { minLength: 1, maxLength: 4 })
      .chain((parts) =>
        fc
          .array(fc.constantFrom(' && ', ' || '), { minLength: parts.length, maxLength: parts.length })
          .map((ops) => parts.reduce((all, part, i) => (i === 0 ? part : `(${all})${ops[i]}!(${part})`), '')),
      );
    const facts = (claims: Record<string, string>): Facts => ({
      request: { method: 'GET', path: '/', query: {}, headers: {}, body: null, bodyState: 'absent' },
      identity: { name: 'n', issuer: 'i', subject: 's', claims, labels: {} },
      connection: { name: 'c' },
      context: {},
      now: 0,
    });
    fc.assert(
      fc.property(condition, fc.dictionary(name, value), (when, claims) => {
        const names = claimsOfPolicy(policy(when));
        const kept = Object.fromEntries(Object.entries(claims).filter(([one]) => names === 'all' || names.has(one)));
        const compiled = compileCondition(when, requestEnvironment);
        expect(compiled.evaluate(facts(kept), {})).toEqual(compiled.evaluate(facts(claims), {}));
      }),
    );
  });
});
