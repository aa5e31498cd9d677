/** A witness that is a file, best on a disk that nobody with access to the database can write: signed notes, one after the other. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { openCheckpoint } from '@hoop/recording';
import type { Checkpoint } from '@hoop/recording';

/** Enough for several notes. */
const tailBytes = 16_384;

/** The newest whole checkpoint of the file; null where the file has none. A line torn by a crash is skipped. */
export async function lastWitnessed(file: string, keys: readonly string[]): Promise<Checkpoint | null> {
  let handle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    for (const note of notesOf(buffer.subarray(0, bytesRead).toString('utf8')).reverse()) {
      for (const key of keys) {
        const verdict = openCheckpoint(note, key);
        if (verdict.ok) return verdict.checkpoint;
      }
    }
    if (size > 0) throw new Error('The file holds no checkpoint of this log.');
    return null;
  } finally {
    await handle.close();
  }
}

/** Each note: three lines, a blank one, signatures. */
const notesOf = (text: string): string[] => text.match(/[^\n]+\n[^\n]+\n[^\n]+\n\n(?:— [^\n]+\n)+/g) ?? [];

/** Durable when it resolves. */
export async function appendWitnessed(file: string, note: string): Promise<void> {
  const handle = await open(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    const { size } = await handle.stat();
    // The line feed ends a partial line that a crash may have left.
    await handle.writeFile(size === 0 ? note : `\n${note}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
