import { AppError } from '@hoop/contract';
import { describe, expect, it } from 'vitest';

import { readRequest } from './read-request.ts';
import type { RequestHead } from './read-request.ts';

const read = (rawHeaders: string[], head: Partial<RequestHead> = {}) =>
  readRequest({ method: 'POST', url: '/payments/v1/refunds', rawHeaders: ['Host', 'relay.example', ...rawHeaders], ...head });

function refusal(rawHeaders: string[], head: Partial<RequestHead> = {}): AppError {
  try {
    read(rawHeaders, head);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  }
  throw new Error(`accepted ${JSON.stringify(rawHeaders)}`);
}

describe('a request', () => {
  it('is read into one normalised form', () => {
    const request = read(['Content-Type', 'application/json', 'Content-Length', '12', 'Hoop-Grant', 'abc'], {
      url: '/payments/v1/refunds?dry=1',
    });
    expect(request).toMatchObject({
      method: 'POST',
      connection: 'payments',
      path: '/v1/refunds',
      search: '?dry=1',
      host: 'relay.example',
      contentLength: 12,
      chunked: false,
      hasBody: true,
    });
    expect(request.query['dry']).toEqual(['1']);
    expect(request.headers).toEqual([
      ['host', 'relay.example'],
      ['content-type', 'application/json'],
      ['content-length', '12'],
      ['hoop-grant', 'abc'],
    ]);
  });

  it('may be chunked, or have no body', () => {
    expect(read(['Transfer-Encoding', 'Chunked'])).toMatchObject({ chunked: true, contentLength: null, hasBody: true });
    expect(read([])).toMatchObject({ chunked: false, contentLength: null, hasBody: false });
    expect(read(['Content-Length', '0'])).toMatchObject({ contentLength: 0, hasBody: false });
  });

  it.each([
    ['websocket', ['Connection', 'Upgrade', 'Upgrade', 'websocket']],
    ['a list with one that is not h2c', ['Connection', 'keep-alive, upgrade', 'Upgrade', 'h2c, WebSocket']],
    ['two headers', ['Connection', 'upgrade', 'Upgrade', 'h2c', 'Upgrade', 'tls/1.3']],
  ])('is refused where the connection should change to %s', (_what, rawHeaders) => {
    expect(() => readRequest({ method: 'GET', url: '/payments/x', rawHeaders: ['Host', 'h', ...rawHeaders] })).toThrow(
      expect.objectContaining({ code: 'upgrade_unsupported', status: 501 }),
    );
  });

  it('goes on in HTTP/1.1 where it offers HTTP/2 in the clear, as Java does', () => {
    const rawHeaders = ['Host', 'h', 'Connection', 'Upgrade, HTTP2-Settings', 'Upgrade', 'h2c', 'HTTP2-Settings', 'AAEAAEAAAAI'];
    expect(readRequest({ method: 'GET', url: '/payments/x', rawHeaders }).headers.map(([name]) => name)).toEqual(['host', 'connection']);
    // Without the option it is no offer (RFC 9110 §7.8).
    expect(readRequest({ method: 'GET', url: '/payments/x', rawHeaders: ['Host', 'h', 'Upgrade', 'websocket'] }).path).toBe('/x');
  });

  it('may name this relay in absolute form, and no other host', () => {
    expect(read([], { url: 'http://RELAY.example/payments/v1?x=1' })).toMatchObject({
      connection: 'payments',
      path: '/v1',
      search: '?x=1',
    });
    expect(refusal([], { url: 'http://other.example/payments/v1' }).code).toBe('ambiguous_request');
    expect(refusal([], { url: 'http://relay.example@other.example/payments' }).code).toBe('invalid_path');
    for (const url of ['*', 'relay.example:443', 'ftp://relay.example/p', 'http://relay.example'])
      expect(refusal([], { url }).code).toBe('invalid_path');
  });

  it('loses the headers that Connection names, for everybody', () => {
    expect(read(['Connection', 'keep-alive, X-Hop', 'X-Hop', '1', 'X-End', '2']).headers.map(([name]) => name)).toEqual([
      'host',
      'connection',
      'x-end',
    ]);
  });
});

describe('a request is refused as ambiguous', () => {
  it.each<[string, string[], Partial<RequestHead>?]>([
    ['Content-Length and Transfer-Encoding', ['Content-Length', '3', 'Transfer-Encoding', 'chunked']],
    ['Content-Length and Transfer-Encoding in the other order', ['Transfer-Encoding', 'chunked', 'Content-Length', '3']],
    ['two Content-Length headers', ['Content-Length', '3', 'Content-Length', '4']],
    ['two equal Content-Length headers', ['Content-Length', '3', 'content-length', '3']],
    ['a list of lengths', ['Content-Length', '3, 3']],
    ['a signed length', ['Content-Length', '+3']],
    ['a negative length', ['Content-Length', '-3']],
    ['a hexadecimal length', ['Content-Length', '0x3']],
    ['an empty length', ['Content-Length', '']],
    ['a length beyond all numbers', ['Content-Length', '9'.repeat(16)]],
    ['two Transfer-Encoding headers', ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
    ['another coding', ['Transfer-Encoding', 'gzip, chunked']],
    ['identity', ['Transfer-Encoding', 'identity']],
    ['a coding that only looks like chunked', ['Transfer-Encoding', '\tchunked']],
    ['chunked in HTTP/1.0', ['Transfer-Encoding', 'chunked'], { httpVersion: '1.0' }],
    ['underscored framing', ['Content_Length', '3']],
    ['two Host headers', ['Host', 'other.example']],
    ['two Authorization headers', ['Authorization', 'Bearer a', 'authorization', 'Bearer b']],
    ['two Hoop-Grant headers', ['Hoop-Grant', 'a', 'hoop-grant', 'b']],
    ['two Hoop-Context headers', ['Hoop-Context', '{}', 'Hoop-Context', '{}']],
    ['two Content-Type headers', ['Content-Type', 'a/b', 'Content-Type', 'c/d']],
    ['a method override', ['X-HTTP-Method-Override', 'DELETE']],
    ['an underscored method override', ['X_HTTP_Method_Override', 'DELETE']],
    ['a path override', ['X-Original-URL', '/admin']],
    ['CR LF in a value', ['X-A', 'b\r\nX-C: d']],
    ['LF in a value', ['X-A', 'b\nc']],
    ['NUL in a value', ['X-A', 'b\0c']],
    ['a name that is no token', ['X A', 'b']],
    ['an empty name', ['', 'b']],
    ['a colon in a name', ['X:A', 'b']],
    ['Connection naming the grant', ['Connection', 'hoop-grant', 'Hoop-Grant', 'a']],
    ['Connection naming the length', ['Connection', 'close, content-length', 'Content-Length', '3']],
    ['Connection naming the host', ['Connection', 'Host']],
  ])('%s', (_what, rawHeaders, head) => expect(refusal(rawHeaders, head).code).toBe('ambiguous_request'));

  it('no Host header', () => expect(refusal([], { rawHeaders: [] }).code).toBe('ambiguous_request'));
});

describe('a request is refused', () => {
  it('for methods that are not forwarded', () => {
    for (const method of ['CONNECT', 'TRACE', 'get', 'GE T', 'M-SEARCH', '', 'A'.repeat(21)])
      expect(refusal([], { method }).code).toBe('method_not_allowed');
  });

  it('for too many or too long headers', () => {
    expect(refusal(Array.from({ length: 400 }, (_one, i) => `x-${i}`)).code).toBe('header_too_large');
    expect(refusal(['x-a', 'b'.repeat(65_536)]).code).toBe('header_too_large');
  });

  it('for paths that could be read in two ways', () => expect(refusal([], { url: '/payments/%2e%2e/admin' }).code).toBe('invalid_path'));
});
