import { AppError } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Injection } from '@hoop/contract';
import { Secret } from '@hoop/sealing';
import { createInjector as createInjectorOf } from './injection.ts';

const createInjector = (injection: Injection, text: string): ReturnType<typeof createInjectorOf> =>
  createInjectorOf(injection, new Secret(text));

const secret = 'sk_live_0123456789';
const header = (name = 'authorization', template = 'Bearer {secret}') => ({ into: 'header', name, template }) as const;

describe('a secret in a header', () => {
  it('takes the place of what the function sent there, in any spelling', () => {
    const headers: HeaderList = [
      ['accept', '*/*'],
      ['x-api-key', 'own'],
      ['x_api_key', 'own'],
      ['x-api-key', 'again'],
    ];
    expect(createInjector(header('X-Api-Key', 'key={secret}'), secret)({ headers, search: '?a=1' })).toEqual({
      headers: [
        ['accept', '*/*'],
        ['x-api-key', `key=${secret}`],
      ],
      search: '?a=1',
    });
    expect(headers).toHaveLength(4);
  });

  it('fills every place of its template, literally', () => {
    const injected = createInjector(header('x', '{secret}:{secret}'), '$&$1')({ headers: [], search: '' });
    expect(injected.headers).toEqual([['x', '$&$1:$&$1']]);
  });

  it('is refused with a line end, a NUL or what is not Latin-1, and is not shown', () => {
    for (const bad of [`${secret}\r\nx: y`, `${secret}\n`, `${secret}\0`, `${secret}ā`]) {
      try {
        createInjector(header(), bad);
        expect.unreachable();
      } catch (error) {
        expect((error as AppError).code).toBe('credential_unavailable');
        expect(String((error as AppError).stack)).not.toContain(secret);
      }
    }
    expect(() => createInjector(header('x', '{secret} '), secret)).toThrow(AppError);
  });
});

describe('a secret in basic authentication', () => {
  it('is the password, as UTF-8', () => {
    const { headers } = createInjector(
      { into: 'basic', username: 'hoop' },
      'pä:ss',
    )({ headers: [['authorization', 'Bearer grant']], search: '' });
    expect(headers).toEqual([['authorization', `Basic ${Buffer.from('hoop:pä:ss').toString('base64')}`]]);
  });
});

describe('a secret in the query', () => {
  const query = (search: string, name = 'api_key'): string =>
    createInjector({ into: 'query', name, template: '{secret}' }, 'a&b=c d')({ headers: [], search }).search;

  it('is encoded and comes last', () => {
    expect(query('')).toBe('?api_key=a%26b%3Dc%20d');
    expect(query('?x=1&y')).toBe('?x=1&y&api_key=a%26b%3Dc%20d');
  });

  it('takes the place of what the function sent under its name, in any spelling', () => {
    expect(query('?api_key=own&x=1&%61pi_key=own&API_KEY=own&api%5Fkey')).toBe('?x=1&api_key=a%26b%3Dc%20d');
    expect(query('?api+key=own&api%20key=own', 'api key')).toBe('?api%20key=a%26b%3Dc%20d');
  });

  it('is the only value of its name, and all others stay as they are (property)', () => {
    const part = fc.oneof(
      fc.constantFrom('api_key=1', '%61pi_key', 'x=%20', 'a+b=c', '=', '', 'API_key=2'),
      fc.stringMatching(/^[a-z=%2]{0,5}$/),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const before = parts.length === 0 ? '' : `?${parts.join('&')}`;
        const after = new URLSearchParams(query(before));
        expect(after.getAll('api_key')).toEqual(['a&b=c d']);
        const others = [...new URLSearchParams(before)].filter(([name]) => name.toLowerCase() !== 'api_key');
        expect([...after].filter(([name]) => name !== 'api_key')).toEqual(others);
      }),
    );
  });
});
