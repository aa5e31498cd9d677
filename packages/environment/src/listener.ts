/** TLS of a process's listeners, and the promise that nothing secret crosses a network in the clear unless it is said so. */
import type { z } from 'zod';

import { filePath, oneOf, secretFile } from './forms.ts';
import { ConfigurationError, optional } from './variables.ts';

export const listenerVariables = {
  HOOP_TLS_CERTIFICATE_FILE: optional(
    filePath,
    'The certificate of the listeners and its chain, PEM; read again when it changes.',
    'none: plain HTTP, on loopback alone',
  ),
  HOOP_TLS_KEY_FILE: optional(secretFile, 'Its private key, PEM; read again when it changes.', 'none'),
  HOOP_TLS_CLIENT_CA_FILE: optional(
    filePath,
    'Certificate authorities, PEM: clients must have a certificate of one of them.',
    'none: clients need no certificate',
  ),
  HOOP_PLAIN_HTTP: optional(
    oneOf(['allowed']),
    '`allowed`: without TLS, listen on other addresses than loopback too, as TLS is ended before this process.',
    'refused',
  ),
} as const;

/** Files of a listener's TLS, PEM. */
export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Clients need a certificate of one of these authorities. */
  readonly clientCaFile?: string;
}

type ListenerValues = { readonly [K in keyof typeof listenerVariables]?: z.output<(typeof listenerVariables)[K]> };

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\.[0-9.]+$/.test(host);

/**
 * Undefined: plain HTTP, which is as it should be.
 * @param hosts that are listened on
 * @throws ConfigurationError where that would be on a network
 */
export function tlsOfListeners(values: ListenerValues, hosts: readonly string[]): TlsFiles | undefined {
  const { HOOP_TLS_CERTIFICATE_FILE: certificateFile, HOOP_TLS_KEY_FILE: keyFile, HOOP_TLS_CLIENT_CA_FILE: clientCaFile } = values;
  if ((certificateFile === undefined) !== (keyFile === undefined))
    throw new ConfigurationError('HOOP_TLS_CERTIFICATE_FILE and HOOP_TLS_KEY_FILE belong together: TLS needs both.');
  if (certificateFile !== undefined && keyFile !== undefined)
    return { certificateFile, keyFile, ...(clientCaFile === undefined ? {} : { clientCaFile }) };
  if (clientCaFile !== undefined)
    throw new ConfigurationError('HOOP_TLS_CLIENT_CA_FILE needs TLS: set HOOP_TLS_CERTIFICATE_FILE and HOOP_TLS_KEY_FILE.');
  const open = hosts.find((host) => !isLoopback(host));
  if (open === undefined || values.HOOP_PLAIN_HTTP === 'allowed') return undefined;
  throw new ConfigurationError(
    `Listening on ${open} without TLS would send tokens in the clear: set HOOP_TLS_CERTIFICATE_FILE and HOOP_TLS_KEY_FILE, or HOOP_PLAIN_HTTP=allowed where TLS is ended before this process.`,
  );
}
