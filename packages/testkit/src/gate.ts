/** A TCP forwarder in front of a real server, so that a test can take the server away and give it back. */
import { once } from 'node:events';
import net from 'node:net';

import { reservePort } from './reserve-port.ts';

export interface Gate {
  readonly port: number;
  /** Connections break, new ones are refused. */
  cut(): Promise<void>;
  /** Connections stay, and nothing passes: a server that hangs. */
  freeze(): void;
  restore(): Promise<void>;
  close(): Promise<void>;
}

export async function startGate(target: { readonly host: string; readonly port: number }): Promise<Gate> {
  const sockets = new Set<net.Socket>();
  let isFrozen = false;
  const accept = (inner: net.Socket): void => {
    const outer = net.connect(target);
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    if (isFrozen) {
      inner.pause();
      outer.pause();
    }
  };
  const port = await reservePort();
  let server = net.createServer(accept).listen(port, '127.0.0.1');
  await once(server, 'listening');

  const cut = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    port,
    cut,
    freeze() {
      isFrozen = true;
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    async restore() {
      if (isFrozen) await cut();
      isFrozen = false;
      server = net.createServer(accept).listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    close: cut,
  };
}
