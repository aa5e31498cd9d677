import { createHash, generateKeyPairSync } from 'node:crypto';

import { AppError, identityProviderSettingsSchema, newId } from '@hoop/contract';
import type { ProviderSnapshot } from '@hoop/contract';
import { createTestAuthority, startIssuer, startTarget, testClock } from '@hoop/testkit';
import type { TestClock, TestIssuer } from '@hoop/testkit';
import { createGuardedFetch } from '@hoop/upstream';
import { SignJWT, UnsecuredJWT, exportJWK, generateKeyPair } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createProviderVerifier } from '../../index.ts';
import type { ProviderVerifier } from '../../index.ts';

const cleanups: (() => Promise<void>)[] = [];
let clock: TestClock;
let issuer: TestIssuer;
let provider: ProviderSnapshot;
let verifier: ProviderVerifier;

beforeEach(async () => {
  clock = testClock();
  issuer = await startIssuer({ now: clock.now });
  cleanups.push(() => issuer.close());
  provider = providerFor(issuer.issuer);
  verifier = createProviderVerifier({ fetch: createGuardedFetch, now: clock.now });
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function providerFor(url: string, settings: Record<string, unknown> = {}): ProviderSnapshot {
  return {
    id: newId('identity_provider'),
    name: 'company',
    disabled: false,
    settings: identityProviderSettingsSchema.parse({
      issuer: url,
      audiences: ['hoop'],
      allowedCidrs: ['127.0.0.0/8'],
      clockToleranceSeconds: 0,
      ...settings,
    }),
  };
}

async function refusal(token: string, providers: readonly ProviderSnapshot[] = [provider]): Promise<AppError> {
  const error = await verifier.verify(token, providers).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).detail).toMatch(/\.$/);
  return error as AppError;
}
const codeOf = async (token: string, providers?: readonly ProviderSnapshot[]): Promise<string> => (await refusal(token, providers)).code;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const base = () => ({ iss: issuer.issuer, sub: 'machine', aud: 'hoop', iat: clock.now() / 1000, exp: clock.now() / 1000 + 300 });

describe('a token of a registered issuer', () => {
  it('proves its subject', async () => {
    const subject = await verifier.verify(await issuer.sign({ repository: 'acme/billing' }), [provider]);
    expect(subject).toMatchObject({
      provider,
      issuer: issuer.issuer,
      subject: 'machine',
      issuedAt: clock.now(),
      expiresAt: clock.now() + 300_000,
    });
    expect(subject.claims['repository']).toBe('acme/billing');
  });

  it('may name several audiences', async () => {
    expect((await verifier.verify(await issuer.sign({ aud: ['other', 'hoop'] }), [provider])).subject).toBe('machine');
  });

  it.each(['RS256', 'PS384', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
    'may be signed with %s where its provider lists that',
    async (algorithm) => {
      const other = await startIssuer({ algorithm, now: clock.now });
      cleanups.push(() => other.close());
      expect((await verifier.verify(await other.sign(), [providerFor(other.issuer, { algorithms: [algorithm] })])).subject).toBe('machine');
      expect(await codeOf(await other.sign(), [providerFor(other.issuer, { algorithms: ['ES256'] })])).toBe('token_algorithm_refused');
    },
  );

  it('is valid in its last millisecond and refused at the instant of expiry', async () => {
    const token = await issuer.sign();
    clock.advance(299_999);
    await verifier.verify(token, [provider]);
    clock.advance(1);
    expect(await codeOf(token)).toBe('token_expired');
  });

  it('is refused until the instant of nbf, and until that of iat', async () => {
    const seconds = clock.now() / 1000;
    const later = await issuer.sign({ nbf: seconds + 10 });
    const issuedLater = await issuer.sign({ iat: seconds + 10, exp: seconds + 100 });
    clock.advance(9_999);
    expect(await codeOf(later)).toBe('token_not_yet_valid');
    expect(await codeOf(issuedLater)).toBe('token_not_yet_valid');
    clock.advance(1);
    await verifier.verify(later, [provider]);
    await verifier.verify(issuedLater, [provider]);
  });

  it('is refused at the instant of its maximum age, whatever its expiry', async () => {
    const token = await issuer.sign({ exp: clock.now() / 1000 + 86_400 });
    const strict = providerFor(issuer.issuer, { maxAgeSeconds: 60 });
    clock.advance(59_999);
    await verifier.verify(token, [strict]);
    clock.advance(1);
    expect(await codeOf(token, [strict])).toBe('token_too_old');
  });

  it('is given the tolerance of its provider and no millisecond more', async () => {
    const token = await issuer.sign();
    const tolerant = providerFor(issuer.issuer, { clockToleranceSeconds: 30 });
    clock.advance(329_999);
    await verifier.verify(token, [tolerant]);
    clock.advance(1);
    expect(await codeOf(token, [tolerant])).toBe('token_expired');
  });
});

describe('a token is refused', () => {
  it('of an unknown issuer, and names it', async () => {
    const error = await refusal(await issuer.sign({ iss: 'https://elsewhere.example' }));
    expect(error.code).toBe('token_issuer_unknown');
    expect(error.extras['issuer']).toBe('https://elsewhere.example');
    expect(await codeOf(await issuer.sign({ iss: `${issuer.issuer}/` }))).toBe('token_issuer_unknown');
  });

  it('for another audience, and says which would do', async () => {
    const error = await refusal(await issuer.sign({ aud: 'someone-else' }));
    expect(error.code).toBe('token_audience_mismatch');
    expect(error.detail).toContain('"hoop"');
  });

  it('of a disabled provider', async () => {
    expect(await codeOf(await issuer.sign(), [{ ...provider, disabled: true }])).toBe('provider_disabled');
  });

  it('that two providers would accept', async () => {
    expect(await codeOf(await issuer.sign(), [provider, providerFor(issuer.issuer)])).toBe('identity_ambiguous');
  });

  it('without iss, aud, sub, exp or iat, and names the claim', async () => {
    for (const claim of ['iss', 'aud', 'sub', 'exp', 'iat']) {
      const error = await refusal(await issuer.sign({ [claim]: undefined }));
      expect([error.code, error.extras['claim']]).toEqual(['token_claim_missing', claim]);
    }
  });

  it('with times that are no times', async () => {
    expect(await codeOf(await issuer.sign({ nbf: 'soon' }))).toBe('token_malformed');
    expect(await codeOf(await issuer.sign({ nbf: -1 }))).toBe('token_malformed');
  });

  it('with alg none or HMAC, keyed with the public key or not', async () => {
    expect(await codeOf(new UnsecuredJWT(base()).encode())).toBe('token_algorithm_refused');
    const publicKey = Buffer.from(JSON.stringify(issuer.jwks.keys[0]));
    expect(
      await codeOf(await new SignJWT(base()).setProtectedHeader({ alg: 'HS256', kid: issuer.jwks.keys[0]!.kid! }).sign(publicKey)),
    ).toBe('token_algorithm_refused');
  });

  it('with an algorithm that its provider does not list', async () => {
    expect(await codeOf(await issuer.sign(), [providerFor(issuer.issuer, { algorithms: ['RS256'] })])).toBe('token_algorithm_refused');
  });

  it('signed by a key that it brings itself, embedded or by URL', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'evil', alg: 'ES256' };
    const evil = await startTarget((_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
    cleanups.push(() => evil.close());
    let asked = 0;
    evil.server.on('request', () => asked++);
    for (const header of [{ jwk }, { jku: `${evil.url}/jwks` }, { x5u: `${evil.url}/x5u` }]) {
      clock.advance(60_000);
      expect(await codeOf(await issuer.sign({}, { key: privateKey, header: { ...header, kid: 'evil' } as never }))).toBe(
        'token_key_unknown',
      );
      expect(await codeOf(await issuer.sign({}, { key: privateKey, header: header as never }))).toBe('token_signature_invalid');
    }
    expect(asked).toBe(0);
  });

  it('whose payload was changed', async () => {
    const [header, , signature] = (await issuer.sign()).split('.');
    expect(await codeOf(`${header}.${encode({ ...base(), sub: 'admin' })}.${signature}`)).toBe('token_signature_invalid');
  });

  it('with critical extensions, or of a type that proves no identity', async () => {
    const [, payload, signature] = (await issuer.sign()).split('.');
    expect(await codeOf(`${encode({ alg: 'ES256', crit: ['b64'], b64: false })}.${payload}.${signature}`)).toBe('token_malformed');
    expect(await codeOf(await issuer.sign({}, { header: { typ: 'logout+jwt' } }))).toBe('token_malformed');
  });

  it('when two keys come into question', async () => {
    const other = await generateKeyPair('ES256', { extractable: true });
    issuer.jwks = { keys: [issuer.jwks.keys[0]!, { ...(await exportJWK(other.publicKey)), kid: issuer.jwks.keys[0]!.kid!, alg: 'ES256' }] };
    expect(await codeOf(await issuer.sign())).toBe('token_key_ambiguous');
    issuer.jwks = { keys: [issuer.jwks.keys[0]!, { ...(await exportJWK(other.publicKey)), kid: 'two', alg: 'ES256' }] };
    verifier = createProviderVerifier({ fetch: createGuardedFetch, now: clock.now });
    expect(await codeOf(await issuer.sign({}, { header: { kid: undefined } as never }))).toBe('token_key_ambiguous');
    await verifier.verify(await issuer.sign(), [provider]);
  });

  it('whose RSA key is shorter than 2048 bits', async () => {
    const weak = await startIssuer({ algorithm: 'RS256', now: clock.now });
    cleanups.push(() => weak.close());
    const [jwk] = weak.jwks.keys;
    weak.jwks = { keys: [{ ...jwk!, n: Buffer.from(jwk!.n!, 'base64url').subarray(0, 128).toString('base64url') }] };
    expect(await codeOf(await weak.sign(), [providerFor(weak.issuer)])).toBe('token_key_unknown');
  });

  it('that anybody could have signed: RSA with the exponent 1, and an Ed25519 key of small order', async () => {
    const header = (alg: string): string => encode({ alg, kid: 'weak', typ: 'JWT' });
    // EMSA-PKCS1-v1_5 (RFC 8017 §9.2): to the power of 1 the padded digest is its own signature.
    const { n } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
    const rsaInput = `${header('RS256')}.${encode(base())}`;
    const digestInfo = Buffer.concat([
      Buffer.from('3031300d060960864801650304020105000420', 'hex'),
      createHash('sha256').update(rsaInput).digest(),
    ]);
    const padded = Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(256 - digestInfo.length - 3, 0xff), Buffer.from([0]), digestInfo]);
    // The neutral point as key: R = S·B with S = 0 verifies any message.
    const neutral = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]);
    const edInput = `${header('EdDSA')}.${encode(base())}`;
    for (const [alg, jwk, token] of [
      ['RS256', { kty: 'RSA', n: n!, e: 'AQ' }, `${rsaInput}.${padded.toString('base64url')}`],
      [
        'EdDSA',
        { kty: 'OKP', crv: 'Ed25519', x: neutral.toString('base64url') },
        `${edInput}.${Buffer.concat([neutral, Buffer.alloc(32)]).toString('base64url')}`,
      ],
    ] as const) {
      issuer.jwks = { keys: [{ ...jwk, kid: 'weak' }] };
      verifier = createProviderVerifier({ fetch: createGuardedFetch, now: clock.now });
      const error = await refusal(token, [providerFor(issuer.issuer, { algorithms: [alg] })]);
      expect(error.code).toBe('token_key_unknown');
      expect(error.detail).toMatch(/is not accepted: its (?:exponent is 1|point has a small order)/);
    }
  });

  it('whose key is for encryption, or of another algorithm, curve or kind', async () => {
    const [jwk] = issuer.jwks.keys;
    for (const change of [{ use: 'enc' }, { alg: 'ES384' }, { crv: 'P-384' }, { key_ops: ['encrypt'] }, { kty: 'oct', k: 'AAAA' }]) {
      issuer.jwks = { keys: [{ ...jwk!, ...change } as never] };
      verifier = createProviderVerifier({ fetch: createGuardedFetch, now: clock.now });
      expect(await codeOf(await issuer.sign())).toBe('token_key_unknown');
    }
  });
});

describe('keys of a provider', () => {
  it('are fetched once for many tokens, at the same time or after each other', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, () => issuer.sign()));
    await Promise.all(tokens.map((token) => verifier.verify(token, [provider])));
    for (const token of tokens) await verifier.verify(token, [provider]);
    expect(issuer.hits).toEqual({ '/.well-known/openid-configuration': 1, '/jwks': 1 });
  });

  it('are found without discovery where the settings name them', async () => {
    await verifier.verify(await issuer.sign(), [providerFor(issuer.issuer, { jwksUri: issuer.jwksUri })]);
    expect(issuer.hits).toEqual({ '/jwks': 1 });
  });

  it('are fetched at once for a key that the issuer has just begun to use', async () => {
    await verifier.verify(await issuer.sign(), [provider]);
    await issuer.rotate();
    clock.advance(1);
    const token = await issuer.sign();
    await Promise.all([verifier.verify(token, [provider]), verifier.verify(token, [provider])]);
    expect(issuer.hits['/jwks']).toBe(2);
  });

  it('are fetched for unknown kids at most twice in a cool-down; who comes then is told when to come again', async () => {
    await verifier.verify(await issuer.sign(), [provider]);
    const forged = await issuer.sign({}, { header: { kid: 'never-published' } });
    expect(await codeOf(forged)).toBe('token_key_unknown');
    expect(issuer.hits['/jwks']).toBe(2);
    await issuer.rotate();
    const token = await issuer.sign();
    clock.advance(4_500);
    for (const one of [forged, token]) {
      const error = await refusal(one, [provider]);
      expect([error.code, error.status, error.headers['retry-after']]).toEqual(['provider_unavailable', 503, '26']);
    }
    clock.advance(25_499);
    expect((await refusal(token, [provider])).headers['retry-after']).toBe('1');
    expect(issuer.hits['/jwks']).toBe(2);
    clock.advance(1);
    await verifier.verify(token, [provider]);
    expect(issuer.hits['/jwks']).toBe(3);
    for (let i = 0; i < 5; i++) await refusal(forged, [provider]);
    expect(issuer.hits['/jwks']).toBe(4);
  });

  it('are not fetched twice for a first token whose key is unknown', async () => {
    expect(await codeOf(await issuer.sign({}, { header: { kid: 'never-published' } }))).toBe('token_key_unknown');
    expect(issuer.hits['/jwks']).toBe(1);
  });

  it('are fetched once more where the fetch under way may have been answered before the key was published', async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    let count = 0;
    const slow = await startTarget((request, response) => {
      const before = JSON.stringify(issuer.jwks);
      if (request.url !== '/jwks') return void response.end(JSON.stringify({ issuer: slow.url, jwks_uri: `${slow.url}/jwks` }));
      if (++count > 1) return void response.end(before);
      asked.resolve();
      void answer.promise.then(() => response.end(before));
    });
    cleanups.push(() => slow.close());
    const slowProvider = providerFor(slow.url);
    const first = verifier.verify(await issuer.sign({ iss: slow.url }), [slowProvider]);
    await asked.promise;
    await issuer.rotate();
    const second = verifier.verify(await issuer.sign({ iss: slow.url }), [slowProvider]);
    answer.resolve();
    await Promise.all([first, second]);
    expect(count).toBe(2);
  });

  it('that were withdrawn no longer verify after ten minutes', async () => {
    await verifier.verify(await issuer.sign(), [provider]);
    const token = await issuer.sign({ exp: clock.now() / 1000 + 3000 });
    await issuer.rotate({ forget: true });
    clock.advance(599_999);
    await verifier.verify(token, [provider]);
    clock.advance(1);
    expect(await codeOf(token)).toBe('token_key_unknown');
  });

  it('outlive an outage of the issuer by an hour at most', async () => {
    await verifier.verify(await issuer.sign(), [provider]);
    const token = await issuer.sign({ exp: clock.now() / 1000 + 86_400 });
    const lenient = { ...provider, settings: { ...provider.settings, maxAgeSeconds: 86_400 } };
    await issuer.close();
    cleanups.length = 0;
    clock.advance(3_599_999);
    await verifier.verify(token, [lenient]);
    clock.advance(1);
    const error = await refusal(token, [lenient]);
    expect(error.code).toBe('provider_unavailable');
    expect(error.headers['retry-after']).toBe('5');
  });

  it('are asked for again after an outage', async () => {
    let isDown = true;
    const flaky = await startTarget((request, response) => {
      if (isDown) {
        response.statusCode = 500;
        response.end();
      } else {
        response.end(JSON.stringify(request.url === '/jwks' ? issuer.jwks : { issuer: flaky.url, jwks_uri: `${flaky.url}/jwks` }));
      }
    });
    cleanups.push(() => flaky.close());
    const flakyProvider = providerFor(flaky.url);
    const token = await issuer.sign({ iss: flaky.url });
    expect(await codeOf(token, [flakyProvider])).toBe('provider_unavailable');
    isDown = false;
    expect(await codeOf(token, [flakyProvider])).toBe('provider_unavailable');
    clock.advance(5_000);
    await verifier.verify(token, [flakyProvider]);
  });
});

describe('an issuer that misbehaves makes its tokens unverifiable, with the reason', () => {
  async function whyUnavailable(handler: Parameters<typeof startTarget>[0], settings: Record<string, unknown> = {}): Promise<string> {
    const target = await startTarget(handler);
    cleanups.push(() => target.close());
    const error = await refusal(await issuer.sign({ iss: target.url }), [
      providerFor(target.url, { jwksUri: `${target.url}/jwks`, ...settings }),
    ]);
    expect(error.code).toBe('provider_unavailable');
    return error.detail;
  }

  it('a discovery document of another issuer', async () => {
    const detail = await whyUnavailable(
      (_request, response) => response.end(JSON.stringify({ issuer: 'https://other.example', jwks_uri: issuer.jwksUri })),
      { jwksUri: undefined },
    );
    expect(detail).toContain('https://other.example');
  });

  it('a key set that is huge', async () => {
    const detail = await whyUnavailable((_request, response) => {
      const chunk = Buffer.alloc(65_536, 0x20);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    expect(detail).toContain('262144 bytes');
  });

  it('a key set that redirects to a private address', async () => {
    const detail = await whyUnavailable((_request, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
    );
    expect(detail).toContain('redirect');
  });

  it('a key set at a private address that is not listed', async () => {
    const error = await refusal(await issuer.sign(), [providerFor(issuer.issuer, { allowedCidrs: [] })]);
    expect(error.code).toBe('provider_unavailable');
    expect(error.detail).toContain('allowedCidrs');
    expect(issuer.hits).toEqual({});
  });

  it('a key set that is not JSON, not an object, or without keys', async () => {
    expect(await whyUnavailable((_request, response) => response.end('<html>'))).toContain('did not answer with JSON');
    expect(await whyUnavailable((_request, response) => response.end('[]'))).toContain('JSON object');
    expect(await whyUnavailable((_request, response) => response.end('{}'))).toContain('"keys"');
    expect(await whyUnavailable((_request, response) => response.end(JSON.stringify({ keys: Array(201).fill({}) })))).toContain('200 keys');
  });

  it('an https issuer whose key set is plain http', async () => {
    const authority = await createTestAuthority();
    const secure = await startTarget(
      (_request, response) => response.end(JSON.stringify({ issuer: secure.url, jwks_uri: issuer.jwksUri })),
      {
        tls: { ...(await authority.issue(['localhost'])), ca: authority.ca },
      },
    );
    cleanups.push(() => secure.close());
    verifier = createProviderVerifier({
      fetch: (options) => createGuardedFetch({ ...options, tls: { ca: authority.ca } }),
      now: clock.now,
    });
    const error = await refusal(await issuer.sign({ iss: secure.url }), [providerFor(secure.url)]);
    expect(error.detail).toContain('not https');
  });
});
