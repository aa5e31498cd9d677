/** The deployment's own certificate authority: it signs the certificates that the relay's proxy presents to functions. */
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';

import { splitCertificates } from './trust-store.ts';
import { algorithm, generateKeyPair, loadX509, newSerialNumber, privateKeyPem } from './x509.ts';

const dayMs = 86_400_000;
const validityMs = 3650 * dayMs;
/** Clocks of functions may be behind. */
const backdatedMs = dayMs;

export interface NewAuthority {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

/** Makes a root that is valid for ten years: EC P-256, may sign leafs alone (`pathLenConstraint` 0, RFC 5280 §4.2.1.9). */
export async function generateAuthority(now: number): Promise<NewAuthority> {
  const x509 = await loadX509();
  const keys = await generateKeyPair();
  const from = new Date(now - backdatedMs);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerialNumber(),
    // The date tells roots apart while one replaces the other.
    name: `CN=Hoop certificate authority ${new Date(now).toISOString().slice(0, 10)} ${newSerialNumber().slice(0, 8)}`,
    notBefore: from,
    notAfter: new Date(now + validityMs),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${root.toString('pem').trim()}\n`, key: await privateKeyPem(keys.privateKey) };
}

export interface Authority {
  /** Signs; PEM. */
  readonly certificate: string;
  /** What clients are to trust, PEM: the one that signs and, while it is being replaced, others. */
  readonly trusted: string;
  readonly key: CryptoKey;
  /** Unix milliseconds, exclusive. */
  readonly notAfter: number;
}

/**
 * @param certificates PEM: one or more roots; the one that belongs to the key signs, clients trust them all
 * @param key PEM, PKCS #8
 * @throws Error with a sentence that says what is wrong with which of them
 */
export async function readAuthority(certificates: string, key: string, now: number): Promise<Authority> {
  const parsed = splitCertificates(certificates).map((pem) => ({ pem, certificate: readCertificate(pem) }));
  if (parsed.length === 0) throw new Error('The file of the certificate authority has no certificate (PEM) in it.');
  const privateKey = readPrivateKey(key);
  const signing = parsed.find(({ certificate }) => certificate.checkPrivateKey(privateKey));
  if (signing === undefined) throw new Error('None of the certificates of the certificate authority belongs to its key.');
  const { certificate, pem } = signing;
  if (!certificate.ca) throw new Error(`The certificate "${oneLine(certificate.subject)}" is not that of a certificate authority.`);
  const notAfter = Date.parse(certificate.validTo);
  if (now >= notAfter) throw new Error(`The certificate "${oneLine(certificate.subject)}" of the certificate authority has expired.`);
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new Error('The key of the certificate authority must be an EC key on P-256.');
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  return {
    certificate: pem,
    trusted: parsed.map((one) => one.pem).join(''),
    key: (await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign'])) as CryptoKey,
    notAfter,
  };
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error('A certificate in the file of the certificate authority cannot be read.');
  }
}

function readPrivateKey(pem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause could quote the key.
    throw new Error('The key of the certificate authority cannot be read: it must be a private key in PEM, without a password.');
  }
}

const oneLine = (subject: string): string => subject.replaceAll('\n', ', ');
