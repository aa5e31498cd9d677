import { AppError } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodedSlashRefused, normalisePath, parseQuery } from './path.ts';

function refusal(url: string): string {
  try {
    normalisePath(url);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('invalid_path');
    return (error as AppError).detail;
  }
  throw new Error(`accepted ${JSON.stringify(url)}`);
}

describe("the target's own path", () => {
  it.each(['/', '/v1', '/v1/x?y=1', '/a/b/', '/?q'])('%s is read as it is', (url) => {
    const { connection, path, search } = normalisePath(url, 'target');
    expect([connection, path + search]).toEqual(['', url]);
  });

  it.each(['', 'v1', '*', '//x', '/a//b', '/a/../b', '/%2e%2e/x', '/a;b', '/a\\b'])('%j is refused by the same rules', (url) => {
    expect(() => normalisePath(url, 'target')).toThrow(expect.objectContaining({ code: 'invalid_path' }));
  });

  it('is read as it is under a connection', () => {
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        const read = (url: string, form?: 'target'): string => {
          try {
            const { path: normal, search } = normalisePath(url, form);
            return normal + search;
          } catch (error) {
            return (error as AppError).code;
          }
        };
        if (path !== '') expect(read(path, 'target')).toBe(read(`/c${path}`));
      }),
    );
  });
});

describe('a path', () => {
  it('is a connection, the path of the target and a query', () => {
    expect(normalisePath('/payments/v1/customers?limit=2')).toEqual({
      connection: 'payments',
      path: '/v1/customers',
      search: '?limit=2',
      hasEncodedSlash: false,
    });
    expect(normalisePath('/payments')).toMatchObject({ connection: 'payments', path: '/', search: '' });
    expect(normalisePath('/payments/')).toMatchObject({ connection: 'payments', path: '/', search: '' });
    expect(normalisePath('/payments?a')).toMatchObject({ connection: 'payments', path: '/', search: '?a' });
    expect(normalisePath('/p/a?next=/../x//y')).toMatchObject({ path: '/a', search: '?next=/../x//y' });
  });

  it('keeps a question mark that nothing follows', () => {
    expect(normalisePath('/payments/v1/?')).toMatchObject({ connection: 'payments', path: '/v1/', search: '?' });
    expect(normalisePath('/payments?')).toMatchObject({ connection: 'payments', path: '/', search: '?' });
  });

  it('with an encoded slash says so, and keeps it as data of its segment', () => {
    expect(normalisePath('/git/repos/acme%2fapi/contents?ref=a%2Fb')).toMatchObject({
      path: '/repos/acme%2Fapi/contents',
      hasEncodedSlash: true,
    });
    expect(normalisePath('/git/repos?ref=a%2Fb').hasEncodedSlash).toBe(false);
    expect(encodedSlashRefused('git')).toMatchObject({ code: 'invalid_path', detail: expect.stringContaining('paths.encodedSlash') });
  });

  it('is the same whether plain characters were encoded or not', () => {
    expect(normalisePath('/p/%76%31/%61dmin%3Asearch%40x%7e').path).toBe('/v1/admin:search@x~');
    expect(normalisePath('/%70ay/x').connection).toBe('pay');
  });

  it('keeps what must stay encoded, with upper-case digits', () => {
    expect(normalisePath('/p/caf%c3%a9%20a%3bb%2bc%3d').path).toBe('/caf%C3%A9%20a%3Bb%2Bc%3D');
    expect(normalisePath('/p/100%25').path).toBe('/100%25');
    expect(normalisePath('/p/.well-known/a..b/...').path).toBe('/.well-known/a..b/...');
  });

  it.each([
    ['".."', '/p/../x'],
    ['".."', '/p/..'],
    ['"."', '/p/./x'],
    ['"."', '/p/.'],
    ['".."', '/../x'],
    ['".."', '/p/a/..?x'],
    ['encoded slash', '/p%2Fa/b'],
    ['encoded slash', '/p%2fa'],
    ['"." or ".."', '/p/..%2Fadmin'],
    ['"." or ".."', '/p/a%2F../admin'],
    ['"." or ".."', '/p/a%2F.'],
    ['"." or ".."', '/p/..%3Bx/admin'],
    ['"." or ".."', '/p/..%20/admin'],
    ['"." or ".."', '/p/.%20%20'],
    ['"." or ".."', '/p/..%C2%A0/admin'],
    ['"." or ".."', '/p/a/..%3Fx'],
    ['"." or ".."', '/p/..%23/x'],
    ['"." or ".."', '/p/..%253Bx/admin'],
    ['overlong', '/p/%c1%b2efunds'],
    ['overlong', '/p/a%c0%afb'],
    ['overlong', '/p/%e0%80%afx'],
    ['overlong', '/p/%f0%80%80%afx'],
    ['overlong', '/p/%25c0%25af'],
    ['twice', '/p/a/%25%32e%25%32e/admin'],
    ['twice', '/p/a/%25%32%65'],
    ['twice', '/p/a/%2525%32e'],
    ['twice', '/p/a/%25252e%25252e/admin'],
    ['twice', '/p/a/%25%32%46x'],
    ['twice', '/p/a%25u002fb'],
    ['twice', '/p/a%250a'],
    ['backslash', '/p/a%5cb'],
    ['dot', '/p/%2e%2e/x'],
    ['dot', '/p/.%2e/x'],
    ['dot', '/p/a%2Ejson'],
    ['twice', '/p/%252e%252e/x'],
    ['twice', '/p/a%252Fb'],
    ['twice', '/p/a%255c'],
    ['twice', '/p/a%2500'],
    ['control', '/p/a%00'],
    ['control', '/p/a%0d%0aHost:x'],
    ['control', '/p/a%7f'],
    ['U+0000', '/p/a\0'],
    ['U+000A', '/p/a\nb'],
    ['U+0020', '/p/a b'],
    ['U+00E9', '/p/é'],
    ['U+FF0F', '/p/／'],
    ['backslash', '/p\\..\\x'],
    ['fragment', '/p/a#b'],
    [';', '/p/..;/x'],
    [';', '/p/a;x=1'],
    ['"<"', '/p/<'],
    ['two hexadecimal', '/p/%'],
    ['two hexadecimal', '/p/%4'],
    ['two hexadecimal', '/p/%zz'],
    ['two hexadecimal', '/p/%u0061'],
    ['empty segment', '/p//x'],
    ['empty segment', '//p/x'],
    ['empty segment', '/p/x//'],
    ['name of a connection', '/'],
    ['name of a connection', ''],
    ['name of a connection', 'p/x'],
    ['name of a connection', '*'],
    ['name of a connection', '/?x'],
    ['query', '/p/a?b=%'],
    ['query', '/p/a?b=%zz'],
    ['query', '/p/a?b c'],
    ['query', '/p/a?b\r\nX: y'],
    ['query', '/p/a?b#c'],
    ['query', '/p/a?é'],
    ['longer', `/p/${'a'.repeat(16_384)}`],
  ])('is refused for %s: %j', (word, url) => expect(refusal(url)).toContain(word));

  it('read again is the same (property)', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'a',
        'Z',
        '0',
        '-',
        '_',
        '~',
        ':',
        '@',
        '.',
        '..',
        '/',
        '%2',
        '%41',
        '%c3%a9',
        '%3a',
        '%2B',
        '%25',
        '%32',
        '%65',
        '2e',
        '2F',
        '%3B',
        '%20',
        '%2e',
        '%2f',
        ';',
        '?',
        '=',
        '&',
        '\\',
        '%00',
      ),
      fc.string({ maxLength: 2 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const url = `/p/${pieces.join('')}`;
        let once;
        try {
          once = normalisePath(url);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          return;
        }
        expect(normalisePath(`/${once.connection}${once.path}${once.search}`)).toEqual(once);
        // A URL parser finds nothing left to resolve, so no other reader can arrive at another path.
        expect(new URL(`https://t${once.path}${once.search}`).pathname).toBe(once.path);
        expect(once.path.split('/').slice(1, -1)).not.toContain('');
        const separators = once.path.replaceAll('%2F', '/').split('/').length;
        // However often it is decoded.
        for (let decoded = once.path, before = ''; decoded !== before; before = decoded, decoded = decodeLatin(decoded)) {
          // oxlint-disable-next-line no-control-regex -- they are what it looks for
          expect(decoded).not.toMatch(/[\\\0-\x1f\x7f]|\/\.{1,2}(?:\/|$)/);
          if (decoded !== once.path) expect(decoded.split('/')).toHaveLength(separators);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('of nothing but encodings of encodings costs time in proportion to its length', () => {
    const path = `/p/${'%25'.repeat(5000)}41`;
    const start = performance.now();
    expect(normalisePath(path).path).toHaveLength(path.length - 2);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

/** Every triplet as its byte, valid UTF-8 or not. */
const decodeLatin = (text: string): string =>
  text.replace(/%([0-9a-fA-F]{2})/g, (_triplet, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

describe('a query', () => {
  it('keeps every value of a name, and no name is special', () => {
    const query = parseQuery('?a=1&a=2&b&__proto__=x&c=%20+d');
    expect({ ...query }).toMatchObject({ a: ['1', '2'], b: [''], c: ['  d'] });
    expect(Object.getPrototypeOf(query)).toBeNull();
    expect(query['__proto__']).toEqual(['x']);
    expect(query['toString']).toBeUndefined();
  });

  it('reads as the platform reads it, escaped or not (property)', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab=&?%41+-]{0,12}$/), (text) => {
        const expected: Record<string, string[]> = {};
        for (const [name, value] of new URLSearchParams(`?${text}`)) (expected[name] ??= []).push(value);
        expect({ ...parseQuery(`?${text}`) }).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });
});
