/** The file operations that a journal needs, so that tests can trace them and break them. */
import fs from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const datasync = promisify(fs.fdatasync);

/** An open file. Every operation rejects, or throws, with the error of the operating system. */
export interface JournalFile {
  /** Writes all parts, one behind the other, from `position` on. */
  write(parts: readonly Uint8Array[], position: number): void;
  /** What was written survives a loss of power once it resolves. Must not be called again after it rejected (fsyncgate). */
  sync(): Promise<void>;
  /** Fills `buffer` as far as the file goes; the number of bytes. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** One folder. */
export interface JournalFiles {
  list(): Promise<string[]>;
  /** A file of so many zeros. The file, its length and its name survive a loss of power once it resolves. */
  create(name: string, bytes: number): Promise<JournalFile>;
  open(name: string): Promise<JournalFile>;
  remove(name: string): Promise<void>;
}

const zeros = Buffer.alloc(1024 * 1024);

class NodeFile implements JournalFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(parts: readonly Uint8Array[], position: number): void {
    const total = parts.reduce((sum, part) => sum + part.length, 0);
    let written = fs.writevSync(this.#fd, parts, position);
    // A short write is rare: a signal, or a disk that is nearly full.
    if (written === total) return;
    const rest = Buffer.concat(parts);
    while (written < total) {
      const more = fs.writeSync(this.#fd, rest, written, total - written, position + written);
      if (more === 0) throw new Error('the file takes no more bytes');
      written += more;
    }
  }

  sync(): Promise<void> {
    return datasync(this.#fd);
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    let read = 0;
    while (read < buffer.length) {
      const more = await new Promise<number>((resolve, reject) => {
        fs.read(this.#fd, buffer, read, buffer.length - read, position + read, (error, bytes) => (error ? reject(error) : resolve(bytes)));
      });
      if (more === 0) break;
      read += more;
    }
    return read;
  }

  async close(): Promise<void> {
    await promisify(fs.close)(this.#fd);
  }
}

/** A folder of the file system, which must exist. */
export function openFolder(folder: string): JournalFiles {
  const at = (name: string): string => path.join(folder, name);
  return {
    list: () => readdir(folder),
    async create(name, bytes) {
      const handle = await open(at(name), 'wx+', 0o600);
      try {
        for (let done = 0; done < bytes; done += zeros.length) await handle.write(zeros, 0, Math.min(zeros.length, bytes - done), done);
        await handle.sync();
        await syncFolder(folder);
      } catch (error) {
        await rm(at(name), { force: true });
        throw error;
      } finally {
        await handle.close();
      }
      return new NodeFile(fs.openSync(at(name), 'r+'));
    },
    open: (name) =>
      new Promise((resolve, reject) => fs.open(at(name), 'r+', (error, fd) => (error ? reject(error) : resolve(new NodeFile(fd))))),
    remove: (name) => rm(at(name), { force: true }),
  };
}

/** A new folder appears with all that `fill` puts into it, or not at all. */
export async function createFolder(folder: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const parent = path.dirname(folder);
  const hidden = path.join(parent, `.${path.basename(folder)}`);
  await mkdir(hidden, { mode: 0o700 });
  await fill(hidden);
  await rename(hidden, folder);
  await syncFolder(parent);
}

/** Removes a folder and its files. */
export async function removeFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(path.join(folder, name), { force: true });
  await rmdir(folder);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
