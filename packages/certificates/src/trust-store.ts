/** What clients want to trust the authority: a bundle for variables that replace the roots, and a trust store for Java. */
import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM file, one text each. */
export const splitCertificates = (pem: string): string[] => [...pem.matchAll(pemCertificate)].map(([one]) => `${one}\n`);

/** The roots of this system, or those that Node brings where it has none; PEM, one text each. */
export function systemRoots(): string[] {
  const system = getCACertificates('system');
  // A folder of certificates often has them twice, by name and by hash.
  return [...new Set(system.length > 0 ? system : getCACertificates('bundled'))];
}

/** PEM: the roots, and after them the authority's certificates. */
export const certificateBundle = (roots: readonly string[], trusted: string): string =>
  [...roots, ...splitCertificates(trusted)].map((one) => `${one.trim()}\n`).join('');

/** Object identifiers, DER. */
const oid = {
  data: Buffer.from('06092a864886f70d010701', 'hex'),
  certBag: Buffer.from('060b2a864886f70d010c0a0103', 'hex'),
  x509Certificate: Buffer.from('060a2a864886f70d01091601', 'hex'),
  friendlyName: Buffer.from('06092a864886f70d010914', 'hex'),
  /** 2.16.840.1.113894.746875.1.1: by it Java takes a certificate for a trusted one; its value is the purpose. */
  trustedKeyUsage: Buffer.from('060c6086480186f966adca7b0101', 'hex'),
  anyExtendedKeyUsage: Buffer.from('0604551d2500', 'hex'),
} as const;

/** DER of one value (X.690 §8.1). */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content);
  const { length } = bytes;
  if (length < 128) return Buffer.concat([Buffer.from([tag, length]), bytes]);
  const hex = length.toString(16);
  const size = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | size.length]), size, bytes]);
}

const sequence = (...content: readonly Uint8Array[]): Buffer => der(0x30, ...content);
const set = (...content: readonly Uint8Array[]): Buffer => der(0x31, ...content);
const octets = (content: Uint8Array): Buffer => der(0x04, content);
const explicit = (content: Uint8Array): Buffer => der(0xa0, content);
const bmpString = (ascii: string): Buffer => der(0x1e, Buffer.from(ascii, 'utf16le').swap16());

/**
 * A PKCS #12 trust store (RFC 7292 §4) for Java. It holds no secret, so it has no password and no MAC: Java opens it
 * with whatever `javax.net.ssl.trustStorePassword` says.
 * @param certificates PEM, one text each
 */
export function pkcs12TrustStore(certificates: readonly string[]): Buffer {
  const bags = certificates.map((pem, index) =>
    sequence(
      oid.certBag,
      explicit(sequence(oid.x509Certificate, explicit(octets(new X509Certificate(pem).raw)))),
      set(sequence(oid.friendlyName, set(bmpString(`root-${index}`))), sequence(oid.trustedKeyUsage, set(oid.anyExtendedKeyUsage))),
    ),
  );
  const plain = (content: Uint8Array): Buffer => sequence(oid.data, explicit(octets(content)));
  const version = der(0x02, Buffer.from([3]));
  return sequence(version, plain(sequence(plain(sequence(...bags)))));
}
