import { createServer } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { followListenerTls, readListenerTls } from '@hoop/certificates';

import type { ControlPlaneConfig } from './config.ts';
import { createContext, type ContextOptions } from './context.ts';
import { createApp } from './http/app.ts';

export { ConfigurationError, controlPlaneVariables, readConfig, type ControlPlaneConfig } from './config.ts';

export interface ControlPlane {
  readonly url: string;
  /** Stops accepting, ends streams, lets requests finish (5 s at most), closes the database. */
  close(): Promise<void>;
}

const drainMs = 5000;

/** Applies migrations, then listens. Throws where a key, the database or the port cannot be had. */
export async function startControlPlane(config: ControlPlaneConfig, options: ContextOptions = {}): Promise<ControlPlane> {
  const context = await createContext(config, options);
  const limits = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 30_000, maxHeaderSize: 32_768 };
  const server = config.tls === undefined ? createServer(limits) : createSecureServer({ ...limits, ...readListenerTls(config.tls) });
  if (config.tls !== undefined) {
    followListenerTls(server as SecureServer, config.tls, {
      onTrouble: (error) => context.log.error({ event: 'tls_files_unusable', error: error.message }, 'the new TLS files cannot be used'),
      onChanged: () => context.log.info({ event: 'tls_files_changed' }, 'the TLS files were read again'),
    });
  }
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(config.port, config.host, resolve);
    });
    const { port } = server.address() as AddressInfo;
    const host = config.host.includes(':') ? `[${config.host}]` : config.host;
    const url = `${config.tls === undefined ? 'http' : 'https'}://${host}:${port}`;
    server.on('request', createApp(context));
    await context.ready(config.publicUrl ?? url);
    context.log.info({ event: 'listening', url }, 'listening');
    return { url, close };
  } catch (error) {
    server.close();
    await context.close();
    throw error;
  }

  async function close(): Promise<void> {
    context.drain();
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    const timer = setTimeout(() => server.closeAllConnections(), drainMs);
    await closed;
    clearTimeout(timer);
    await context.close();
  }
}
