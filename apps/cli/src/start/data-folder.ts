/** The data folder: everything that a Hoop keeps, and the lock that makes it one Hoop's alone. */
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { lockFile } from '@hoop/file-lock';
import type { FileLock } from '@hoop/file-lock';

import { StartError } from '../start-error.ts';

export interface DataFolder {
  readonly path: string;
  readonly keys: string;
  readonly postgres: string;
  readonly logs: string;
  readonly demo: string;
  /** For the files of event sinks. */
  readonly events: string;
  /** Gives the lock back. The operating system does so too when this process dies. */
  unlock(): void;
}

function makeFolder(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { recursive: true, mode });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartError(`The data folder ${folder} cannot be written (${code}): choose another with --data-dir.`, { cause: error });
  }
}

function lock(folder: string): FileLock {
  let taken: FileLock | null;
  try {
    taken = lockFile(path.join(folder, 'hoop.lock'));
  } catch (error) {
    throw new StartError(`The data folder ${folder} cannot be locked: ${(error as Error).message}.`, { cause: error });
  }
  if (taken === null)
    throw new StartError(`Another Hoop is running on the data folder ${folder}: stop it, or choose another folder with --data-dir.`);
  return taken;
}

/** Makes what is missing and takes the lock. */
export function openDataFolder(given: string): DataFolder {
  const folder = path.resolve(given);
  // Others may pass through: where we are root, Postgres runs as a user of its own. The folders inside are closed to them.
  makeFolder(folder, 0o711);
  const held = lock(folder);
  const inside = (name: string, mode: number): string => {
    const sub = path.join(folder, name);
    makeFolder(sub, mode);
    return sub;
  };
  try {
    const opened = {
      path: folder,
      keys: inside('keys', 0o700),
      logs: inside('logs', 0o700),
      demo: inside('demo', 0o700),
      events: inside('events', 0o700),
      postgres: path.join(folder, 'postgres'),
      unlock: () => held.unlock(),
    };
    writeFileSync(path.join(folder, '.gitignore'), '*\n');
    return opened;
  } catch (error) {
    held.unlock();
    throw error;
  }
}
