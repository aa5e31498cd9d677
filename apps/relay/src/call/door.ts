/** The forward proxy's side of a call: what the caller asked the proxy for, and by which token. */
import type { IncomingMessage } from 'node:http';

import { AppError } from '@hoop/contract';

export interface ProxyDoor {
  /** As `Target.origin`: `https://api.example:8443`, without the scheme's own port. */
  readonly origin: string;
  /** Host and, unless it is the scheme's own, port: what the request's Host header has to say. */
  readonly authority: string;
  /** A grant, or a provider's token; null: none was sent. */
  readonly token: string | null;
  /** The connection that the proxy's user name chooses where several are for the destination; may name none. */
  readonly chosen: string;
  /** The request came inside of a CONNECT, whose token it shares. */
  readonly isInside: boolean;
}

export interface Authority {
  /** Lower case, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Lower case; an IPv6 address in brackets. Without the port. */
  readonly name: string;
}

const authorityForm = /^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?$/;

/** Null: not of the form host or host:port (RFC 3986 §3.2), or in a spelling that servers read differently. */
export function parseAuthority(text: string, defaultPort: number | null): Authority | null {
  const match = authorityForm.exec(text);
  if (match === null) return null;
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  if (port === null || port < 1 || port > 65_535) return null;
  const name = match[1]!.toLowerCase();
  // An address in any other spelling (0x7f.1, 127.1, ::ffff:7f00:1) is one that policies and people do not recognise.
  try {
    if (new URL(`http://${name}`).hostname !== name) return null;
  } catch {
    return null;
  }
  return { host: name.startsWith('[') ? name.slice(1, -1) : name, port, name };
}

const ownPorts = { 'http:': 80, 'https:': 443 } as const;
export type Scheme = keyof typeof ownPorts;

export const portOf = (scheme: Scheme): number => ownPorts[scheme];

/** As a Host header names it. */
export const hostOf = ({ name, port }: Authority, scheme: Scheme): string => (port === ownPorts[scheme] ? name : `${name}:${port}`);

export interface ProxyCredential {
  readonly token: string | null;
  readonly chosen: string;
}

/**
 * `Proxy-Authorization`: Bearer, or Basic (RFC 7617) with the token for a password.
 * @throws AppError `token_malformed`, `ambiguous_request`
 */
export function proxyCredential({ headersDistinct }: IncomingMessage): ProxyCredential {
  const values = headersDistinct['proxy-authorization'];
  if (values === undefined) return { token: null, chosen: '' };
  if (values.length > 1) throw new AppError('ambiguous_request', 'The request has more than one "proxy-authorization" header.');
  const [, scheme = '', credential = ''] = /^([A-Za-z]+) +([A-Za-z0-9._~+/=-]+)$/.exec(values[0]!) ?? [];
  if (scheme.toLowerCase() === 'bearer') return { token: credential, chosen: '' };
  if (scheme.toLowerCase() === 'basic') {
    const text = Buffer.from(credential, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    const token = text.slice(colon + 1);
    if (colon >= 0 && /^[A-Za-z0-9._~+/=-]+$/.test(token)) return { token, chosen: text.slice(0, colon) };
  }
  throw new AppError(
    'token_malformed',
    'The proxy-authorization header must be "Bearer TOKEN", or Basic with the token for a password: http://CONNECTION:TOKEN@relay.',
    { isOfProxy: true, headers: challenge },
  );
}

/** RFC 9110 §11.7.1. Basic, as it is what clients can do for a proxy. */
export const challenge: Readonly<Record<string, string>> = { 'proxy-authenticate': 'Basic realm="hoop"' };
