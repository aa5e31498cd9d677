/** Where the Hoop on a data folder listens, for other commands: written when it has started. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { StartError } from '../start-error.ts';

export interface Addresses {
  readonly controlPlane: string;
  readonly relay: string;
  /** The forward proxy. */
  readonly proxy: string;
}

const fileIn = (folder: string): string => path.join(folder, 'addresses.json');

export async function writeAddresses(folder: string, addresses: Addresses): Promise<void> {
  await writeFile(fileIn(folder), `${JSON.stringify(addresses)}\n`);
}

export async function readAddresses(folder: string): Promise<Addresses> {
  try {
    return JSON.parse(await readFile(fileIn(folder), 'utf8')) as Addresses;
  } catch (error) {
    throw new StartError(`No Hoop was started on the data folder ${folder}: run "npm start", or say which with --data-dir.`, {
      cause: error,
    });
  }
}
