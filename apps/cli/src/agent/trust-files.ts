/** The files by which clients trust the proxy's certificates. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { certificateBundle, pkcs12TrustStore, splitCertificates, systemRoots } from '@hoop/certificates/trust';

export interface TrustFiles {
  /** The authority's certificates alone, PEM: for what adds to the roots. */
  readonly authority: string;
  /** The roots of the system and the authority's certificates, PEM: for what replaces the roots. */
  readonly bundle: string;
  /** The same, PKCS #12: for Java. */
  readonly trustStore: string;
}

/** @param trusted the authority's certificates, PEM */
export async function writeTrustFiles(folder: string, trusted: string): Promise<TrustFiles> {
  await mkdir(folder, { recursive: true });
  const files = {
    authority: path.join(folder, 'ca.pem'),
    bundle: path.join(folder, 'ca-bundle.pem'),
    trustStore: path.join(folder, 'trust-store.p12'),
  };
  const roots = systemRoots();
  await writeFile(files.authority, trusted);
  await writeFile(files.bundle, certificateBundle(roots, trusted));
  await writeFile(files.trustStore, pkcs12TrustStore([...roots, ...splitCertificates(trusted)]));
  return files;
}
