import { AppError } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { flattenHeaders, forwardHeaders, headerValue, responseHeaders, returnHeaders } from './header-rules.ts';

const names = (headers: HeaderList): string[] => headers.map(([name]) => name);
const hop: HeaderList = [
  ['connection', 'close, X-Hop'],
  ['x-hop', '1'],
  ['keep-alive', 'timeout=5'],
  ['te', 'trailers'],
  ['trailer', 'x'],
  ['transfer-encoding', 'chunked'],
  ['upgrade', 'h2c'],
  ['proxy-connection', 'keep-alive'],
  ['http2-settings', 'AA'],
  ['proxy-authorization', 'Basic x'],
  ['proxy-authenticate', 'Basic'],
  ['hoop-grant', 'x'],
  ['hoop_grant', 'x'],
  ['hoop-anything', 'x'],
];

describe('headers to a target', () => {
  it('leave out hop-by-hop ones, credentials of the function, and what speaks of the way here', () => {
    const more: HeaderList = [
      ['host', 'relay'],
      ['authorization', 'Bearer grant'],
      ['cookie', 'a=b'],
      ['cookie2', 'x'],
      ['expect', '100-continue'],
      ['forwarded', 'for=1.2.3.4'],
      ['via', '1.1 x'],
      ['x-forwarded-for', '1.2.3.4'],
      ['x_forwarded_host', 'evil'],
      ['x-real-ip', '1.2.3.4'],
    ];
    const kept: HeaderList = [
      ['accept', '*/*'],
      ['content-type', 'text/plain'],
      ['content-length', '3'],
      ['x-hope', 'y'],
      ['accept', 'a/b'],
    ];
    expect(forwardHeaders([...hop, ...kept, ...more])).toEqual(kept);
  });

  describe('that targets trust from a proxy', () => {
    const proxyHeaders = [
      'Forwarded',
      'X-Forwarded-For',
      'X_Forwarded_Host',
      'X-Forwarded-Client-Cert',
      'X-Real-IP',
      'True-Client-IP',
      'CF-Connecting-IP',
      'CF_Connecting_IP',
      'Cf-Access-Authenticated-User-Email',
      'Fastly-Client-IP',
      'X-Client-IP',
      'X-Cluster-Client-IP',
      'Remote-User',
      'Remote_User',
      'X-Remote-User',
      'X-Remote-Group',
      'X-WebAuth-User',
      'X-Auth-Request-Email',
      'X-Original-Host',
      'X-Original-Forwarded-For',
      'X-Host',
      'X-HTTP-Host-Override',
      'X-HTTP-Path-Override',
      'X-Envoy-Original-Path',
      'X-Accel-Redirect',
      'X-Accel-Mapping',
      'X-Sendfile-Type',
      'X-Client-Cert',
      'Client-Cert',
      'Ssl-Client-Verify',
      'X-SSL-Client-S-DN',
      'X-ARR-ClientCert',
      'WL-Proxy-Client-IP',
      'X-Amzn-Oidc-Data',
      'X-Goog-Authenticated-User-Email',
      'X-MS-CLIENT-PRINCIPAL-NAME',
      'X-Appengine-Inbound-Appid',
      'X-Consumer-Username',
      'Tailscale-User-Login',
      'X-Middleware-Subrequest',
      'X-Scheme',
      'Front-End-Https',
    ];
    it.each(proxyHeaders)('are dropped unless they are to pass: %s', (name) => {
      const header: HeaderList = [[name.toLowerCase(), 'x']];
      expect(forwardHeaders(header)).toEqual([]);
      expect(forwardHeaders(header, [name.toLowerCase().replaceAll('_', '-')])).toEqual(header);
      expect(forwardHeaders(header, ['x-other'])).toEqual([]);
    });

    it('are not mixed up with those of APIs', () => {
      const api: HeaderList = [
        'x-amz-date',
        'x-github-api-version',
        'x-api-key',
        'idempotency-key',
        'stripe-version',
        'x-goog-user-project',
        'x-ms-date',
        'x-amzn-trace-id',
        'client-request-id',
        'x-ms-client-request-id',
        'x-stainless-lang',
      ].map((name) => [name, 'x']);
      expect(forwardHeaders(api)).toEqual(api);
    });

    it('never let what ends at the relay pass', () => {
      for (const name of ['authorization', 'cookie', 'hoop-grant', 'proxy-authorization', 'host', 'connection', 'via'])
        expect(forwardHeaders([[name, 'x']], [name])).toEqual([]);
    });
  });

  it('refuse values that would end their line', () => {
    for (const value of ['a\r\nb: c', 'a\n', '\0', 'a\x7f', 'ā']) expect(() => forwardHeaders([['x', value]])).toThrow(AppError);
  });
});

describe('headers to the function', () => {
  it('leave out hop-by-hop ones, look-alikes of ours, cookies, and statements about the origin of the target', () => {
    const kept: HeaderList = [
      ['content-type', 'text/plain'],
      ['content-length', '3'],
      ['etag', '"x"'],
      ['www-authenticate', 'Bearer'],
      ['x-a', '1'],
      ['x-a', '2'],
    ];
    const more: HeaderList = [
      ['set-cookie', 's=1'],
      ['alt-svc', 'h3=":443"'],
      ['strict-transport-security', 'max-age=1'],
      ['hoop-error', 'policy_denied'],
    ];
    expect(returnHeaders([...hop, ...kept, ...more])).toEqual(kept);
  });

  it('refuse what is not a header', () => {
    for (const header of [
      ['x', 'a\nb'],
      ['a b', 'c'],
      ['', 'c'],
    ] as [string, string][]) {
      expect(() => returnHeaders([header])).toThrow(expect.objectContaining({ code: 'target_invalid_response' }));
    }
  });

  it('come from what undici gives, in order and lower case', () => {
    const raw = ['X-A', '1', 'x-a', '2', 'Server', 'né'].map((text) => Buffer.from(text, 'latin1'));
    expect(responseHeaders(raw)).toEqual([
      ['x-a', '1'],
      ['x-a', '2'],
      ['server', 'né'],
    ]);
    expect(responseHeaders({ 'x-a': ['1', '2'], server: 'né', gone: undefined })).toEqual([
      ['x-a', '1'],
      ['x-a', '2'],
      ['server', 'né'],
    ]);
    expect(responseHeaders(null)).toEqual([]);
    expect(
      flattenHeaders([
        ['a', '1'],
        ['b', '2'],
      ]),
    ).toEqual(['a', '1', 'b', '2']);
    expect(
      headerValue(
        [
          ['a', '1'],
          ['a', '2'],
        ],
        'a',
      ),
    ).toBe('1');
    expect(headerValue([], 'a')).toBeUndefined();
  });
});

describe('any list of headers', () => {
  const name = fc.oneof(
    fc.constantFrom(...names(hop), 'accept', 'cookie', 'set-cookie', 'authorization', 'x-forwarded-host', 'x-b'),
    fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/),
  );
  const headers = fc.array(fc.tuple(name, fc.oneof(name, fc.string())), { maxLength: 12 }) as fc.Arbitrary<HeaderList>;

  it('loses what must not pass, keeps the order of the rest, and is not changed by a second pass (property)', () => {
    fc.assert(
      fc.property(headers, (list) => {
        for (const [rule, never] of [
          [forwardHeaders, /^(?:hoop[-_]|proxy[-_]|x[-_]forwarded[-_]|authorization$|cookie$|connection$|te$|host$)/],
          [returnHeaders, /^(?:hoop[-_]|proxy[-_]|set-cookie$|connection$|te$)/],
        ] as const) {
          let kept: HeaderList;
          try {
            kept = rule(list);
          } catch (error) {
            expect(error).toBeInstanceOf(AppError);
            continue;
          }
          const listed = list
            .filter(([one]) => one === 'connection')
            .flatMap(([, value]) =>
              value
                .toLowerCase()
                .split(',')
                .map((option) => option.trim()),
            );
          for (const [one, value] of kept) {
            expect(one).not.toMatch(never);
            expect(value).not.toMatch(/[\r\n\0]/);
            if (one !== 'close' && one !== 'keep-alive') expect(listed).not.toContain(one);
          }
          expect(list.filter((header) => kept.includes(header))).toEqual(kept);
          expect(rule(kept)).toEqual(kept);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
