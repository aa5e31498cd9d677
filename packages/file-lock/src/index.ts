/** Exclusive locks between processes. */
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

export interface FileLock {
  /** Gives the lock back. The operating system does so too when this process dies. */
  unlock(): void;
}

/** Reachable for as long as they are held: a connection that is collected gives its lock back. */
const held = new Set<DatabaseSync>();

/**
 * An exclusive lock that cannot outlive its holder: SQLite's own, which is a lock of the operating system on an open
 * file. A file with a process id in it would stay behind a kill, and ids are used again.
 *
 * Null: another process, or another part of this one, holds it.
 * @throws Error where the file cannot be made or locked
 */
export function lockFile(file: string): FileLock | null {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
    chmodSync(file, 0o600);
  } catch (error) {
    database.close();
    if (/locked|busy/i.test((error as Error).message)) return null;
    throw error;
  }
  held.add(database);
  return {
    unlock: () => {
      if (held.delete(database)) database.close();
    },
  };
}
