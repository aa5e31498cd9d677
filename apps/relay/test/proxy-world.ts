/** Relays with a forward proxy, and clients of it that know nothing of Hoop. */
import net from 'node:net';
import tls from 'node:tls';

import { generateAuthority } from '@hoop/certificates';
import { ProxyAgent } from 'undici';

import type { RelayConfig, RelayParts } from '../src/index.ts';
import { readResponse } from './raw.ts';
import type { RawResponse } from './raw.ts';
import { World } from './world.ts';

/** Of the tests' own deployment. */
export const authority = await generateAuthority(Date.now());

export const startProxyWorld = (change: Partial<RelayConfig> = {}, parts: RelayParts = {}): Promise<World> =>
  World.start({ proxy: { host: '127.0.0.1', port: 0, certificates: authority.certificate, key: authority.key }, ...change }, parts);

export const proxyUrl = (world: World): string => world.relay.proxyUrl!;

export const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** For `fetch` of undici, as HTTPS_PROXY and a trusted certificate would have it. */
export function proxied(world: World, grant: string | null, user = 'hoop'): ProxyAgent {
  return new ProxyAgent({
    uri: proxyUrl(world),
    ...(grant === null ? {} : { token: basic(user, grant) }),
    requestTls: { ca: authority.certificate },
    proxyTunnel: true,
  });
}

/** A socket on which a test sends what it wants, in the clear and later inside of TLS. */
export class ProxyClient {
  socket: net.Socket;
  received: Buffer = Buffer.alloc(0);
  isClosed = false;
  #wake: (() => void)[] = [];

  private constructor(socket: net.Socket) {
    this.socket = socket;
    this.#listen();
  }

  static async to(world: World): Promise<ProxyClient> {
    const { hostname, port } = new URL(proxyUrl(world));
    const socket = net.connect({ host: hostname, port: Number(port) });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    return new ProxyClient(socket);
  }

  send(text: string | Buffer): this {
    this.socket.write(text);
    return this;
  }

  /** The next response. */
  async response(): Promise<RawResponse> {
    for (;;) {
      const response = readResponse(this.received.toString('latin1'));
      if (response !== null) {
        this.received = Buffer.alloc(0);
        return response;
      }
      if (this.isClosed) throw new Error(`closed after ${JSON.stringify(this.received.toString('latin1').slice(0, 200))}`);
      await this.#more();
    }
  }

  async connect(authorityForm: string, grant: string | null, more = ''): Promise<RawResponse> {
    const authorization = grant === null ? '' : `proxy-authorization: ${basic('', grant)}\r\n`;
    this.send(`CONNECT ${authorityForm} HTTP/1.1\r\nhost: ${authorityForm}\r\n${authorization}${more}\r\n`);
    for (;;) {
      const text = this.received.toString('latin1');
      if (text.startsWith('HTTP/1.1 200') && text.includes('\r\n\r\n')) {
        this.received = Buffer.alloc(0);
        return { status: 200, headers: {}, body: '' } as RawResponse;
      }
      if (text !== '' && !text.startsWith('HTTP/1.1 2')) return this.response();
      if (this.isClosed) throw new Error('closed');
      await this.#more();
    }
  }

  /** TLS on the same connection. Rejects where the handshake fails. */
  async secure(options: tls.ConnectionOptions): Promise<tls.TLSSocket> {
    this.socket.removeAllListeners('data');
    const secured = tls.connect({ socket: this.socket, ca: authority.certificate, ...options });
    await new Promise<void>((resolve, reject) => secured.once('secureConnect', resolve).once('error', reject));
    this.socket = secured;
    this.#listen();
    return secured;
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await this.#more();
  }

  close(): void {
    this.socket.destroy();
  }

  #more(): Promise<void> {
    return new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #listen(): void {
    const changed = (): void => {
      for (const wake of this.#wake.splice(0)) wake();
    };
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      changed();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.isClosed = true;
      changed();
    });
  }
}
