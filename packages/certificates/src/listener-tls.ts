/** A listener's certificate and key, from files that are replaced while it runs: by cert-manager, certbot, a Kubernetes secret. */
import { readFileSync, statSync } from 'node:fs';
import type { Server, TlsOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';

export interface ListenerTlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Clients need a certificate of one of these authorities. */
  readonly clientCaFile?: string;
}

/** How often the files are looked at. Their folder may be swapped as a whole, which no watch of a file would notice. */
const lookEveryMs = 5_000;
const handshakeMs = 15_000;

/** @throws Error with a sentence where a file cannot be read, or the key is not that of the certificate */
export function readListenerTls(files: ListenerTlsFiles): TlsOptions {
  const { certificateFile, keyFile, clientCaFile } = files;
  const read = (file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (cause) {
      throw new Error(`The TLS file ${file} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause });
    }
  };
  const options: TlsOptions = {
    cert: read(certificateFile),
    key: read(keyFile),
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeMs,
    ...(clientCaFile === undefined ? {} : { ca: read(clientCaFile), requestCert: true, rejectUnauthorized: true }),
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    // The cause could quote the key.
    throw new Error(`${certificateFile} and ${keyFile} are not a certificate and its key, PEM (${(cause as NodeJS.ErrnoException).code}).`);
  }
  return options;
}

const stampOf = ({ certificateFile, keyFile, clientCaFile }: ListenerTlsFiles): string =>
  [certificateFile, keyFile, clientCaFile ?? '']
    .map((file) => {
      const found = file === '' ? undefined : statSync(file, { throwIfNoEntry: false });
      return found === undefined ? '' : `${found.ino} ${found.mtimeMs} ${found.size}`;
    })
    .join('|');

export interface FollowOptions {
  /** The new files cannot be used: the old ones go on. Said once for each change. */
  readonly onTrouble: (error: Error) => void;
  readonly onChanged?: () => void;
  /** @default 5000 */
  readonly everyMs?: number;
}

/** New connections get the new certificate; those that are open stay. Ends with the server. */
export function followListenerTls(
  server: Server,
  files: ListenerTlsFiles,
  { onTrouble, onChanged, everyMs = lookEveryMs }: FollowOptions,
): void {
  let seen = stampOf(files);
  const timer = setInterval(() => {
    const now = stampOf(files);
    if (now === seen) return;
    seen = now;
    try {
      server.setSecureContext(readListenerTls(files));
      onChanged?.();
    } catch (error) {
      onTrouble(error as Error);
    }
  }, everyMs);
  timer.unref();
  server.on('close', () => clearInterval(timer));
}
