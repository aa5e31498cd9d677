/** A certificate authority for tests: issues server certificates for any names and addresses. */
import { webcrypto } from 'node:crypto';
import net from 'node:net';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface ServerCertificate {
  /** PEM, leaf alone. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface TestAuthority {
  /** PEM of the root, for `ca` options and `NODE_EXTRA_CA_CERTS`. */
  readonly ca: string;
  /** @param hosts DNS names and IP addresses. @param purpose of a server unless given. @param validity half-open; now until in a day unless given. */
  issue(
    hosts: readonly string[],
    validity?: { readonly notBefore: Date; readonly notAfter: Date },
    purpose?: 'server' | 'client',
  ): Promise<ServerCertificate>;
}

const pem = (label: string, der: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')}\n-----END ${label}-----\n`;

const generate = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<CryptoKeyPair>;

const serialNumber = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(8)))
    .toString('hex')
    .replace(/^./, '1');

/** Only some tests need certificates, and to load the library costs each test file a tenth of a second. */
async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as Crypto);
  return x509;
}

export async function createTestAuthority(): Promise<TestAuthority> {
  const x509 = await loadX509();
  const keys = await generate();
  const day = 86_400_000;
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=Hoop test authority',
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    ca: root.toString('pem'),
    issue: async (
      hosts,
      validity = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + day) },
      purpose = 'server',
    ) => {
      const leaf = await generate();
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: `CN=${hosts[0] ?? 'nobody'}`,
        issuer: root.subject,
        ...validity,
        publicKey: leaf.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.ExtendedKeyUsageExtension([purpose === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth]),
          new x509.SubjectAlternativeNameExtension(
            hosts.map((host) => ({ type: net.isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host })),
          ),
        ],
      });
      return { cert: certificate.toString('pem'), key: pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', leaf.privateKey)) };
    },
  };
}
