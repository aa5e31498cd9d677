/** The data folder: everything that a Hoop keeps, and the lock that makes it one Hoop's alone. */
import { accessSync, chmodSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

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

/** Reachable for as long as they are held: a connection that is collected gives its lock back. */
const locks = new Set<DatabaseSync>();

/**
 * An exclusive lock that cannot outlive its holder: SQLite's own, which is a lock of the operating system on an open
 * file. A file with a process id in it would stay behind a kill, and ids are used again.
 */
function lock(folder: string): DatabaseSync {
  const file = path.join(folder, 'hoop.lock');
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
    chmodSync(file, 0o600);
  } catch (error) {
    database.close();
    if (/locked|busy/i.test((error as Error).message)) {
      throw new StartError(`Another Hoop is running on the data folder ${folder}: stop it, or choose another folder with --data-dir.`, {
        cause: error,
      });
    }
    throw new StartError(`The data folder ${folder} cannot be locked: ${(error as Error).message}.`, { cause: error });
  }
  locks.add(database);
  return database;
}

function unlock(database: DatabaseSync): void {
  locks.delete(database);
  database.close();
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
      unlock: () => unlock(held),
    };
    writeFileSync(path.join(folder, '.gitignore'), '*\n');
    return opened;
  } catch (error) {
    unlock(held);
    throw error;
  }
}
