/** Bodies made to hold an event loop: the work per byte stays near that of an ordinary body, and is done in slices. */
import { describe, expect, it } from 'vitest';

import { compileCondition } from '../condition/condition.ts';
import { requestEnvironment } from '../condition/environment.ts';
import type { Facts } from '../facts.ts';
import { inspectBody, readInspectedBody } from './inspected-body.ts';

const form = 'application/x-www-form-urlencoded';
const size = 600_000;
const slice = 32_768;
const list = (count: number, item: (i: number) => string): string => Array.from({ length: count }, (_, i) => item(i)).join(',');
const filled = (text: string): string => text.repeat(Math.ceil(size / text.length));

const ordinary = `[${list(8_000, (i) => `{"id":${i},"name":"customer ${i}","amount":${i}.5,"tags":["a","b"]}`)}]`;

const cases: readonly [what: string, type: string, text: string][] = [
  ['deep nesting', 'application/json', filled('[')],
  ['deep nesting of objects', 'application/json', filled('{"a":')],
  ['many values', 'application/json', `[${filled('1,')}1]`],
  ['many names', 'application/json', `{${list(40_000, (i) => `"member ${i}":${i}`)}}`],
  ['many names that are numbers', 'application/json', `{${list(40_000, (i) => `"${i * 1_048_576}":0`)}}`],
  ['many names in capitals', 'application/json', `{${list(25_000, (i) => `"\u00c9TAT ${i}":0`)}}`],
  ['many empty objects', 'application/json', `[${list(40_000, () => '{}')}]`],
  ['one long number', 'application/json', filled('1')],
  ['many long numbers', 'application/json', `[${list(150, () => '1'.repeat(4000))}]`],
  ['numbers with large exponents', 'application/json', `[${list(40_000, (i) => `1e${i}99999`)}]`],
  ['one long string', 'application/json', `"${filled('a')}"`],
  ['escapes of six characters', 'application/json', `"${filled('\\u0041')}"`],
  ['escapes of two characters', 'application/json', `"${filled('\\n')}"`],
  ['white space', 'application/json', `${filled(' ')}1`],
  ['a long name', 'application/json', `{"${filled('\u00c9')}":1}`],
  ['many fields', form, Array.from({ length: 100_000 }, (_, i) => `a${i}=1`).join('&')],
  ['fields without names', form, filled('&')],
  ['one field of escapes', form, `a=${filled('%C3%A9')}`],
  ['one field of spaces', form, `a=${filled('+')}`],
  ['semicolons', form, `a=${filled(';b=')}`],
];

/** CPU time of this process, microseconds. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function read(text: string, type: string): { perByte: number; slices: number; isRead: boolean } {
  const bytes = new TextEncoder().encode(text);
  let best = Number.POSITIVE_INFINITY;
  let slices = 0;
  let isRead = false;
  for (let round = 0; round < 2; round++) {
    const start = cpu();
    const inspection = inspectBody(bytes, type);
    slices = 1;
    while (!inspection.advance(slice)) slices++;
    best = Math.min(best, cpu() - start);
    isRead = inspection.result().bodyState === 'parsed';
  }
  return { perByte: best / bytes.length, slices, isRead };
}

describe('the work for a body is bounded', () => {
  read(ordinary, 'application/json');
  const usual = read(ordinary, 'application/json').perByte;

  it.each(cases)('with %s', (_what, type, text) => {
    const { perByte, slices, isRead } = read(text, type);
    expect(perByte).toBeLessThan(usual * 20);
    // Each slice reads a little more than it was asked for, at the most.
    if (isRead) expect(slices).toBeGreaterThanOrEqual(Math.floor(text.length / (slice * 2)));
  });
});

describe('the work of a condition over such a body is bounded', () => {
  const evaluated = (condition: string, type: string, text: string): number => {
    const bytes = new TextEncoder().encode(text);
    const compiled = compileCondition(condition, requestEnvironment);
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 2; round++) {
      // Anew, because indexes of names are kept with the map that they are of.
      const read = readInspectedBody(bytes, type);
      expect(read.bodyState).toBe('parsed');
      const facts: Facts = {
        request: { method: 'POST', path: '/', query: {}, headers: {}, ...read },
        identity: { name: '', issuer: '', subject: '', claims: {}, labels: {} },
        connection: { name: '' },
        context: {},
        now: 0,
      };
      const start = cpu();
      compiled.evaluate(facts, {});
      best = Math.min(best, cpu() - start);
    }
    return best / text.length;
  };
  const usual = read(ordinary, 'application/json').perByte;

  it.each([
    ['a name that none of many is', 'has(request.body.amount)', 'application/json', `{${list(90_000, (i) => `"Name ${i}":1`)}}`],
    [
      'a name that is missing in many objects',
      'request.body.exists(i, has(i.amount))',
      'application/json',
      `[${list(60_000, () => '{"Name":1}')}]`,
    ],
    ['parameters after semicolons', 'has(request.body.role)', form, `a=${filled(';b=')}`],
    [
      'parameters with brackets',
      'has(request.body.role)',
      form,
      Array.from({ length: 9000 }, (_, i) => `${'a[b]'.repeat(20)}${i}=1`).join('&'),
    ],
    ['a long list in the place of a text', 'request.body.role == "admin"', 'application/json', `{"role":[${list(150_000, () => '"x"')}]}`],
    ['a long list in the place of a number', 'request.body.role == 5', 'application/json', `{"role":[${list(150_000, () => '"x"')}]}`],
    ['long numbers', 'request.body.list.exists(x, x > 5)', 'application/json', `{"list":[${list(150, () => `-${'1'.repeat(4000)}`)}]}`],
  ])('with %s', (_what, condition, type, text) => {
    expect(evaluated(condition, type, text)).toBeLessThan(usual * 20);
  });
});
