/** Certificates of servers, made as they are asked for: one a host, short-lived, at most so many at a time. */
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';

import type { Extension, Name, PublicKey } from '@peculiar/x509';
import { LRUCache } from 'lru-cache';

import type { Authority } from './authority.ts';
import { algorithm, generateKeyPair, loadX509, newSerialNumber, privateKeyPem } from './x509.ts';
import type { X509 } from './x509.ts';

const hourMs = 3_600_000;
const validityMs = 24 * hourMs;
const backdatedMs = 24 * hourMs;
/** A leaf that ends sooner is replaced while it is still presented. */
const renewBeforeMs = 6 * hourMs;
/** A secure context takes some 50 KB outside of the heap. */
const defaultMaxHosts = 500;

export interface Leaf {
  readonly context: SecureContext;
  /** PEM. */
  readonly certificate: string;
  /** Unix milliseconds, exclusive. */
  readonly notAfter: number;
}

export interface LeafIssuerOptions {
  readonly authority: Authority;
  readonly now: () => number;
  /** Hosts whose leaf is kept; the least recently used goes. @default 500 */
  readonly maxHosts?: number;
}

export interface LeafIssuer {
  /**
   * The host's leaf: at once where it is kept, else once it is made.
   * @param host lower case: a DNS name without a wildcard, or an IP address without brackets
   * @throws Error where a certificate cannot name the host
   */
  leafOf(host: string): Leaf | Promise<Leaf>;
  /** Leafs that were made so far. */
  readonly made: number;
  /** Hosts whose leaf is kept. */
  readonly kept: number;
}

/** What all leafs of a process share. One key for all: to make one costs as much as the certificate. */
interface Prepared {
  readonly publicKey: PublicKey;
  readonly pem: string;
  readonly issuer: Name;
  readonly extensions: readonly Extension[];
}

/** Names in ASCII as in DNS, with `_`, which is seen in practice. */
const hostName = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Whether a certificate can be for this host alone. */
export const canBeNamed = (host: string): boolean => isIP(host) !== 0 || hostName.test(host);

export function createLeafIssuer({ authority, now, maxHosts = defaultMaxHosts }: LeafIssuerOptions): LeafIssuer {
  const leafs = new LRUCache<string, Leaf>({ max: maxHosts });
  const making = new Map<string, Promise<Leaf>>();
  let made = 0;
  let prepared: Promise<Prepared> | undefined;

  const make = async (host: string): Promise<Leaf> => {
    const x509 = await loadX509();
    prepared ??= prepare(x509, authority);
    const { publicKey, pem, issuer, extensions } = await prepared;
    const at = now();
    const notAfter = Math.min(at + validityMs, authority.notAfter);
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: newSerialNumber(),
      // RFC 5280 §4.2.1.6: without a subject the alternative names are critical.
      issuer,
      notBefore: new Date(at - backdatedMs),
      notAfter: new Date(notAfter),
      publicKey,
      signingKey: authority.key,
      signingAlgorithm: algorithm,
      extensions: [...extensions, new x509.SubjectAlternativeNameExtension([{ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }], true)],
    });
    const certificate = leaf.toString('pem');
    made++;
    return { certificate, notAfter, context: createSecureContext({ cert: certificate, key: pem, minVersion: 'TLSv1.2' }) };
  };

  const once = (host: string): Promise<Leaf> => {
    let leaf = making.get(host);
    if (leaf === undefined) {
      leaf = make(host)
        .then((one) => {
          leafs.set(host, one);
          return one;
        })
        .finally(() => making.delete(host));
      making.set(host, leaf);
    }
    return leaf;
  };

  return {
    leafOf(host) {
      const leaf = leafs.get(host);
      const leftMs = leaf === undefined ? 0 : leaf.notAfter - now();
      if (leaf !== undefined && leftMs > 0) {
        // A root that is about to end gives no longer leafs. The kept one is still good, and the next call tries again.
        if (leftMs < renewBeforeMs && authority.notAfter > leaf.notAfter) once(host).catch(() => undefined);
        return leaf;
      }
      if (!canBeNamed(host)) throw new Error(`No certificate can be made for the host ${JSON.stringify(host)}.`);
      return once(host);
    },
    get made() {
      return made;
    },
    get kept() {
      return leafs.size;
    },
  };
}

async function prepare(x509: X509, authority: Authority): Promise<Prepared> {
  const pair = await generateKeyPair();
  const issuer = new x509.X509Certificate(authority.certificate);
  return {
    publicKey: await x509.PublicKey.create(pair.publicKey),
    pem: await privateKeyPem(pair.privateKey),
    issuer: issuer.subjectName,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  };
}
