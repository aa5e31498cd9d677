import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/**
 * Makes a folder for files of a moment. `TMPDIR` may name a folder that is not there, or one that cannot be written to;
 * the system's own are there without it. Rejects with the first failure where none can be used.
 */
export async function makeTemporaryFolder(prefix: string): Promise<string> {
  let failure: unknown;
  for (const parent of [os.tmpdir(), '/tmp', '/var/tmp']) {
    try {
      return await mkdtemp(path.join(parent, prefix));
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}
