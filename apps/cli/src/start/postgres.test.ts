import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { openDataFolder, type DataFolder } from './data-folder.ts';
import { runPostgres } from './postgres.ts';

let scratch: string;
let folder: DataFolder;
beforeEach(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-cli-postgres-'));
  await chmod(scratch, 0o755);
  folder = openDataFolder(path.join(scratch, 'data'));
});
afterEach(async () => {
  folder.unlock();
  await rm(scratch, { recursive: true, force: true });
});

const pidOf = async (): Promise<number> => Number.parseInt(await readFile(path.join(folder.postgres, 'postmaster.pid'), 'utf8'), 10);

test('a Postgres that dies is started again, and one that ends while everything stops is not', async () => {
  const said: string[] = [];
  const server = await runPostgres(folder, 0, 'a-password', (sentence) => said.push(sentence));
  process.kill(await pidOf(), 'SIGKILL');
  await expect.poll(() => said).toContain('Postgres is back.');

  const sentences = said.length;
  server.letEnd();
  process.kill(await pidOf(), 'SIGTERM');
  await server.stop();
  expect(said.slice(sentences)).toEqual([]);
  await expect(pidOf()).rejects.toThrow(/ENOENT/);
});
