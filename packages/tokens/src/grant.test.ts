import { AppError, grantType, newId } from '@hoop/contract';
import type { GrantClaims } from '@hoop/contract';
import { SignJWT, UnsecuredJWT, importJWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';

import { createGrantVerifier, generateGrantKeys, mintGrant, toPublicJwks } from './index.ts';
import type { GeneratedGrantKeys, GrantVerifier } from './index.ts';

const now = Date.UTC(2026, 10, 24, 6, 0, 0);
const seconds = now / 1000;
const issuer = 'https://hoop.example';
const audience = 'urn:hoop:relay';
const claims: GrantClaims = {
  iss: issuer,
  aud: audience,
  sub: newId('identity'),
  jti: newId('grant'),
  iat: seconds,
  exp: seconds + 300,
  connections: [newId('connection')],
  subject: { issuer: 'https://idp.example', subject: 'repo:acme/billing', claims: { repository: 'acme/billing' } },
};
let keys: GeneratedGrantKeys;
let verifier: GrantVerifier;

beforeAll(async () => {
  keys = await generateGrantKeys();
  verifier = createGrantVerifier({ keys: keys.publicJwks, issuer, audience });
});

const mint = (change: Partial<GrantClaims> = {}): Promise<string> =>
  mintGrant({ key: keys.privateJwks.keys[0]!, now }, { ...claims, ...change });

async function sign(payload: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
  const jwk = keys.privateJwks.keys[0]!;
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'EdDSA', typ: grantType, kid: jwk.kid!, ...header })
    .sign(await importJWK(jwk, 'EdDSA'));
}

async function codeOf(token: string, at = now): Promise<string> {
  const error = await verifier.verify(token, at).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  expect(verifier.verifyCached(token, at)).toBeUndefined();
  return (error as AppError).code;
}

describe('a grant', () => {
  it('verifies, and a repeated one without cryptography', async () => {
    const token = await mint();
    expect(verifier.verifyCached(token, now)).toBeUndefined();
    expect(await verifier.verify(token, now)).toEqual(claims);
    expect(verifier.verifyCached(token, now)).toEqual(claims);
  });

  it('is valid in its last millisecond and refused at the instant of its expiry, cached or not', async () => {
    const token = await mint();
    expect(await codeOf(token, now + 300_000)).toBe('token_expired');
    await verifier.verify(token, now + 299_999);
    expect(verifier.verifyCached(token, now + 299_999)).toEqual(claims);
    expect(await codeOf(token, now + 300_000)).toBe('token_expired');
  });

  it('is refused when issued more than ten seconds in the future', async () => {
    const token = await mint();
    await verifier.verify(token, now - 10_000);
    expect(await codeOf(await mint({ jti: newId('grant') }), now - 10_001)).toBe('token_not_yet_valid');
  });

  it('cannot be minted for longer than five minutes, and is refused should one exist', async () => {
    await expect(mint({ exp: seconds + 301 })).rejects.toThrow('300');
    await expect(mint({ exp: seconds })).rejects.toThrow('300');
    expect(await codeOf(await sign({ ...claims, exp: seconds + 301 }))).toBe('token_too_old');
  });

  it('is refused for another issuer or audience, or without a claim', async () => {
    expect(await codeOf(await mint({ iss: 'https://other.example' }))).toBe('token_issuer_unknown');
    expect(await codeOf(await mint({ aud: 'urn:other' }))).toBe('token_audience_mismatch');
    const { jti: _jti, ...rest } = claims;
    expect(await codeOf(await sign(rest))).toBe('token_claim_missing');
    expect(await codeOf(await sign({ ...claims, aud: [audience, 'urn:other'] }))).toBe('token_claim_missing');
  });

  it('is refused with another type, an unknown key or critical extensions', async () => {
    expect(await codeOf(await sign({ ...claims }, { typ: 'JWT' }))).toBe('token_malformed');
    expect(await codeOf(await sign({ ...claims }, { kid: 'other' }))).toBe('token_key_unknown');
    const [, payload, signature] = (await mint()).split('.');
    const header = { alg: 'EdDSA', typ: grantType, kid: keys.publicJwks.keys[0]!.kid!, crit: ['exp'] };
    expect(await codeOf(`${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`)).toBe('token_malformed');
  });

  it('is refused when forged: another key under the same kid, alg none, HMAC with the public key', async () => {
    const other = await generateGrantKeys();
    const kid = keys.publicJwks.keys[0]!.kid!;
    expect(await codeOf(await mintGrant({ key: { ...other.privateJwks.keys[0]!, kid }, now }, claims))).toBe('token_signature_invalid');
    expect(await codeOf(new UnsecuredJWT({ ...claims }).encode())).toBe('token_algorithm_refused');
    const hmac = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'HS256', typ: grantType, kid })
      .sign(Buffer.from(keys.publicJwks.keys[0]!.x!, 'base64url'));
    expect(await codeOf(hmac)).toBe('token_algorithm_refused');
  });

  it('is refused when its payload is changed under a signature that was verified before', async () => {
    const token = await mint();
    await verifier.verify(token, now);
    const [header, payload, signature] = token.split('.');
    const changed = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as GrantClaims;
    const forged = `${header}.${Buffer.from(JSON.stringify({ ...changed, connections: [newId('connection')] })).toString('base64url')}.${signature}`;
    expect(await codeOf(forged)).toBe('token_signature_invalid');
  });

  it('is refused when it is empty, over-long or not a JWT', async () => {
    expect(await codeOf('')).toBe('token_missing');
    expect(await codeOf('a.b')).toBe('token_malformed');
    expect(await codeOf('Bearer x.y.z')).toBe('token_malformed');
    expect(await codeOf(`${'a'.repeat(16_384)}.b.c`)).toBe('token_malformed');
    expect(await codeOf('bm90IGpzb24.bm90IGpzb24.AA')).toBe('token_malformed');
  });

  it('verifies with an older key after a rotation', async () => {
    const fresh = await generateGrantKeys();
    const both = createGrantVerifier({ keys: { keys: [...fresh.publicJwks.keys, ...keys.publicJwks.keys] }, issuer, audience });
    expect(await both.verify(await mint(), now)).toEqual(claims);
    expect(await both.verify(await mintGrant({ key: fresh.privateJwks.keys[0]!, now }, claims), now)).toEqual(claims);
  });
});

describe('the cache of verified grants', () => {
  it('stays within its bound and keeps what is in use', async () => {
    const small = createGrantVerifier({ keys: keys.publicJwks, issuer, audience, maxCached: 4 });
    const kept = await mint({ jti: newId('grant') });
    const tokens: string[] = [];
    await small.verify(kept, now);
    for (let i = 0; i < 10; i++) {
      const token = await mint({ jti: newId('grant') });
      tokens.push(token);
      await small.verify(token, now);
      expect(small.verifyCached(kept, now)).toBeDefined();
    }
    expect(tokens.filter((token) => small.verifyCached(token, now) !== undefined).length).toBeLessThanOrEqual(4);
  });
});

describe('grant keys', () => {
  it('publish no private member', () => {
    expect(Object.keys(toPublicJwks(keys.privateJwks).keys[0]!).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  });

  it('are refused without a kid, twice under one kid, or of another kind', () => {
    const [jwk] = keys.publicJwks.keys;
    const { kid: _kid, ...anonymous } = jwk!;
    const build = (set: object[]) => () => createGrantVerifier({ keys: { keys: set }, issuer, audience });
    expect(build([anonymous])).toThrow('kid');
    expect(build([jwk!, jwk!])).toThrow('Two grant keys');
    expect(build([{ ...jwk!, crv: 'P-256', kty: 'EC' }])).toThrow('Ed25519');
  });
});
