import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { findRoute, parseConnection } from './connection.ts';

const url = (text: string): URL => new URL(text);
const connections = [
  parseConnection('whole', 'https://api.example'),
  parseConnection('part', 'https://api.example/v1/'),
  parseConnection('deep', 'https://api.example/v1/admin'),
  parseConnection('port', 'https://api.example:8443'),
];

describe('findRoute', () => {
  test.each([
    ['https://api.example/', 'whole', '/'],
    ['https://api.example/v2/x?y', 'whole', '/v2/x'],
    ['https://api.example/v1', 'part', ''],
    ['https://api.example/v1/', 'part', '/'],
    ['https://api.example/v1/customers/7', 'part', '/customers/7'],
    ['https://api.example/v1/admin/users', 'deep', '/users'],
    ['https://api.example/v1//x', 'part', '//x'],
    ['https://api.example/v1/%7Ea%20b', 'part', '/%7Ea%20b'],
    ['https://API.example:443/v1/x', 'part', '/x'],
    ['https://api.example:8443/v1/x', 'port', '/v1/x'],
  ])('sends %s to %s', (from, name, rest) => {
    expect(findRoute(connections, url(from))).toEqual({ kind: 'connection', name, rest });
  });

  test.each([
    ['https://api.example/v10/x', 'whole'],
    ['https://api.example/v1/administration', 'part'],
    ['https://api.example/V1/x', 'whole'],
  ])('does not take %s for a longer prefix that ends within a segment or in other case', (from, name) => {
    expect(findRoute(connections, url(from))).toMatchObject({ name });
  });

  test.each(['http://api.example/', 'https://api.example.evil.test/', 'https://xapi.example/', 'https://api.example:444/'])(
    'serves nothing of %s',
    (from) => {
      expect(findRoute(connections, url(from))).toEqual({ kind: 'none' });
    },
  );

  test('takes dot segments away before it looks', () => {
    expect(findRoute(connections, url('https://api.example/v1/%2e%2e/x'))).toEqual({ kind: 'connection', name: 'whole', rest: '/x' });
    expect(findRoute([connections[1]!], url('https://api.example/v1/../x'))).toEqual({ kind: 'none' });
  });

  test('does not choose between two connections with the same target', () => {
    const two = [parseConnection('a', 'https://api.example/v1'), parseConnection('b', 'https://api.example/v1/')];
    expect(findRoute(two, url('https://api.example/v1/x'))).toEqual({ kind: 'ambiguous', names: ['a', 'b'] });
    expect(findRoute(two, url('https://api.example/v1/x'), 'b')).toEqual({ kind: 'connection', name: 'b', rest: '/x' });
  });

  test('takes the connection that was asked for, or says why not', () => {
    expect(findRoute(connections, url('https://api.example/v1/x'), 'whole')).toEqual({ kind: 'connection', name: 'whole', rest: '/v1/x' });
    expect(findRoute(connections, url('https://api.example/v1/x'), 'gone')).toEqual({
      kind: 'unknown',
      names: ['whole', 'part', 'deep', 'port'],
    });
    expect(findRoute(connections, url('https://elsewhere.example/'), 'part')).toEqual({
      kind: 'outside',
      target: 'https://api.example/v1/',
    });
  });

  test('target and rest always make the URL again, so that a call reaches what its caller wrote', () => {
    const segment = fc.stringMatching(/^[a-z0-9%._~-]{0,6}$/);
    const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`);
    fc.assert(
      fc.property(fc.array(path, { minLength: 1, maxLength: 5 }), path, (targets, wanted) => {
        const all = targets.map((target, i) => parseConnection(`c${i}`, `https://api.example${target}`));
        const asked = url(`https://api.example${wanted}`);
        const route = findRoute(all, asked);
        if (route.kind !== 'connection') return;
        const { origin, prefix } = all.find((one) => one.name === route.name)!;
        expect(origin + prefix + route.rest).toBe(asked.href);
        expect(route.rest === '' || route.rest.startsWith('/')).toBe(true);
      }),
    );
  });
});
