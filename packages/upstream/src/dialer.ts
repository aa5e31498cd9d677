/** The one way to a socket: the name is resolved here, every address is checked, and what was checked is what is dialled. */
import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { LookupFunction, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import { AppError } from '@hoop/contract';
import { buildConnector } from 'undici';

import type { AddressRules } from './address.ts';

/** As `dns.lookup` with `all: true`. */
export type Resolve = (hostname: string, callback: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void;

export const resolveBySystem: Resolve = (hostname, callback) => {
  systemLookup(hostname, { all: true }, (error, addresses) => callback(error, addresses));
};

export interface TlsFacts {
  /** e.g. `TLSv1.3`. */
  readonly protocol: string | null;
  readonly cipher: string;
  /** Colon-separated SHA-256 of the certificate. */
  readonly fingerprint: string;
  readonly subject: string;
  readonly issuer: string;
  readonly validTo: string;
}

export interface SocketFacts {
  /** Remote IP address. */
  readonly address: string;
  readonly port: number;
  readonly tls: TlsFacts | null;
}

export function addressRefused(hostname: string, addresses: readonly string[]): AppError {
  const what =
    isIP(hostname) === 0
      ? `"${hostname}" resolves only to addresses that are private, local or reserved`
      : 'The address is private, local or reserved';
  return new AppError(
    'target_address_refused',
    `${what}, and the settings do not allow them. List their range in allowedCidrs if that is meant.`,
    {
      cause: new Error(`refused addresses of ${hostname}: ${addresses.join(', ')}`),
    },
  );
}

/** A `lookup` for `net.connect` that yields allowed addresses only. `isAllowed` gets the verdict on each. */
export function checkedLookup(
  rules: AddressRules,
  resolve: Resolve,
  isAllowed: (verdict: 'public' | 'listed') => boolean = () => true,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const allowed = addresses.filter(({ address }) => {
        const verdict = rules.check(address);
        return verdict !== 'refused' && isAllowed(verdict);
      });
      const [first] = allowed;
      if (first === undefined) {
        callback(
          addressRefused(
            hostname,
            addresses.map(({ address }) => address),
          ),
          [],
        );
      } else if (options.all === true) {
        callback(null, allowed);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}

export interface ConnectorOptions {
  readonly rules: AddressRules;
  readonly resolve: Resolve;
  /** DNS, TCP and TLS together, milliseconds. */
  readonly timeoutMs: number;
  /** Certificates (PEM) to trust instead of the platform's. */
  readonly ca?: string | readonly string[] | undefined;
  readonly onConnected: (facts: SocketFacts, socket: Socket) => void;
}

/** undici's connector with the checks in it. TLS is verified against the host name, HTTP/1.1 only. */
export function createConnector({ rules, resolve, timeoutMs, ca, onConnected }: ConnectorOptions): buildConnector.connector {
  const connect = buildConnector({
    allowH2: false,
    timeout: timeoutMs,
    autoSelectFamily: true,
    lookup: checkedLookup(rules, resolve),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca: [...(typeof ca === 'string' ? [ca] : ca)] }),
  } as buildConnector.BuildOptions);
  return (options, callback) => {
    const hostname = options.hostname.startsWith('[') ? options.hostname.slice(1, -1) : options.hostname;
    // A literal address is never looked up, so it is checked here.
    if (isIP(hostname) !== 0 && rules.check(hostname) === 'refused') {
      callback(addressRefused(hostname, [hostname]), null);
      return;
    }
    connect({ ...options, hostname }, (...result) => {
      const [error, socket] = result;
      if (error !== null) {
        callback(error, null);
        return;
      }
      const address = socket.remoteAddress ?? '';
      if (rules.check(address) === 'refused') {
        socket.destroy();
        callback(addressRefused(hostname, [address]), null);
        return;
      }
      onConnected({ address, port: socket.remotePort ?? 0, tls: tlsFacts(socket) }, socket);
      callback(null, socket);
    });
  };
}

function tlsFacts(socket: Socket): TlsFacts | null {
  if (!(socket instanceof TLSSocket)) return null;
  const certificate = socket.getPeerCertificate();
  return {
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    fingerprint: certificate.fingerprint256 ?? '',
    subject: nameText(certificate.subject),
    issuer: nameText(certificate.issuer),
    validTo: certificate.valid_to ?? '',
  };
}

/** `C=DE, O=Acme, CN=api.example` of a distinguished name. */
function nameText(name: object | undefined): string {
  return Object.entries(name ?? {})
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ');
}
