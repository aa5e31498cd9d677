import { HoopTokenError } from '../hoop-token-error.ts';
import type { TokenSource } from './token-source.ts';

interface FileSystem {
  readFile(path: string, encoding: 'utf8'): Promise<string>;
}

/**
 * Undefined where the runtime has no files. Not an import: bundlers for runtimes without files refuse `node:` modules, and those
 * for any refuse an import of what is known only later.
 */
function openFileSystem(): FileSystem | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  // oxlint-disable-next-line no-restricted-properties -- see above
  return process?.getBuiltinModule?.('node:fs/promises') as FileSystem | undefined;
}

/** The token in a file; undefined where there is no such file. Throws a HoopTokenError for one that cannot be read or is empty. */
export async function readTokenFile(path: string): Promise<string | undefined> {
  const files = openFileSystem();
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
