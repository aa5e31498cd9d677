import { AppError } from '@hoop/contract';
import { describe, expect, it } from 'vitest';

import { checkEndpoint, parseTarget } from './target.ts';

const parse = (target: string, allowedCidrs: string[] = [], allowedHosts: string[] = []) =>
  parseTarget({ target, allowedCidrs, allowedHosts });

function refusal(...args: Parameters<typeof parse>): string {
  try {
    parse(...args);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('target_refused');
    return (error as AppError).detail;
  }
  throw new Error(`accepted ${args[0]}`);
}

describe('a target', () => {
  it('is an origin and a base path', () => {
    expect(parse('https://API.Example:443/v2/')).toMatchObject({
      origin: 'https://api.example',
      hostname: 'api.example',
      host: 'api.example',
      basePath: '/v2',
      protocol: 'https:',
    });
    expect(parse('http://api.example:8080')).toMatchObject({ origin: 'http://api.example:8080', host: 'api.example:8080', basePath: '' });
    expect(parse('https://[2606:4700::1]')).toMatchObject({ hostname: '2606:4700::1' });
  });

  it('brings the origins of its allowed hosts', () => {
    expect(parse('https://api.example', [], ['files.example', 'eu.example:8443']).origins).toEqual([
      'https://api.example',
      'https://files.example',
      'https://eu.example:8443',
    ]);
  });

  it('may be private where a range allows it', () => {
    expect(parse('http://127.0.0.1:9000', ['127.0.0.0/8']).hostname).toBe('127.0.0.1');
    expect(parse('http://localhost:9000', ['::1']).hostname).toBe('localhost');
    expect(parse('http://[::1]:9000', ['::1/128']).hostname).toBe('::1');
  });
});

describe('a target is refused', () => {
  it.each([
    ['user name', 'https://user@api.example'],
    ['user name', 'https://user:pass@api.example'],
    ['query', 'https://api.example/?a=1'],
    ['query', 'https://api.example/?'],
    ['fragment', 'https://api.example/#a'],
    ['fragment', 'https://api.example/#'],
    ['scheme', 'ftp://api.example'],
    ['scheme', 'file:///etc/passwd'],
    ['scheme', 'javascript:alert(1)'],
    ['absolute URL', 'api.example'],
    ['absolute URL', ''],
    ['absolute URL', 'https://'],
    ['backslash', 'https://api.example\\@evil.example'],
    ['white space', 'https://api.example/a b'],
    ['dot', 'https://api.example.'],
    ['dot segments', 'https://api.example/a/../b'],
    ['dot segments', 'https://api.example/a/%2e%2e/b'],
    ['dot segments', 'https://api.example/a%2fb'],
    ['dot segments', 'https://api.example/a%00'],
    ['empty segments', 'https://api.example/a//b'],
    ['private', 'http://127.0.0.1'],
    ['private', 'http://2130706433'],
    ['private', 'http://0x7f.1'],
    ['private', 'http://0177.0.0.1'],
    ['private', 'http://127.1'],
    ['private', 'http://[::ffff:127.0.0.1]'],
    ['private', 'http://[::]'],
    ['private', 'http://169.254.169.254'],
    ['private', 'http://１２７.0.0.1'],
    ['this machine', 'http://localhost'],
    ['this machine', 'http://a.LOCALHOST:80'],
  ])('for its %s: %s', (word, target) => expect(refusal(target)).toContain(word));

  it('for allowed hosts and ranges that are none', () => {
    for (const host of ['https://x.example', 'x.example/path', 'user@x.example', 'x.example?', '', '127.0.0.1', 'localhost'])
      refusal('https://api.example', [], [host]);
    expect(refusal('https://api.example', ['nonsense'])).toContain('not an address range');
    expect(refusal('https://api.example', ['0.0.0.0/0'])).toContain('too wide');
  });
});

describe('an endpoint of our own calls', () => {
  it('may have a query, and be private or plain where a range allows it', () => {
    for (const [url, ranges] of [
      ['https://login.example/keys?p=policy', []],
      ['http://127.0.0.1:9000/token', ['127.0.0.0/8']],
      ['http://idp.internal/token', ['10.0.0.0/8']],
    ] as const) {
      expect(() => checkEndpoint(url, ranges, 'token URL')).not.toThrow();
    }
  });

  it.each([
    ['absolute URL', 'token', []],
    ['scheme', 'ftp://idp.example', []],
    ['user name', 'https://user:pass@idp.example', []],
    ['plain http', 'http://idp.example/token', []],
    ['private', 'https://10.0.0.1/token', []],
    ['private', 'https://10.0.0.1/token', ['10.1.0.0/16']],
    ['this machine', 'https://localhost/token', []],
    ['not an address range', 'https://idp.example', ['x']],
  ])('is refused for its %s: %s', (word, url, ranges) => {
    expect(() => checkEndpoint(url, ranges, 'token URL')).toThrow(
      expect.objectContaining({ code: 'target_refused', detail: expect.stringContaining(word) }),
    );
  });
});
