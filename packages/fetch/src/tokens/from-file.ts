import { HoopTokenError } from '../hoop-token-error.ts';
import type { TokenSource } from './token-source.ts';

interface FileSystem {
  readFile(path: string, encoding: 'utf8'): Promise<string>;
}

/** Undefined where the runtime has no files. */
async function openFileSystem(): Promise<FileSystem | undefined> {
  // Held in a variable so that bundlers for runtimes without files leave it alone.
  const specifier = 'node:fs/promises';
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)) as FileSystem;
  } catch {
    return undefined;
  }
}

/** The token in a file; undefined where there is no such file. Throws a HoopTokenError for one that cannot be read or is empty. */
export async function readTokenFile(path: string): Promise<string | undefined> {
  const files = await openFileSystem();
  let text: string;
  try {
    if (files === undefined) return undefined;
    text = await files.readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new HoopTokenError(`The token file ${path} cannot be read: ${String(message)}`, { cause: error });
  }
  const token = text.trim();
  if (token === '') throw new HoopTokenError(`The token file ${path} is empty.`);
  return token;
}

/** The token in a file. Read anew for each grant, so that a rotated token is picked up. */
export function tokenFromFile(path: string): TokenSource {
  return async () => {
    const token = await readTokenFile(path);
    if (token === undefined) throw new HoopTokenError(`There is no token file ${path}.`);
    return token;
  };
}
