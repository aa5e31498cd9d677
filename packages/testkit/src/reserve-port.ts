import { randomInt } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';

/**
 * A TCP port on 127.0.0.1 that nobody listens on and that nobody takes before the caller listens there, or while what
 * listens there is restarted: it is below those that systems give to outgoing connections and to whoever listens on port
 * 0, and the UDP port of its number is held until this process ends, which is how other test processes know.
 */
export async function reservePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 20_000);
    const hold = dgram.createSocket('udp4');
    hold.bind({ port, address: '127.0.0.1', exclusive: true });
    if (!(await succeeds(once(hold, 'listening')))) continue;
    hold.unref();
    const probe = net.createServer().listen({ port, host: '127.0.0.1', exclusive: true });
    if (await succeeds(once(probe, 'listening'))) {
      probe.close();
      await once(probe, 'close');
      return port;
    }
    hold.close();
  }
}

/** False where the port is somebody's; any other failure is thrown. */
async function succeeds(listening: Promise<unknown>): Promise<boolean> {
  try {
    await listening;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return false;
  }
}
