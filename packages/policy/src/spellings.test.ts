/** A rule that restricts covers every spelling of a path that a common server reads alike; an allow covers the path alone. */
import { pathSettingsSchema } from '@hoop/contract';
import type { ApprovalRule, PathSettings, Rule } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { backtest } from './backtest.ts';
import { compilePolicy } from './compile-policy.ts';
import { decide, needsBody } from './decide.ts';
import { explain } from './explain.ts';
import type { Facts } from './facts.ts';

const approval: ApprovalRule = {
  reviewers: ['group:payments'],
  quorum: 1,
  ttl: '30m',
  validity: ['once'],
  fourEyes: false,
  requireComment: false,
};
type Restriction = 'deny' | 'require_context' | 'require_approval';
const restriction = (effect: Restriction, paths: string[], more: Partial<Rule> = {}): Rule => ({
  name: 'refunds',
  effect,
  match: { methods: ['POST'], paths },
  ...(effect === 'require_approval' ? { approval } : {}),
  ...(effect === 'require_context' ? { context: { ticket: '^OPS-[0-9]+$' } } : {}),
  ...more,
});
const everything: Rule = { name: 'all', effect: 'allow', match: { paths: ['/*'] } };
/** So many that rules are found by an index. */
const others = Array.from({ length: 40 }, (_, i): Rule => ({
  name: `other ${i}`,
  effect: i % 2 === 0 ? 'deny' : 'allow',
  match: { paths: [`/other-${i}/:id`, `/other-${i}`] },
}));

const facts = (path: string, change: Partial<Facts['request']> = {}): Facts => ({
  request: { method: 'POST', path, query: {}, headers: {}, body: null, bodyState: 'absent', ...change },
  identity: { name: 'job', issuer: 'https://issuer.example', subject: 'job', claims: {}, labels: {} },
  connection: { name: 'payments' },
  context: {},
  now: 0,
});
const settings = (change: Partial<PathSettings>): PathSettings => pathSettingsSchema.parse(change);
/** Explain and backtest must come to the decision's effect. */
function effectOf(rules: Rule[], path: string, paths?: PathSettings) {
  const policy = compilePolicy({ id: 'p', revision: 1, rules }, paths);
  const { effect } = decide(policy, facts(path));
  expect(explain(policy, facts(path)).verdict.effect).toBe(effect);
  expect(backtest(policy, [{ callId: 'c', facts: facts(path), effect }]).unchanged).toBe(1);
  return effect;
}

const hex = (text: string): string => [...new TextEncoder().encode(text)].map((byte) => `%${byte.toString(16).toUpperCase()}`).join('');

/** Ways to spell a path otherwise, in the form in which the relay's normalisation leaves them. */
const spellings: ((path: string, at: number) => string)[] = [
  (path, at) => replaceAt(path, at, (character) => character.toUpperCase()),
  (path, at) => replaceAt(path, at, (character) => character.toLowerCase()),
  (path, at) => replaceAt(path, at, (character) => hex(character).replaceAll('%', '%25')),
  (path, at) => replaceAt(path, at, (character) => hex(character).replaceAll('%', '%2525')),
  (path, at) => replaceAt(path, at, (character) => `%25u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
  (path, at) => replaceAt(path, at, (character) => hex(String.fromCharCode(character.charCodeAt(0) + 0xfee0))),
  (path) => path.replace(/k/i, hex('\u212a')),
  (path) => path.replace(/s/i, hex('\u017f')),
  (path) => path.replace('%C3%A9', hex('e\u0301')),
  (path) => path.replace('%C3%A9', '%C3%89'),
  (path) => path.replace('%2B', '+').replace('%3D', '='),
  (path) => (path.endsWith('/') ? path : `${path}/`),
  (path) => (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path),
  (path, at) => atSegmentEnd(path, at, '%3Bv=1'),
  (path, at) => atSegmentEnd(path, at, '%3B'),
  (path, at) => atSegmentEnd(path, at, '.'),
  (path, at) => atSegmentEnd(path, at, '%20.%20'),
  (path, at) => atSegmentEnd(path, at, '%C2%A0'),
  (path, at) => atSegmentEnd(path, at, '/%3Bv=1'),
  (path, at) => atSegmentEnd(path, at, '/%20'),
  (path) => `${path}%3Fx=1`,
  (path) => `${path}%23/x`,
  (path) => path.replace(/(.)\/(?=.)/, '$1%2F'),
];

/** Letters and digits that are not part of an encoding. */
function replaceAt(path: string, at: number, change: (character: string) => string): string {
  const places = [...path.matchAll(/%(?:25)*(?:u[0-9a-f]{4}|[0-9A-F]{2})|[a-z0-9]/gi)].filter(([match]) => match.length === 1);
  const place = places[at % Math.max(places.length, 1)];
  return place === undefined ? path : path.slice(0, place.index) + change(place[0]) + path.slice(place.index + 1);
}

function atSegmentEnd(path: string, at: number, text: string): string {
  const segments = path.split('/');
  const filled = segments.flatMap((segment, i) => (segment === '' ? [] : [i]));
  if (filled.length === 0) return path;
  segments[filled[at % filled.length]!] += text;
  return segments.join('/');
}

const segment = fc.constantFrom(
  'v1',
  'refunds',
  'Refunds',
  'kiosk',
  'caf%C3%A9',
  'a%20b',
  'a%2Bc%3D',
  'x.y',
  'report.json',
  '42',
  'a%3Bb',
  '%C3%9F',
);
const literal = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([all, slash]) => `/${all.join('/')}${slash ? '/' : ''}`);
const steps = fc.array(fc.tuple(fc.nat(spellings.length - 1), fc.nat(20)), { minLength: 1, maxLength: 4 });
const respell = (path: string, how: readonly (readonly [number, number])[]): string =>
  how.reduce((spelled, [which, at]) => spellings[which]!(spelled, at), path);
/** No server drops more than one format. */
const withFormat = (path: string, format: string): string => (path.endsWith('/') ? path : path + format);
const format = fc.constantFrom('', '.json', '.anything');
const effect = fc.constantFrom<Restriction>('deny', 'require_context', 'require_approval');

describe('a rule that restricts', () => {
  it('covers every spelling of a literal, alone or several at once (property)', () => {
    fc.assert(
      fc.property(literal, format, steps, effect, fc.boolean(), (path, suffix, how, restricts, isIndexed) => {
        const rules = [everything, restriction(restricts, [path]), ...(isIndexed ? others : [])];
        const spelled = respell(withFormat(path, suffix), how);
        expect(effectOf(rules, path), path).toBe(restricts);
        expect(effectOf(rules, spelled), `${path} as ${spelled}`).toBe(restricts);
      }),
      { numRuns: 1500 },
    );
  });

  it('covers every spelling of a path that its pattern matches (property)', () => {
    const pattern = fc.constantFrom(
      '/v1/:kind',
      '/v1/refunds/:id',
      '/:kind/refunds',
      '/v1/*',
      '/v1/:kind/:id',
      '/*/refunds',
      '/v1{/x}?/:id',
      '/v1/:kind(refunds|payouts)',
    );
    fc.assert(
      fc.property(pattern, literal, format, steps, effect, fc.boolean(), (one, path, suffix, how, restricts, isIndexed) => {
        const rules = [everything, restriction(restricts, [one]), ...(isIndexed ? others : [])];
        // encodings that a custom expression has to know are left out: it says what it matches
        if (effectOf(rules, path) === 'allow') return;
        const spelled = respell(withFormat(path, suffix), how);
        expect(effectOf(rules, spelled), `${one}: ${path} as ${spelled}`).toBe(restricts);
      }),
      { numRuns: 1500 },
    );
  });

  it('is asked for its condition with the parameters of any reading', () => {
    const rules = [everything, restriction('deny', ['/users/:id'], { when: 'request.params.id == "admin"' })];
    for (const path of ['/users/admin', '/users/admin/', '/users/admin%3Bx', '/Users/Admin', '/users/admin.', '/users/admin.json'])
      expect(effectOf(rules, path), path).toBe('deny');
    expect(effectOf(rules, '/users/bob')).toBe('allow');
    expect(
      needsBody(
        compilePolicy({ id: 'p', revision: 1, rules: [restriction('deny', ['/a'], { when: 'request.body.x == 1' })] }),
        'POST',
        '/A/',
      ),
    ).toBe(true);
  });

  it('is asked for its condition with every reading of the path', () => {
    const admin: Rule = { name: 'admin', effect: 'deny', when: 'request.path.startsWith("/v1/admin")' };
    const reports: Rule = { name: 'reports', effect: 'deny', match: { paths: ['/v1/*'] }, when: 'request.path == "/v1/reports"' };
    const negated: Rule = { name: 'rest', effect: 'deny', match: { paths: ['/v2/*'] }, when: 'request.path != "/v2/open"' };
    for (const rules of [
      [everything, admin, reports, negated],
      [everything, admin, reports, negated, ...others],
    ]) {
      for (const path of [
        '/v1/admin',
        '/v1/Admin/users',
        '/V1/admin',
        '/v1/admin%3Bx',
        '/v1/reports/',
        '/v1/Reports',
        '/v2/closed',
        '/v2/Open',
      ])
        expect(effectOf(rules, path), path).toBe('deny');
      for (const path of ['/v1/users', '/v2/open', '/v1/report']) expect(effectOf(rules, path), path).toBe('allow');
    }
    expect(effectOf([{ ...everything, when: 'request.path == "/v1/users"' }], '/v1/Users')).toBe('deny');
  });

  it('permits only the path that it names, once its requirement is met', () => {
    const rules = [restriction('require_context', ['/v1/refunds'])];
    const met = (path: string) => decide(compilePolicy({ id: 'p', revision: 1, rules }), { ...facts(path), context: { ticket: 'OPS-1' } });
    expect(met('/v1/refunds').effect).toBe('allow');
    expect(met('/v1/Refunds')).toMatchObject({ effect: 'deny', reason: 'No rule of the policy allows this call.' });
    expect(effectOf([restriction('require_approval', ['/v1/refunds'])], '/v1/refunds/')).toBe('deny');
  });

  it('hides in the response to every spelling what it hides in the response to one', () => {
    const masked: Rule = {
      name: 'customers',
      effect: 'allow',
      match: { paths: ['/v1/customers'] },
      mask: [{ key: 'email', action: 'redact' }] as Rule['mask'] & object,
    };
    for (const rules of [
      [everything, masked],
      [everything, masked, ...others],
    ]) {
      const policy = compilePolicy({ id: 'p', revision: 1, rules });
      for (const path of ['/v1/customers', '/v1/Customers', '/v1/customers/', '/v1/customers.json'])
        expect(decide(policy, facts(path)), path).toMatchObject({
          effect: 'allow',
          maskedBy: [expect.objectContaining({ name: 'customers' })],
        });
      expect(decide(policy, facts('/v1/other')).maskedBy).toBeUndefined();
    }
    expect(effectOf([masked], '/v1/Customers')).toBe('deny');
  });

  it('says that a reading of the path is why', () => {
    const policy = compilePolicy({ id: 'p', revision: 1, rules: [everything, restriction('deny', ['/v1/refunds'])] });
    expect(decide(policy, facts('/v1/Refunds')).reason).toBe(
      'The rule "refunds" denies this call: a server could take it for one that the rule names.',
    );
    expect(explain(policy, facts('/v1/Refunds')).rules).toMatchObject([
      { rule: 'all', outcome: 'matched' },
      { rule: 'refunds', outcome: 'matched', because: expect.stringContaining('A server could take the call') },
    ]);
  });

  it('covers HEAD where it covers GET, and permits neither for the other', () => {
    const get: Rule = { name: 'get', effect: 'deny', match: { methods: ['GET'], paths: ['/v1/secrets'] } };
    const anywhere: Rule = { name: 'anywhere', effect: 'deny', match: { methods: ['GET'] } };
    const asked: Rule = { ...restriction('require_context', ['/v1/refunds']), match: { methods: ['GET'], paths: ['/v1/refunds'] } };
    const head = (rules: Rule[], path: string, method = 'HEAD') =>
      decide(compilePolicy({ id: 'p', revision: 1, rules }), { ...facts(path, { method }), context: { ticket: 'OPS-1' } }).effect;
    for (const more of [[], others]) {
      expect(head([everything, get, ...more], '/v1/secrets')).toBe('deny');
      expect(head([everything, get, ...more], '/v1/Secrets')).toBe('deny');
      expect(head([everything, get, ...more], '/v1/other')).toBe('allow');
      expect(head([everything, get, ...more], '/v1/secrets', 'POST')).toBe('allow');
      expect(head([everything, anywhere, ...more], '/v1/other')).toBe('deny');
      expect(head([asked, ...more], '/v1/refunds', 'GET')).toBe('allow');
      expect(head([asked, ...more], '/v1/refunds')).toBe('deny');
    }
  });

  it('leaves alone what no server reads alike', () => {
    const rules = [everything, restriction('deny', ['/v1/refunds', '/app.js', '/v1/:name.pdf'])];
    for (const path of ['/v1/refund', '/v1/refunds/1', '/v2/refunds', '/v1/refundss', '/v1', '/app.css', '/v1/a', '/v1/a.png'])
      expect(effectOf(rules, path), path).toBe('allow');
  });

  it('takes time in proportion to a path made to have many readings', () => {
    const policy = compilePolicy({ id: 'p', revision: 1, rules: [everything, restriction('deny', ['/v1/refunds/:id', '/a/*/b'])] });
    for (const part of ['/.', '/%3Bx', 'a.', '%2F', '/%20', '%2525', '%C3%A9', '/a%3Fx%23.json']) {
      const start = performance.now();
      decide(policy, facts(`/v1${part.repeat(Math.floor(16_000 / part.length))}.`));
      expect(performance.now() - start, part).toBeLessThan(1000);
    }
  });
});

describe('an allow', () => {
  it('covers the path that it names and no other spelling (property)', () => {
    fc.assert(
      fc.property(literal, steps, (path, how) => {
        const spelled = respell(path, how);
        expect(effectOf([{ name: 'one', effect: 'allow', match: { paths: [path] } }], spelled)).toBe(spelled === path ? 'allow' : 'deny');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a connection whose target is known to tell paths apart', () => {
  const rules = [everything, restriction('deny', ['/v1/refunds'])];
  it.each([
    [{ caseSensitive: true }, '/v1/Refunds', '/v1/refunds/'],
    [{ trailingSlash: 'significant' }, '/v1/refunds/', '/v1/Refunds'],
    [{ pathParameters: 'significant' }, '/v1/refunds%3Bx', '/v1/Refunds'],
    [{ trailingDots: 'significant', formatSuffix: 'significant' }, '/v1/refunds.', '/v1/Refunds'],
    [{ formatSuffix: 'significant' }, '/v1/refunds.json', '/v1/refunds.'],
  ] as const)('%j leaves %s alone, and still covers %s', (change, distinct, covered) => {
    expect(effectOf(rules, distinct)).toBe('deny');
    expect(effectOf(rules, distinct, settings(change))).toBe('allow');
    expect(effectOf(rules, covered, settings(change))).toBe('deny');
    expect(effectOf(rules, '/v1/refunds', settings(change))).toBe('deny');
    expect(effectOf([...rules, ...others], distinct, settings(change))).toBe('allow');
    expect(effectOf([...rules, ...others], covered, settings(change))).toBe('deny');
  });

  it('cannot have an encoded slash pass for data where the target could read a separator', () => {
    const paths = settings({ encodedSlash: 'data' });
    const one = [everything, restriction('deny', ['/repos/:owner/secret', '/admin/*', '/x%2Fy'])];
    for (const path of ['/repos/acme%2Fsecret', '/repos%2Facme%2Fsecret', '/admin%2Fusers', '/x%2Fy', '/x/y'])
      expect(effectOf(one, path, paths), path).toBe('deny');
    expect(effectOf(one, '/repos/acme%2Fapi', paths)).toBe('allow');
    expect(effectOf([{ name: 'one', effect: 'allow', match: { paths: ['/repos/:name'] } }], '/repos/acme%2Fapi', paths)).toBe('allow');
    expect(effectOf([{ name: 'one', effect: 'allow', match: { paths: ['/repos/:owner/:name'] } }], '/repos/acme%2Fapi', paths)).toBe(
      'deny',
    );
  });
});
