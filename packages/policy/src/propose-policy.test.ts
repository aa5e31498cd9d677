import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compilePolicy } from './compile-policy.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';
import { isIdentifier, proposeLeastPrivilege } from './propose-policy.ts';

const facts = (method: string, path: string): Facts => ({
  request: { method, path, query: {}, headers: {}, body: null, bodyState: 'absent' },
  identity: { name: 'n', issuer: 'i', subject: 's', claims: {}, labels: {} },
  connection: { name: 'c' },
  context: {},
  now: 0,
});

const observed = [
  { method: 'GET', path: '/v1/customers' },
  { method: 'GET', path: '/v1/customers/17' },
  { method: 'GET', path: '/v1/customers/4' },
  { method: 'PATCH', path: '/v1/customers/4' },
  { method: 'GET', path: '/v1/customers/4/invoices/inv_01jd8m3v9k' },
  { method: 'GET', path: '/v1/customers/9/invoices/inv_01jd8m3aaa' },
  { method: 'POST', path: '/v1/refunds/' },
];

describe('a proposed policy', () => {
  it('takes an encoded slash for data of its segment', () => {
    const [proposed] = proposeLeastPrivilege([{ method: 'GET', path: '/repos/acme%2Fapi/contents' }]);
    const policy = compilePolicy({ id: 'p', revision: 1, rules: [proposed!.rule] });
    expect(decide(policy, facts('GET', '/repos/acme%2Fapi/contents')).effect).toBe('allow');
    expect(decide(policy, facts('GET', '/repos/acme/api/contents')).effect).toBe('deny');
  });

  it('allows what was observed, with parameters for identifiers', () => {
    expect(proposeLeastPrivilege(observed).map(({ rule, calls }) => `${rule.name} (${calls})`)).toEqual([
      'GET /v1/customers (1)',
      'GET /v1/customers/:id/invoices/:id2 (2)',
      'GET, PATCH /v1/customers/:id (3)',
      'POST /v1/refunds/ (1)',
    ]);
    expect(proposeLeastPrivilege(observed)[1]!.examples).toEqual([
      '/v1/customers/4/invoices/inv_01jd8m3v9k',
      '/v1/customers/9/invoices/inv_01jd8m3aaa',
    ]);
  });

  it('allows nothing else', () => {
    const policy = compilePolicy({ id: 'p', revision: 1, rules: proposeLeastPrivilege(observed).map(({ rule }) => rule) });
    for (const [method, path] of [
      ['DELETE', '/v1/customers/4'],
      ['POST', '/v1/customers'],
      ['GET', '/v1/charges'],
      ['GET', '/v1/customers/4/notes'],
      ['POST', '/v1/refunds'],
    ] as const)
      expect(decide(policy, facts(method, path)).effect, `${method} ${path}`).toBe('deny');
  });

  it('allows every observed call, whatever the paths', () => {
    const segment = fc.oneof(
      fc.constantFrom('v1', 'customers', 'a:b', '(x)', '*', 'a+b', '~u', '$x', '%C3%A9', 'invoices'),
      fc.nat().map(String),
      fc.uuid(),
      fc.stringMatching(/^[a-z]{1,3}$/),
    );
    const call = fc.record({
      method: fc.constantFrom('GET', 'POST', 'DELETE'),
      path: fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
    });
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 60 }), fc.constantFrom(200, 20), (calls, maxRules) => {
        const proposed = proposeLeastPrivilege(calls, { maxRules });
        expect(proposed.length).toBeLessThanOrEqual(maxRules);
        expect(proposed.reduce((sum, one) => sum + one.calls, 0)).toBe(calls.length);
        const policy = compilePolicy({ id: 'p', revision: 1, rules: proposed.map(({ rule }) => rule) });
        for (const { method, path } of calls) expect(decide(policy, facts(method, path)).effect, `${method} ${path}`).toBe('allow');
      }),
      { numRuns: 300 },
    );
  });

  it('takes segments that differ very much for a parameter', () => {
    const letter = (at: number): string => String.fromCharCode(97 + (at % 26));
    const words = Array.from({ length: 300 }, (_, i) => ({
      method: 'GET',
      path: `/users/${letter(i)}${letter(Math.floor(i / 26))}/profile`,
    }));
    expect(proposeLeastPrivilege(words).map(({ rule }) => rule.name)).toEqual(['GET /users/:id/profile']);
  });

  it('gives up, clearly, where nothing fits', () => {
    const deep = Array.from({ length: 30 }, (_, i) => ({ method: 'GET', path: '/a'.repeat(i + 1) }));
    expect(() => proposeLeastPrivilege(deep, { maxRules: 10 })).toThrow(RangeError);
  });

  it.each(['17', '3fa85f64-5717-4562-b3fc-2c963f66afa6', 'deadbeef1234', 'cus_9s6XKzkNRiz8i3', '2026-11-24', '01jd8m3v9k2t5x7y0a1b2c3d4e'])(
    'takes %s for an identifier',
    (segment) => {
      expect(isIdentifier(segment)).toBe(true);
    },
  );

  it.each(['v1', 'customers', 'oauth2', 'search-results', 'deadbeef', 'sha256'])('takes %s for a word', (segment) => {
    expect(isIdentifier(segment)).toBe(false);
  });
});
