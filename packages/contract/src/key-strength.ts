/** Public keys that prove nothing: anybody can make signatures that such a key verifies, or agree on its secret. */

/** The members of a JWK (RFC 7517, RFC 7518 §6, RFC 8037) that are looked at. */
export interface PublicJwkMembers {
  readonly kty?: string | undefined;
  readonly crv?: string | undefined;
  readonly n?: string | undefined;
  readonly e?: string | undefined;
  readonly x?: string | undefined;
  readonly y?: string | undefined;
}

/** NIST SP 800-131A: shorter moduli are no longer acceptable. Longer ones than the maximum only cost time. */
const rsaBits = { least: 2048, most: 16_384 } as const;
/** Bytes of a coordinate (RFC 7518 §6.2.1.2). */
const coordinateBytes: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };

/**
 * The y coordinates of Ed25519's points of small order, little-endian and without the sign bit, in every encoding that
 * decoders accept. For such a key one signature fits many messages.
 */
const smallOrderEd25519: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** The u coordinates of X25519's points of small order (RFC 7748 §6.1): with them every secret that is agreed on is zero. */
const smallOrderX25519: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** Hexadecimal digits of a base64url value; null where the text is not base64url in its canonical form. */
function hexOf(text: unknown): string | null {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Array.from(binary, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

function weaknessOfRsa({ n, e }: PublicJwkMembers): string | null {
  // A modulus of more digits than the longest is not even read.
  if (typeof n === 'string' && n.length > 4096) return `its modulus is longer than ${rsaBits.most} bits`;
  const [modulusHex, exponentHex] = [hexOf(n), typeof e === 'string' && e.length <= 44 ? hexOf(e) : null];
  if (modulusHex === null) return 'its modulus "n" is not base64url';
  if (exponentHex === null) return 'its exponent "e" is not base64url, or is longer than 256 bits';
  const [modulus, exponent] = [BigInt(`0x${modulusHex}`), BigInt(`0x${exponentHex}`)];
  const bits = modulus.toString(2).length;
  if (bits < rsaBits.least) return `its modulus has ${bits} bits; at least ${rsaBits.least} are accepted`;
  if (bits > rsaBits.most) return `its modulus has ${bits} bits; at most ${rsaBits.most} are accepted`;
  if (modulus % 2n === 0n) return 'its modulus is even, so it is no product of two primes';
  // FIPS 186-5 §5.1. With the exponent 1 every message is its own signature.
  if (exponent < 65_537n || exponent % 2n === 0n) return `its exponent is ${exponent}; an odd one of at least 65537 is accepted`;
  return null;
}

function weaknessOfCurve({ crv, x, y }: PublicJwkMembers): string | null {
  const bytes = coordinateBytes[crv ?? ''];
  if (bytes === undefined) return `its curve ${JSON.stringify(crv ?? null)} is not known here`;
  // That the point is on the curve is checked by the import of the key.
  if (hexOf(x)?.length !== 2 * bytes || hexOf(y)?.length !== 2 * bytes) return `its coordinates are not of ${bytes} bytes each`;
  return null;
}

function weaknessOfOctets({ crv, x }: PublicJwkMembers): string | null {
  if (crv !== 'Ed25519' && crv !== 'X25519') return `its curve ${JSON.stringify(crv ?? null)} is not known here`;
  const hex = hexOf(x);
  if (hex?.length !== 64) return 'its "x" is not of 32 bytes';
  const sign = Number.parseInt(hex.slice(62), 16);
  const withoutSign = hex.slice(0, 62) + (sign & 0x7f).toString(16).padStart(2, '0');
  if ((crv === 'Ed25519' ? smallOrderEd25519 : smallOrderX25519).has(withoutSign)) return 'its point has a small order';
  return null;
}

/**
 * Why a public key must not be trusted, as the rest of a sentence about the key; null: nothing speaks against it.
 * RSA: 2048 to 16384 bits, odd, with an odd exponent of at least 65537. EC: P-256, P-384 or P-521 with whole coordinates.
 * OKP: Ed25519 or X25519, no point of small order.
 */
export function weaknessOfKey(jwk: PublicJwkMembers): string | null {
  if (jwk.kty === 'RSA') return weaknessOfRsa(jwk);
  if (jwk.kty === 'EC') return weaknessOfCurve(jwk);
  if (jwk.kty === 'OKP') return weaknessOfOctets(jwk);
  return `its type ${JSON.stringify(jwk.kty ?? null)} is not known here`;
}
