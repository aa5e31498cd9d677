import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { runCommand } from './command.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-journals-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function check(...args: string[]): Promise<{ code: number; out: string[]; said: string[] }> {
  const [out, said]: [string[], string[]] = [[], []];
  const io = {
    env: {},
    out: (line: string) => void out.push(line),
    say: (line: string) => void said.push(line),
    stop: new AbortController().signal,
  };
  const code = await runCommand(['recordings', 'check', '--journals', folder, ...args], io as unknown as Parameters<typeof runCommand>[1]);
  return { code, out, said };
}

test('recordings check --journals tells which journals are damaged, and has them shipped on once it is told to', async () => {
  for (const id of ['jrn_1', 'jrn_2']) await mkdir(path.join(folder, id));
  const damage = { epoch: 3, offset: 4096, message: 'Group 9 is not what was written.' };
  await writeFile(path.join(folder, 'jrn_2', 'damaged'), JSON.stringify(damage));
  const found = await check();
  expect(found.code).toBe(1);
  expect(found.out.toSorted()).toEqual([
    'found  jrn_2  segment 3, offset 4096: Group 9 is not what was written.',
    'jrn_1  waits for a shipper',
  ]);
  expect(found.said).toEqual(['2 journals looked at, 1 damaged: run this again with --accept once you have looked.']);
  expect((await check('--json')).out.map((line) => JSON.parse(line) as unknown)).toContainEqual({ id: 'jrn_2', isWritten: false, damage });
  expect(await check('--accept')).toMatchObject({ code: 0, said: ['2 journals looked at, 1 damaged, shipped on from here.'] });
  expect(await readdir(path.join(folder, 'jrn_2'))).not.toContain('damaged');
  expect((await check()).code).toBe(0);
});

test('recordings check --journals says which folder it cannot read', async () => {
  await rm(folder, { recursive: true });
  await expect(check()).rejects.toThrow(`The folder ${folder} cannot be read`);
});
