/** The package as it is published. */
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';

const run = promisify(execFile);
const packageFolder = path.resolve(import.meta.dirname, '..');
const longestWaitMs = 600_000;

export interface PackedPackage {
  readonly archive: string;
  /** `node_modules/@hoop/fetch` in the folder that was given. */
  readonly installed: string;
}

/** @throws Error with what the packer printed */
export async function packInto(folder: string): Promise<PackedPackage> {
  const installed = path.join(folder, 'node_modules/@hoop/fetch');
  await mkdir(installed, { recursive: true });
  await alone(() => run('npx', ['--yes', 'pnpm@12.21.0', 'pack', '--pack-destination', folder], { cwd: packageFolder }));
  const archive = path.join(
    folder,
    (await readdir(folder)).find((name) => name.endsWith('.tgz'))!,
  );
  await run('tar', ['-xzf', archive, '-C', installed, '--strip-components=1']);
  return { archive, installed };
}

/** Packing removes and builds `dist`: of test files that run at the same time, one packs after the other. */
async function alone(work: () => Promise<unknown>): Promise<void> {
  const lock = new DatabaseSync(path.join(packageFolder, 'node_modules/.pack.lock'), { timeout: longestWaitMs });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    await work();
  } finally {
    lock.close();
  }
}
