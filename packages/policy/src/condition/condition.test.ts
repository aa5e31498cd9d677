import { evaluate as celEvaluate } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Facts } from '../facts.ts';
import { compileCondition } from './condition.ts';
import { claimsEnvironment, requestEnvironment } from './environment.ts';
import { Fault } from './values.ts';

const factsWith = (body: unknown, request: Partial<Facts['request']> = {}): Facts => ({
  request: {
    method: 'POST',
    path: '/v1/refunds',
    query: { limit: ['10', '20'] },
    headers: { accept: 'text/plain', 'x-twice': ['a', 'b'] },
    body,
    bodyState: 'parsed',
    ...request,
  },
  identity: {
    name: 'nightly',
    issuer: 'https://issuer.example',
    subject: 'sub',
    claims: { ref: 'refs/heads/main', id: 7 },
    labels: { team: 'billing' },
  },
  connection: { name: 'payments' },
  context: { ticket: 'OPS-12' },
  now: Date.UTC(2026, 10, 24, 22, 30, 5, 250),
});

const run = (source: string, body: unknown = null, request: Partial<Facts['request']> = {}): boolean | Fault =>
  compileCondition(source, requestEnvironment).evaluate(factsWith(body, request), { id: '42' });

const faultOf = (source: string, body: unknown = null, request: Partial<Facts['request']> = {}): string => {
  const value = run(source, body, request);
  return value instanceof Fault ? `${value.kind}: ${value.message}` : `no fault but ${value}`;
};

describe('a condition', () => {
  it.each([
    'request.method == "POST" && request.path.startsWith("/v1/")',
    'request.params.id == "42"',
    '"20" in request.query.limit && request.query.limit.size() == 2',
    'request.query.limit == ["10", "20"]',
    'request.headers["accept"] == "text/plain" && !("cookie" in request.headers)',
    'identity.name == "nightly" && identity.claims.ref == "refs/heads/main" && identity.claims.id == 7',
    'identity.labels.team == "billing" && connection.name == "payments"',
    'context.ticket.matches("^OPS-[0-9]+$") && has(context.ticket) && !has(context.other)',
    'now > timestamp("2026-11-24T00:00:00Z") && now - timestamp("2026-11-24T22:30:05Z") < duration("1s")',
    'now.getHours() == 22 && now.getMinutes() == 30 && now.getSeconds() == 5 && now.getMilliseconds() == 250',
    'now.getHours("Europe/Berlin") == 23 && now.getHours("Asia/Tokyo") == 7 && now.getDate("Asia/Tokyo") == 25',
    'now.getFullYear() == 2026 && now.getMonth() == 10 && now.getDate() == 24 && now.getDayOfMonth() == 23 && now.getDayOfWeek() == 2',
    'now.getDayOfYear() == 327 && now.getDayOfYear("Asia/Tokyo") == 328',
    'duration("1h30m").getMinutes() == 90 && duration("-1.5s").getMilliseconds() == -500',
    'timestamp(0) + duration("24h") == timestamp("1970-01-02T00:00:00Z")',
    'int("12") + 3 == 15 && 7 / 2 == 3 && -7 % 3 == -1 && 1.5 * 2.0 == 3.0',
    'string(12) == "12" && double("1.5") == 1.5 && bool("true") && size("añ") == 2',
    '"a,b,c".split(",") == ["a", "b", "c"] && ["a", "b"].join("-") == "a-b"',
    '"Hello".lowerAscii() == "hello" && "Hello".upperAscii() == "HELLO" && " x ".trim() == "x"',
    '"hello".indexOf("l") == 2 && "hello".lastIndexOf("l") == 3 && "hello".substring(1, 3) == "el" && "hello".contains("ell") && "hello".endsWith("o")',
    '[1, 2, 3].exists(x, x > 2) && [1, 2].all(x, x > 0) && [1, 2].exists_one(x, x == 2)',
    '[1, 2, 3].filter(x, x > 1).map(x, x * 2) == [4, 6] && [1, 2, 3].map(x, x > 1, x) == [2, 3]',
    '{"a": 1}.a == 1 && "a" in {"a": 1} && {"a": 1, "b": 2}.all(k, k < "c")',
    'true ? true : false',
  ])('knows %s', (source) => {
    expect(run(source)).toBe(true);
  });

  it('reads numbers of a body as exactly as they are written', () => {
    expect(run('request.body.amount > 10000', { amount: 10_000.01 })).toBe(true);
    expect(run('request.body.amount == 100', { amount: 100 })).toBe(true);
    expect(run('request.body.amount % 100 == 0', { amount: 300 })).toBe(true);
    expect(run('request.body.amount + 5 > 10', { amount: 5.5 })).toBe(true);
    expect(run('request.body.amount < 9007199254740993', { amount: 9_007_199_254_740_992 })).toBe(true);
  });

  it('holds values of different types to be unequal where no server takes them for equal, and refuses to order them', () => {
    expect(run('request.body.a == "x"', { a: 1 })).toBe(false);
    expect(run('request.body.a != "x"', { a: null })).toBe(true);
    expect(run('identity.claims.id == "7"')).toBe(false);
    expect(faultOf('request.body.a > 1', { a: '20000' })).toContain('not defined between string and int');
  });

  it('has no value where something is missing', () => {
    expect(faultOf('request.body.amount > 1', {})).toBe('value: `request.body.amount` does not exist');
    expect(faultOf('request.body.a.b == 1', { a: 'text' })).toContain('does not exist');
    expect(faultOf('has(request.body.a.b)', {})).toContain('does not exist');
    expect(faultOf('request.body.list[3] == 1', { list: [1] })).toContain('does not exist');
    expect(run('has(request.body.a)', {})).toBe(false);
    expect(run('has(request.body)', null, { bodyState: 'absent' })).toBe(false);
    expect(faultOf('request.headers["cookie"] == ""')).toContain('does not exist');
  });

  it('does not see what objects inherit', () => {
    expect(faultOf('request.body.constructor == 1', {})).toContain('does not exist');
    expect(faultOf('request.body["__proto__"] == 1', {})).toContain('does not exist');
    expect(run('has(request.body.toString)', {})).toBe(false);
    expect(run('"valueOf" in request.body', {})).toBe(false);
    expect(run('request.body.constructor == 1', JSON.parse('{"constructor":1}'))).toBe(true);
    expect(run('request.body["__proto__"] == 1', JSON.parse('{"__proto__":1}'))).toBe(true);
  });

  it('is in error where it reads a header that was sent twice', () => {
    expect(faultOf('request.headers["x-twice"] == "a"')).toContain('sent more than once');
    expect(faultOf('request.headers.exists(name, request.headers[name] == "b")')).toContain('sent more than once');
  });

  it.each(['too_large', 'unsupported', 'malformed', 'ambiguous', 'too_complex', 'unread'] as const)(
    'cannot be outvoted where the body is %s',
    (bodyState) => {
      for (const source of [
        'request.body.a == 1',
        'true || request.body.a == 1',
        'request.body.a == 1 || true',
        '[1].exists(x, request.body == 1)',
      ]) {
        const value = run(source, null, { bodyState });
        if (source.startsWith('true ||')) expect(value).toBe(true); // never looked at
        else expect(value, source).toMatchObject({ kind: 'body' });
      }
    },
  );

  it('lets either side of && and || decide when the other has no value', () => {
    expect(run('request.body.x == 1 || true', {})).toBe(true);
    expect(run('true || request.body.x == 1', {})).toBe(true);
    expect(run('request.body.x == 1 && false', {})).toBe(false);
    expect(faultOf('request.body.x == 1 || false', {})).toContain('does not exist');
    expect(faultOf('false || request.body.x == 1', {})).toContain('does not exist');
    expect(faultOf('request.body.x == 1 && true', {})).toContain('does not exist');
    expect(run('request.body.exists(x, x.a == 1)', [{}, { a: 1 }])).toBe(true);
    expect(run('request.body.all(x, x.a == 1)', [{}, { a: 2 }])).toBe(false);
    expect(faultOf('request.body.all(x, x.a == 1)', [{}, { a: 1 }])).toContain('does not exist');
  });

  it('evaluates to what cel-js evaluates, on expressions that both define', () => {
    const int = fc.integer({ min: -20, max: 20 }).map(String);
    const text = fc.constantFrom('""', '"a"', '"ab"', '"b"');
    const numeric = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 3 },
        int,
        fc.tuple(tie('expression'), fc.constantFrom('+', '-', '*', '/', '%'), tie('expression')).map(([a, op, b]) => `(${a} ${op} ${b})`),
        fc.constantFrom('size("abc")', '"abc".indexOf("c")', '[1, 2, 3][1]', '[1, 2, 3].filter(i, i > 1).size()'),
      ),
    })).expression;
    const boolean = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('true', 'false'),
        fc.tuple(numeric, fc.constantFrom('<', '<=', '>', '>=', '==', '!='), numeric).map(([a, op, b]) => `(${a} ${op} ${b})`),
        fc.tuple(text, fc.constantFrom('==', '<', '>='), text).map(([a, op, b]) => `(${a} ${op} ${b})`),
        fc.tuple(tie('expression'), fc.constantFrom('&&', '||'), tie('expression')).map(([a, op, b]) => `(${a} ${op} ${b})`),
        tie('expression').map((a) => `!(${a})`),
        fc.tuple(numeric, numeric).map(([a, b]) => `[${a}, ${b}, 3].exists(x, x == ${a} / ${b})`),
        fc.tuple(numeric, numeric).map(([a, b]) => `[${a}, ${b}].all(x, x % ${b} == 0)`),
      ),
    })).expression;
    let faults = 0;
    fc.assert(
      fc.property(boolean, (source) => {
        let expected: unknown;
        try {
          expected = celEvaluate(source);
        } catch {
          expected = 'fault';
          faults++;
        }
        let found: unknown;
        try {
          found = run(source);
        } catch (error) {
          // refused, because it never has a value; a remainder by zero also where the rest decides
          fc.pre(!String(error).includes('a remainder by zero'));
          found = 'fault';
        }
        expect(found instanceof Fault ? 'fault' : found, source).toBe(expected);
      }),
      { numRuns: 2000 },
    );
    expect(faults).toBeGreaterThan(50);
  });
});

describe('a condition is refused when saved, where it', () => {
  const nested = `${'('.repeat(200)}true${')'.repeat(200)}`;
  it.each([
    ['names an unknown variable', 'user.name == "x"', /Unknown variable: user/],
    ['names an unknown field', 'request.verb == "GET"', /No such key: verb/],
    ['mixes types', 'request.method == 1', /no such overload/],
    ['is no bool', 'request.path', /is of type string/],
    ['has a type that only the call decides', 'request.body.flag', /compare it/],
    ['is no expression', 'request.method ==', /Unexpected|Expected|EOF/],
    ['uses a whole variable', 'dyn(request) == 1', /cannot be used as a whole/],
    ['calls an unknown function', 'fetch("http://x") == 1', /found no matching overload|not available/],
    ['calls what is not offered', 'type(1) == type(2)', /not available/],
    ['binds', 'cel.bind(x, 1, x == 1)', /not available/],
    ['has bytes', 'b"a" == b"a"', /bytes are not available/],
    ['has a pattern of the request', 'request.path.matches(request.method)', /written out/],
    ['has a bad pattern', 'request.path.matches("(?=a)")', /RE2/],
    ['has a bad time zone', 'now.getHours("Mars/Base") == 1', /no time zone/],
    ['hides a variable', '[1].exists(request, true)', /hides another/],
    ['hides an iteration variable', '[[1]].exists(x, x.exists(x, true))', /hides another/],
    ['writes a header name in capitals', 'request.headers["X-Mode"] == "a"', /lower case/],
    ['asks for a header name in capitals', '"X-Mode" in request.headers', /lower case/],
    ['compares a query key as if it were one value', 'request.query.limit == "1"', /no such overload/],
    ['looks for a number in a map', '7 in {}', /keys of a map are strings/],
    ['looks for a number in a map of the request', '7 in {"a": request.path}', /keys of a map are strings|no such overload/],
    ['looks for a number in a field that is a map', '7 in request.headers', /keys of a map are strings|no such overload/],
    ['converts what is no truth', 'bool("1")', /`bool\("1"\)` never has a value/],
    ['converts what is no truth, beside what may have one', 'request.path == "/" || bool("1")', /never has a value/],
    ['divides by zero', '1 / 0 == request.body.a', /`1 \/ 0` never has a value: division by zero/],
    ['takes a remainder by zero', 'request.body.a % 0 == 1', /remainder by zero/],
    ['goes below zero without a sign', '0u - 1u == 0u', /unsigned integer is out of range/],
    ['goes over an unsigned integer', '18446744073709551615u + 1u == 0u', /out of range/],
    ['goes over an integer', '9223372036854775807 + 1 > 0', /out of range/],
    ['converts what is too large', 'int(1e19) > 0', /out of range/],
    ['converts what is negative', 'uint(-1) > 0u', /out of range/],
    ['has a duration that is too long', 'duration("320000000000s") > duration("1s")', /duration is out of range/],
    ['has a time that is too late', 'timestamp("9999-12-31T23:59:59Z") + duration("1s") > now', /timestamp is out of range/],
    ['has a time that is none', 'now > timestamp("yesterday")', /never has a value/],
    ['has a map with numbers for names', '{1: request.path}[1] == "/"', /keys of a map must be strings|never has a value|no such/],
    ['looks beyond the end of a list', '[1, 2][2] == request.body.a', /never has a value/],
    ['has an index that is none', 'request.body.list[-1] == 1 || request.body.list[1.5] == 1', /whole number from 0/],
    ['is nested too deeply', nested, /maxDepth|nested too deeply/],
    ['is too long a chain', Array.from({ length: 300 }, () => 'true').join('||'), /maxAstNodes/],
    ['is too long', `true || request.path == "${'x'.repeat(5000)}"`, /longer than 4096/],
    ['is a deep chain of fields', `request.body${'.a'.repeat(300)} == 1`, /maxDepth/],
  ])('%s', (_why, source, message) => {
    expect(() => compileCondition(source, requestEnvironment)).toThrow(message);
  });

  it('names what an environment does not have', () => {
    expect(() => compileCondition('request.method == "GET"', claimsEnvironment)).toThrow(/Unknown variable: request/);
  });
});

describe('the cost of a condition is bounded', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => i);
  const long = 'a'.repeat(1_000_000);
  it.each([
    ['nested quantifiers', 'request.body.list.exists(x, request.body.list.exists(y, x == y + 1 && y < 0))'],
    ['mapping over and over', 'request.body.list.map(x, request.body.list.map(y, y)).size() == 1'],
    ['membership in a loop', 'request.body.list.all(x, (x - 1) in request.body.list || true)'],
    ['adding lists in a loop', 'request.body.list.exists(x, (request.body.list + request.body.list).size() == 0)'],
    ['comparing deep values in a loop', 'request.body.list.exists(x, request.body.list != request.body.list + [x] && false)'],
    ['searching a long text in a loop', 'request.body.list.exists(x, request.body.text.contains("b"))'],
    ['splitting a long text', 'request.body.text.split("").size() == 0'],
    ['a long subject of a pattern', 'request.body.text.matches("(a|aa)+$")'],
    ['time zones in a loop', 'request.body.list.exists(x, now.getHours("Asia/Tokyo") == 99)'],
    ['errors in a loop', 'request.body.list.exists(x, request.body.list.exists(y, y.a == 1))'],
    ['growing a text', 'request.body.list.map(x, request.body.text + request.body.text).join(request.body.text) == ""'],
  ])('%s', (_what, source) => {
    const start = performance.now();
    expect(run(source, { list: many, text: long })).toMatchObject({ kind: 'budget' });
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  it('and leaves room for a body of a thousand items', () => {
    const items = Array.from({ length: 1000 }, (_, i) => ({ amount: i, currency: 'EUR' }));
    expect(run('request.body.items.all(item, item.amount < 1000 && item.currency in ["EUR", "USD"])', { items })).toBe(true);
  });

  it('is not an invitation to parse durations with a backtracking pattern', () => {
    const start = performance.now();
    expect(faultOf('duration(request.body) < duration("1s")', '1'.repeat(1_000_000))).toContain('duration() needs');
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  it('also in depth: a body nested deeper than the stack is a fault, not a crash', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 50_000; i++) deep = [deep];
    let other: unknown = 1;
    for (let i = 0; i < 50_000; i++) other = [other];
    expect(run('request.body.a == request.body.b', { a: deep, b: other })).toBeInstanceOf(Fault);
  });
});
