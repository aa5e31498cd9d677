import { findPort, tryPort } from '@hoop/embedded-postgres';

import { StartError } from '../start-error.ts';

/** The port itself if it is free, or a free one for 0. */
export async function claimPort(port: number, host: string, flag: string): Promise<number> {
  let failure: NodeJS.ErrnoException | undefined;
  try {
    if (port === 0) return await findPort(host);
    failure = await tryPort(port, host);
  } catch (error) {
    failure = error as NodeJS.ErrnoException;
  }
  if (failure === undefined) return port;
  const { code } = failure;
  if (code === 'EADDRINUSE') {
    throw new StartError(`Port ${port} on ${host} is already in use: stop what listens there, or choose another with ${flag}.`, {
      cause: failure,
    });
  }
  throw new StartError(
    `Port ${port} on ${host} cannot be used (${code}): choose another with ${flag}${code === 'EACCES' ? '' : ' or --host'}.`,
    {
      cause: failure,
    },
  );
}

/** The port if it is free, otherwise (and for 0) any free one. */
export async function preferPort(port: number, host: string): Promise<number> {
  return port !== 0 && (await tryPort(port, host)) === undefined ? port : findPort(host);
}
