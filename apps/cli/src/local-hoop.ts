/** The Hoop on this machine's data folder, and the demonstration's identity provider beside it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { platformToken } from './demo/platform-token.ts';
import { readDemoSettings } from './demo/settings.ts';
import type { DemoToken, LocalHoop } from './exec-command.ts';
import { readAddresses } from './start/addresses.ts';
import { StartError } from './start-error.ts';

const find: LocalHoop = async (dataDir) => (await readAddresses(path.resolve(dataDir))).controlPlane;

const token: DemoToken = async (dataDir, machine) => {
  const folder = path.resolve(dataDir);
  const settings = await readDemoSettings(path.join(folder, 'demo'));
  if (settings === undefined) throw new StartError(`No demonstration was set up in ${folder}, so there is no identity provider for --as.`);
  return platformToken(settings, machine);
};

/** The certificates of the proxy's authority, PEM. */
const certificates = (dataDir: string): Promise<string> =>
  readFile(path.join(path.resolve(dataDir), 'keys', 'ca.pem'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StartError(
      `The data folder ${path.resolve(dataDir)} has no certificate authority (${error.code}): run "npm start", or say which with --data-dir.`,
      { cause: error },
    );
  });

export const localHoop = { find, token, certificates } as const;
