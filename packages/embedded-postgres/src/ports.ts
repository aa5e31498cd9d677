import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';

/** Why the port cannot be listened on; undefined if it can. */
export async function tryPort(port: number, host: string): Promise<NodeJS.ErrnoException | undefined> {
  const probe = net.createServer();
  probe.listen({ port, host, exclusive: true });
  try {
    await once(probe, 'listening');
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  probe.close();
  await once(probe, 'close');
  return undefined;
}

/**
 * A free port below those that systems give to outgoing connections (RFC 6335's dynamic ports and Linux's from 32768 on), so
 * that no connection takes it between now and when a server listens there.
 */
export async function findPort(host: string): Promise<number> {
  for (let tries = 0; ; tries++) {
    const port = randomInt(20_000, 32_000);
    const failure = await tryPort(port, host);
    if (failure === undefined) return port;
    if (failure.code !== 'EADDRINUSE' || tries === 100) throw failure;
  }
}
