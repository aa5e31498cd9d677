import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { AppError } from '@hoop/contract';

import { checkedKey, parseBlobKey } from './blob-key.ts';
import type { BlobInfo, BlobStore } from './blob-store.ts';

/** Blobs as files of mode 0600, in a folder for each 140 minutes, by the time in the call's id. */
export function createDirectoryBlobStore(root: string): BlobStore {
  const folderOf = (key: string): string => path.join(root, checkedKey(key).slice('call_'.length, 'call_'.length + 5));
  const fileOf = (key: string): string => path.join(folderOf(key), key);
  const known = new Set<string>();

  async function syncFolder(folder: string): Promise<void> {
    const handle = await open(folder, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
  async function makeFolder(folder: string): Promise<void> {
    if (known.has(folder)) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await syncFolder(root);
    known.add(folder);
  }
  const exists = (key: string): Promise<boolean> =>
    stat(fileOf(key)).then(
      () => true,
      (error: NodeJS.ErrnoException) => absent(error, false),
    );

  return {
    put: guarded(async (key, bytes) => {
      const folder = folderOf(key);
      if (await exists(key)) return;
      await makeFolder(folder);
      // Under its name it is whole, and on the disk, or it is not there.
      const part = path.join(folder, `.${randomUUID()}.part`);
      try {
        const handle = await open(part, 'wx', 0o600);
        try {
          await handle.writeFile(bytes);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(part, fileOf(key));
        await syncFolder(folder);
      } catch (error) {
        known.delete(folder);
        await rm(part, { force: true }).catch(() => undefined);
        throw error;
      }
    }),
    get: guarded((key) => readFile(fileOf(key)).catch((error: NodeJS.ErrnoException) => absent(error, null))),
    has: guarded(exists),
    delete: guarded((key) => rm(fileOf(key), { force: true })),
    async *list(after) {
      for (const folder of await namesIn(root)) {
        if (after !== undefined && folder < after.slice('call_'.length, 'call_'.length + 5)) continue;
        for (const name of await namesIn(path.join(root, folder))) {
          if (parseBlobKey(name) === null || (after !== undefined && name <= after)) continue;
          const info = await infoOf(path.join(root, folder, name), name);
          if (info !== null) yield info;
        }
      }
    },
  };
}

const away = (error: unknown): AppError => new AppError('unavailable', 'The store of large bodies is not available.', { cause: error });

/** Wraps errors of the file system, whose details go to the log only; an invalid key is a bug of Hoop's. */
function guarded<A extends readonly unknown[], T>(work: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  return async (...args) => {
    try {
      return await work(...args);
    } catch (error) {
      throw error instanceof RangeError ? error : away(error);
    }
  };
}

function absent<T>(error: NodeJS.ErrnoException, value: T): T {
  if (error.code === 'ENOENT') return value;
  throw error;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw away(error);
  }
}

async function infoOf(file: string, key: string): Promise<BlobInfo | null> {
  try {
    const { size, mtimeMs } = await stat(file);
    return { key, bytes: size, storedAt: Math.floor(mtimeMs) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw away(error);
  }
}
