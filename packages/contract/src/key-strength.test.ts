import { generateKeyPairSync } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { weaknessOfKey } from './key-strength.ts';

const jwkOf = (pair: { publicKey: { export(options: { format: 'jwk' }): object } }) =>
  pair.publicKey.export({ format: 'jwk' }) as Record<string, string>;
const rsa = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const base64url = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url');
const bytes = (value: number): string => base64url(value.toString(16).padStart(8, '0'));

describe('a public key', () => {
  it.each([
    ['RSA with 2048 bits', rsa],
    ['RSA with 3072 bits', jwkOf(generateKeyPairSync('rsa', { modulusLength: 3072 }))],
    ['P-256', jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }))],
    ['P-384', jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }))],
    ['P-521', jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }))],
    ['Ed25519', jwkOf(generateKeyPairSync('ed25519'))],
    ['X25519', jwkOf(generateKeyPairSync('x25519'))],
  ])('of the kind %s is accepted', (_, jwk) => {
    expect(weaknessOfKey(jwk)).toBeNull();
  });

  it.each([1, 2, 3, 17, 65_535, 65_538])('of RSA with the exponent %i is refused', (exponent) => {
    expect(weaknessOfKey({ ...rsa, e: bytes(exponent) })).toMatch(/exponent/);
  });

  it('of RSA that is short, zero-padded to length, even, endless or unreadable is refused', () => {
    const modulus = Buffer.from(rsa['n']!, 'base64url');
    expect(weaknessOfKey({ ...rsa, n: modulus.subarray(0, 128).toString('base64url') })).toMatch(/1024 bits/);
    const padded = Buffer.concat([Buffer.alloc(128), modulus.subarray(0, 128)]).toString('base64url');
    expect(weaknessOfKey({ ...rsa, n: padded })).toMatch(/1024 bits/);
    const even = Buffer.from(modulus);
    even[255]! &= 0xfe;
    expect(weaknessOfKey({ ...rsa, n: even.toString('base64url') })).toMatch(/even/);
    expect(weaknessOfKey({ ...rsa, n: `${rsa['n']}${'A'.repeat(5000)}` })).toMatch(/longer/);
    expect(weaknessOfKey({ ...rsa, n: '!' })).toMatch(/base64url/);
    expect(weaknessOfKey({ kty: 'RSA', n: rsa['n'] })).toMatch(/exponent/);
  });

  it.each(['Ed25519', 'X25519'])('%s of small order is refused, with the sign bit and without, in every encoding', (crv) => {
    const last = (hex: string, byte: string): string => hex.slice(0, 62) + byte;
    for (const [hex, flipped] of [
      ['00'.repeat(32), '80'],
      [`01${'00'.repeat(31)}`, '80'],
      [`ec${'ff'.repeat(30)}7f`, 'ff'],
      [`ed${'ff'.repeat(30)}7f`, 'ff'],
      [`ee${'ff'.repeat(30)}7f`, 'ff'],
    ] as const) {
      for (const point of [hex, last(hex, flipped)]) expect(weaknessOfKey({ kty: 'OKP', crv, x: base64url(point) })).toMatch(/small order/);
    }
    expect(weaknessOfKey({ kty: 'OKP', crv, x: base64url('05'.repeat(31)) })).toMatch(/32 bytes/);
  });

  it('of an unknown kind or curve, or with cut coordinates, is refused', () => {
    const ec = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    expect(weaknessOfKey({ ...ec, x: ec['x']!.slice(0, 40) })).toMatch(/coordinates/);
    expect(weaknessOfKey({ ...ec, crv: 'secp256k1' })).toMatch(/curve/);
    expect(weaknessOfKey({ kty: 'OKP', crv: 'Ed448', x: 'AAAA' })).toMatch(/curve/);
    expect(weaknessOfKey({ kty: 'oct' })).toMatch(/type/);
  });
});
