/** Appends events to an NDJSON file in the configured folder. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';

import type { LogEvent } from './log-events.ts';

const fileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const tailBytes = 65_536;

/**
 * Durable when it resolves. A line that a crash or a full disk tore is cut off first, so that every line is whole; the
 * same events then come again.
 *
 * @throws Error with a sentence
 */
export async function writeEvents(folder: string | undefined, file: string, events: readonly LogEvent[]): Promise<void> {
  if (folder === undefined) throw new Error('HOOP_EVENT_FILES_DIR is not set for the worker: there is no folder for event files.');
  if (!fileName.test(file)) throw new Error('The file name is not valid.');
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  const handle = await open(path.join(folder, file), flags, 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      error.code === 'ELOOP' ? 'The file is a symbolic link; it is not followed.' : `The file cannot be opened (${error.code}).`,
      { cause: error },
    );
  });
  try {
    if (!(await handle.stat()).isFile()) throw new Error('The path exists and is not a regular file.');
    await cutTornLine(handle);
    await handle.writeFile(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    await handle.sync();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new Error(`The file cannot be written (${code}): ${message}`, { cause: error });
  } finally {
    await handle.close();
  }
}

async function cutTornLine(handle: FileHandle): Promise<void> {
  const { size } = await handle.stat();
  const buffer = Buffer.alloc(tailBytes);
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - tailBytes);
    const { bytesRead } = await handle.read(buffer, 0, end - start, start);
    const at = buffer.subarray(0, bytesRead).lastIndexOf(10);
    if (at !== -1 || start === 0) {
      const whole = at === -1 ? 0 : start + at + 1;
      if (whole < size) await handle.truncate(whole);
      return;
    }
    end = start;
  }
}
