import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';

import { describe, expect, it } from 'vitest';

import { generateAuthority, readAuthority } from './authority.ts';
import { canBeNamed, createLeafIssuer } from './leaf-issuer.ts';
import type { LeafIssuer } from './leaf-issuer.ts';
import { certificateBundle, pkcs12TrustStore, systemRoots } from './trust-store.ts';

const now = Date.now();
const day = 86_400_000;
const made = await generateAuthority(now);

async function issuer(clock: { at: number } = { at: now }, maxHosts?: number): Promise<LeafIssuer> {
  const authority = await readAuthority(made.certificate, made.key, now);
  return createLeafIssuer({ authority, now: () => clock.at, ...(maxHosts === undefined ? {} : { maxHosts }) });
}

/** Whether a client that trusts these roots takes the leaf for that host. */
async function handshake(leafs: LeafIssuer, host: string, ca: string, asked = host): Promise<string> {
  const leaf = await leafs.leafOf(host);
  const server = net.createServer((socket) => {
    const secured = new tls.TLSSocket(socket, { isServer: true, secureContext: leaf.context });
    secured.on('error', () => undefined);
    secured.once('secure', () => secured.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise<string>((resolve) => {
      const client = tls.connect({
        port,
        host: '127.0.0.1',
        ca,
        servername: net.isIP(asked) !== 0 ? '' : asked,
        checkServerIdentity: (_name, cert) => tls.checkServerIdentity(asked, cert),
      });
      client.on('secureConnect', () => resolve('trusted'));
      client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  } finally {
    server.close();
  }
}

describe('the authority', () => {
  it('is an EC P-256 root for ten years that may sign leafs alone', () => {
    const root = new X509Certificate(made.certificate);
    expect(root.ca).toBe(true);
    expect(root.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(root.verify(root.publicKey)).toBe(true);
    expect(Date.parse(root.validTo) - now).toBeGreaterThan(3649 * day);
    expect(Date.parse(root.validTo) - now).toBeLessThanOrEqual(3650 * day);
  });

  it('while it is being replaced, signs by the one that its key belongs to, and has all of them trusted', async () => {
    const next = await generateAuthority(now);
    for (const [key, signing] of [
      [made.key, made.certificate],
      [next.key, next.certificate],
    ] as const) {
      const authority = await readAuthority(next.certificate + made.certificate, key, now);
      expect(authority.certificate.trim()).toBe(signing.trim());
      expect(authority.trusted.match(/BEGIN/g)).toHaveLength(2);
    }
    // A client that trusts both takes what either signs; one that trusts the old one alone does not take the new one's.
    const after = createLeafIssuer({ authority: await readAuthority(next.certificate + made.certificate, next.key, now), now: () => now });
    expect(await handshake(after, 'api.example', next.certificate + made.certificate)).toBe('trusted');
    expect(await handshake(after, 'api.example', made.certificate)).not.toBe('trusted');
  });

  it('that cannot sign is refused in words', async () => {
    const other = await generateAuthority(now);
    const leaf = await (await issuer()).leafOf('api.example');
    await expect(readAuthority('', made.key, now)).rejects.toThrow('has no certificate (PEM) in it.');
    await expect(readAuthority(made.certificate, other.key, now)).rejects.toThrow('belongs to its key.');
    await expect(readAuthority(made.certificate, made.key, now + 3651 * day)).rejects.toThrow('has expired.');
    await expect(readAuthority(made.certificate, 'nonsense', now)).rejects.toThrow('must be a private key in PEM');
    await expect(readAuthority('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', made.key, now)).rejects.toThrow(
      'cannot be read.',
    );
    await expect(readAuthority(leaf.certificate, made.key, now)).rejects.toThrow('belongs to its key.');
  });
});

describe('a leaf', () => {
  it('is taken by a client that trusts the authority, for its host alone', async () => {
    const leafs = await issuer();
    for (const host of ['api.example', '127.0.0.1', '2001:db8::1']) expect(await handshake(leafs, host, made.certificate)).toBe('trusted');
    expect(await handshake(leafs, 'api.example', made.certificate, 'other.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await handshake(leafs, 'api.example', (await generateAuthority(now)).certificate)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    const { subject, subjectAltName, ca } = new X509Certificate((await leafs.leafOf('api.example')).certificate);
    expect([subject, subjectAltName, ca]).toEqual([undefined, 'DNS:api.example', false]);
  });

  it('is made once a host, also where many ask at the same time, and at most so many are kept', async () => {
    const leafs = await issuer({ at: now }, 3);
    const all = await Promise.all(Array.from({ length: 20 }, async () => leafs.leafOf('api.example')));
    expect(new Set(all).size).toBe(1);
    expect(leafs.made).toBe(1);
    for (const host of ['a.example', 'b.example', 'c.example', 'd.example']) await leafs.leafOf(host);
    expect([leafs.made, leafs.kept]).toEqual([5, 3]);
  });

  it('is replaced ahead of its end, without anybody waiting', async () => {
    const clock = { at: now };
    const leafs = await issuer(clock);
    const first = await leafs.leafOf('api.example');
    expect(first.notAfter).toBe(now + day);
    clock.at = now + 0.8 * day;
    expect(leafs.leafOf('api.example')).toBe(first);
    await expect.poll(() => leafs.leafOf('api.example')).not.toBe(first);
    clock.at = first.notAfter;
    expect(((await leafs.leafOf('api.example')) as { notAfter: number }).notAfter).toBeGreaterThan(clock.at);
  });

  it.each([
    '*.example',
    'a\0b.example',
    '',
    'a..example',
    '.example',
    'example.',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}aa`,
    'exämple',
    'a b',
    'a/b',
  ])('is not made for %j', async (host) => {
    expect(canBeNamed(host)).toBe(false);
    const leafs = await issuer();
    expect(() => leafs.leafOf(host)).toThrow('No certificate can be made for the host');
  });
});

describe('what clients trust', () => {
  it('a bundle has the roots of the system, each once, and the authority', () => {
    const roots = systemRoots();
    expect(roots.length).toBeGreaterThan(10);
    expect(new Set(roots).size).toBe(roots.length);
    const bundle = certificateBundle(roots, made.certificate);
    expect(bundle.match(/BEGIN CERTIFICATE/g)).toHaveLength(roots.length + 1);
    expect(bundle).toContain(made.certificate.trim());
  });

  it('a trust store holds certificates and nothing else', () => {
    const store = pkcs12TrustStore([made.certificate]);
    expect(store.includes(new X509Certificate(made.certificate).raw)).toBe(true);
    // SEQUENCE in two length octets, version 3.
    expect(store.subarray(0, 2).toString('hex')).toBe('3082');
    expect(store.readUInt16BE(2)).toBe(store.length - 4);
    expect(store.subarray(4, 7).toString('hex')).toBe('020103');
  });
});
