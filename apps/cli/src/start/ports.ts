import { once } from 'node:events';
import net from 'node:net';

import { StartError } from '../start-error.ts';

async function tryPort(port: number, host: string): Promise<number | NodeJS.ErrnoException> {
  const probe = net.createServer();
  probe.listen({ port, host, exclusive: true });
  try {
    await once(probe, 'listening');
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  const bound = (probe.address() as net.AddressInfo).port;
  probe.close();
  await once(probe, 'close');
  return bound;
}

/** The port itself if it is free, or a free one for 0. */
export async function claimPort(port: number, host: string, flag: string): Promise<number> {
  const found = await tryPort(port, host);
  if (typeof found === 'number') return found;
  if (found.code === 'EADDRINUSE') {
    throw new StartError(`Port ${port} on ${host} is already in use: stop what listens there, or choose another with ${flag}.`, { cause: found });
  }
  throw new StartError(`Port ${port} on ${host} cannot be used (${found.code}): choose another with ${flag}${found.code === 'EACCES' ? '' : ' or --host'}.`, {
    cause: found,
  });
}

/** The port if it is free, otherwise any free one. */
export async function preferPort(port: number, host: string): Promise<number> {
  const found = await tryPort(port, host);
  return typeof found === 'number' ? found : claimPort(0, host, '');
}
