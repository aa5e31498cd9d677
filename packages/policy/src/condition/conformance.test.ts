/** The published conformance cases of CEL (test/vectors/cel): a value that differs from the published one is a bug in Hoop. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import type { Facts } from '../facts.ts';
import { compileCondition } from './condition.ts';
import { requestEnvironment } from './environment.ts';
import { ConditionError } from './syntax-tree.ts';
import { Fault } from './values.ts';

interface Case {
  readonly name: string;
  readonly expr: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly value?: string;
  readonly error?: true;
  readonly expect?: 'refused' | 'exact';
}

const cases = readFileSync(path.join(import.meta.dirname, '../../../../test/vectors/cel/simple.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

const facts: Facts = {
  request: { method: 'POST', path: '/', query: {}, headers: {}, body: null, bodyState: 'absent' },
  identity: { name: '', issuer: '', subject: '', claims: {}, labels: {} },
  connection: { name: '' },
  context: {},
  now: 0,
};

function outcome({ expr, variables = {}, value }: Case): 'true' | 'false' | 'fault' | 'refused' {
  let condition = `(${expr}) == ${value ?? `(${expr})`}`;
  for (const [name, literal] of Object.entries(variables)) condition = `[dyn(${literal})].all(${name}, ${condition})`;
  try {
    const result = compileCondition(condition, requestEnvironment).evaluate(facts, {});
    return result instanceof Fault ? 'fault' : result ? 'true' : 'false';
  } catch (error) {
    if (error instanceof ConditionError) return 'refused';
    throw error;
  }
}

describe('a published case of CEL', () => {
  for (const [file, of] of Map.groupBy(cases, ({ name }) => name.slice(0, name.indexOf('/')))) {
    it(`of ${file}`, () => {
      const found = of.map((one) => [one.name, outcome(one)]);
      const expected = of.map((one, i) => {
        if (one.expect !== undefined) return [one.name, one.expect === 'exact' ? 'false' : one.expect];
        // no value: whether that shows when the condition is saved or when it is evaluated
        if (one.error === true) return [one.name, found[i]![1] === 'fault' ? 'fault' : 'refused'];
        return [one.name, 'true'];
      });
      expect(found).toEqual(expected);
    });
  }

  it('is one of many', () => {
    expect(cases.filter((one) => one.expect === undefined).length).toBeGreaterThan(900);
  });
});
