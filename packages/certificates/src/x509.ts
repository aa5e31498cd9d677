/** `@peculiar/x509`, loaded when a certificate is first made: to load it costs a tenth of a second. */
import { webcrypto } from 'node:crypto';

export type X509 = typeof import('@peculiar/x509');

/** RFC 5480: EC P-256; RFC 5758 §3.2: ECDSA with SHA-256. */
export const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

let loading: Promise<X509> | undefined;

export function loadX509(): Promise<X509> {
  return (loading ??= (async () => {
    // The library declares its ASN.1 types by decorators that need it.
    await import('reflect-metadata');
    const x509 = await import('@peculiar/x509');
    x509.cryptoProvider.set(webcrypto as Crypto);
    return x509;
  })());
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets; here 16 at random, the first bit 0 and the second 1. */
export function newSerialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

export const generateKeyPair = async (): Promise<CryptoKeyPair> =>
  (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;

export async function privateKeyPem(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}
