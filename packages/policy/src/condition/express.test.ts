/** Forms as Express reads them, by the parser that it has: where that sees what a condition asks for, the condition is not false. */
import fc from 'fast-check';
import qs from 'qs';
import { expect, it } from 'vitest';

import { readInspectedBody } from '../body/inspected-body.ts';
import type { Facts } from '../facts.ts';
import { compileCondition } from './condition.ts';
import { requestEnvironment } from './environment.ts';

const isAdmin = compileCondition('has(request.body.role) && request.body.role == "admin"', requestEnvironment);
const isNested = compileCondition(
  'has(request.body.user) && has(request.body.user.role) && request.body.user.role == "admin"',
  requestEnvironment,
);

function holds(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(holds);
  return value === 'admin';
}

const name = fc.constantFrom(
  'role',
  'role[]',
  'role[0]',
  'role[x]',
  '[role]',
  'r%6fle',
  'role%5B%5D',
  'user[role]',
  'user[0][role]',
  'user',
  'x',
  'role[',
  '%72ole',
);
const field = fc.tuple(name, fc.constantFrom('admin', 'user', '%61dmin', '')).map((parts) => parts.join('='));

it('a condition over a form is not false where Express sees what it asks for', () => {
  let seen = 0;
  fc.assert(
    fc.property(fc.array(field, { maxLength: 4 }), (fields) => {
      const body = fields.join('&');
      const read = readInspectedBody(new TextEncoder().encode(body), 'application/x-www-form-urlencoded');
      const facts: Facts = {
        request: { method: 'POST', path: '/', query: {}, headers: {}, ...read },
        identity: { name: '', issuer: '', subject: '', claims: {}, labels: {} },
        connection: { name: '' },
        context: {},
        now: 0,
      };
      const { role, user } = qs.parse(body, { allowPrototypes: true });
      if (holds(role)) {
        seen++;
        expect(isAdmin.evaluate(facts, {}), body).not.toBe(false);
      }
      if (holds(typeof user === 'object' ? user['role' as never] : undefined)) {
        seen++;
        expect(isNested.evaluate(facts, {}), body).not.toBe(false);
      }
    }),
    { numRuns: 3000 },
  );
  expect(seen).toBeGreaterThan(300);
});
