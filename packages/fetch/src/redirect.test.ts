import { describe, expect, test } from 'vitest';

import { followRedirect, type Hop } from './redirect.ts';

const hop = (method = 'POST', headers: Record<string, string> = {}): Hop => ({
  url: new URL('https://api.example/a/b'),
  method,
  headers: new Headers(headers),
  body: { value: 'text', isReplayable: true },
});

describe('followRedirect', () => {
  test.each([
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'POST', 'GET'],
    [307, 'POST', 'POST'],
    [308, 'POST', 'POST'],
    [301, 'PATCH', 'PATCH'],
    [302, 'DELETE', 'DELETE'],
    [303, 'DELETE', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [301, 'GET', 'GET'],
  ])('turns a %i of %s into %s', (status, from, to) => {
    expect(followRedirect(hop(from), status, '/c').method).toBe(to);
  });

  test('takes credentials and the host away where the origin changes, and only there', () => {
    const headers = { authorization: 'a', 'proxy-authorization': 'p', cookie: 'c', host: 'h', 'x-own': 'o' };
    const names = (location: string): string[] => [...followRedirect(hop('GET', headers), 302, location).headers.keys()];
    expect(names('https://api.example/c')).toEqual(['authorization', 'cookie', 'host', 'proxy-authorization', 'x-own']);
    for (const elsewhere of ['https://other.example/', '//api.example:8443/', 'http://api.example/'])
      expect(names(elsewhere)).toEqual(['x-own']);
  });

  test('leaves the headers of the request before untouched', () => {
    const before = hop('POST', { 'content-type': 'text/plain', cookie: 'c' });
    followRedirect(before, 302, 'https://other.example/');
    expect([...before.headers.keys()]).toEqual(['content-type', 'cookie']);
  });

  test.each(['https://user@api.example/', 'https://:pass@api.example/', 'ftp://api.example/', 'javascript:alert(1)', 'http://['])(
    'refuses %s',
    (location) => {
      expect(() => followRedirect(hop(), 302, location)).toThrow(TypeError);
    },
  );
});
