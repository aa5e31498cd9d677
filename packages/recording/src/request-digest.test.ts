import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { requestDigest } from './request-digest.ts';
import type { DigestedRequest } from './request-digest.ts';

const base: DigestedRequest = {
  method: 'POST',
  authority: 'api.payments.example:443',
  path: '/v1/refunds',
  search: '?dry=0',
  headers: [
    ['content-type', 'application/json'],
    ['x-tenant', 'acme'],
  ],
  identityId: 'idn_1',
  connectionId: 'con_1',
  credential: { id: 'crs_1', revision: 1 },
  policy: { id: 'pol_1', revision: 3 },
  body: Buffer.from('{"amount":20000}'),
};

describe('requestDigest', () => {
  it('has the documented canonical form', async () => {
    const { createHash } = await import('node:crypto');
    const canonical = [
      'hoop-request-digest/1',
      'method:4:POST',
      'authority:24:api.payments.example:443',
      'path:11:/v1/refunds',
      'search:6:?dry=0',
      'header:29:content-type:application/json',
      'header:13:x-tenant:acme',
      'identity:5:idn_1',
      'connection:5:con_1',
      'credential:7:crs_1@1',
      'policy:7:pol_1@3',
      'body:16:{"amount":20000}',
      '',
    ].join('\n');
    expect(requestDigest(base)).toBe(createHash('sha256').update(canonical).digest('hex'));
  });

  it('does not depend on the order of headers or on those that differ between two sendings', () => {
    const again = {
      ...base,
      headers: [
        ['X-Tenant', 'acme'],
        ['user-agent', 'x'],
        ['date', 'x'],
        ['traceparent', '00-1'],
        ['content-type', 'application/json'],
      ] as [string, string][],
    };
    expect(requestDigest(again)).toBe(requestDigest(base));
  });

  it.each<[string, Partial<DigestedRequest>]>([
    ['method', { method: 'PUT' }],
    ['authority', { authority: 'api.payments.example:8443' }],
    ['path', { path: '/v1/refunds/' }],
    ['slash that is data', { path: '/v1%2Frefunds' }],
    ['query', { search: '?dry=1' }],
    [
      'header value',
      {
        headers: [
          ['content-type', 'application/json'],
          ['x-tenant', 'acmf'],
        ],
      },
    ],
    ['method override', { headers: [...base.headers, ['x-http-method-override', 'DELETE']] }],
    ['preference', { headers: [...base.headers, ['prefer', 'resolution=merge-duplicates']] }],
    ['repeated header', { headers: [...base.headers, ['x-tenant', 'acme']] }],
    ['identity', { identityId: 'idn_2' }],
    ['connection', { connectionId: 'con_2' }],
    ['credential revision', { credential: { id: 'crs_1', revision: 2 } }],
    ['credential removed', { credential: null }],
    ['policy revision', { policy: { id: 'pol_1', revision: 4 } }],
    ['body', { body: Buffer.from('{"amount":20001}') }],
  ])('changes with the %s', (_, change) => {
    expect(requestDigest({ ...base, ...change })).not.toBe(requestDigest(base));
  });

  it('changes with a question mark that nothing follows', () => {
    expect(requestDigest({ ...base, search: '?' })).not.toBe(requestDigest({ ...base, search: '' }));
  });

  it('gives no two requests the same canonical form, whatever is in their fields', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ':', '\n', '1', 'é') });
    const request = fc.record({ path: text, search: text, identityId: text, connectionId: text });
    fc.assert(
      fc.property(request, request, (a, b) => {
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        return (requestDigest({ ...base, ...a }) === requestDigest({ ...base, ...b })) === isSame;
      }),
    );
  });

  it('changes with every single byte of the body', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (body, at, flip) => {
        const changed = Uint8Array.from(body);
        changed[at % body.length]! ^= flip;
        return requestDigest({ ...base, body }) !== requestDigest({ ...base, body: changed });
      }),
    );
  });
});
