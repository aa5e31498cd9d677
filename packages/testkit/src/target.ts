/** A real HTTP or HTTPS server on loopback that plays a target. */
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

import { createTestAuthority, type ServerCertificate } from './certificates.ts';

export interface TestTarget {
  /** `http://127.0.0.1:PORT`, or `https://localhost:PORT` with TLS. */
  readonly url: string;
  readonly port: number;
  /** PEM of the root that issued the certificate; undefined without TLS. */
  readonly ca: string | undefined;
  readonly server: http.Server;
  /** Cuts all connections. */
  close(): Promise<void>;
}

export interface TestTargetOptions {
  /** `true`: a certificate for localhost, 127.0.0.1 and ::1 from an authority of its own. */
  readonly tls?: boolean | (ServerCertificate & { readonly ca?: string });
  /** @default "127.0.0.1" */
  readonly host?: string;
}

export async function startTarget(handler: http.RequestListener, options: TestTargetOptions = {}): Promise<TestTarget> {
  const { host = '127.0.0.1' } = options;
  let server: http.Server;
  let ca: string | undefined;
  if (options.tls === undefined || options.tls === false) {
    server = http.createServer(handler);
  } else {
    let certificate: ServerCertificate;
    if (options.tls === true) {
      const authority = await createTestAuthority();
      certificate = await authority.issue(['localhost', '127.0.0.1', '::1']);
      ca = authority.ca;
    } else {
      certificate = options.tls;
      ca = options.tls.ca;
    }
    server = https.createServer({ cert: certificate.cert, key: certificate.key }, handler);
  }
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: server instanceof https.Server ? `https://localhost:${port}` : `http://${name}:${port}`,
    port,
    ca,
    server,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The whole body of a request. */
export async function readBody(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
