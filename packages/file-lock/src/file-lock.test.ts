import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { lockFile } from './index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hoop-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('is held by one at a time', () => {
  const file = path.join(folder, 'lock');
  const first = lockFile(file);
  expect(first).not.toBeNull();
  expect(lockFile(file)).toBeNull();
  first!.unlock();
  const second = lockFile(file);
  expect(second).not.toBeNull();
  first!.unlock();
  expect(lockFile(file)).toBeNull();
  second!.unlock();
});

it('is free again once its holder was killed', async () => {
  const file = path.join(folder, 'lock');
  const program = `import { lockFile } from '@hoop/file-lock'; lockFile(${JSON.stringify(file)}); process.send('held'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--conditions=@hoop/source', '--input-type=module', '--eval', program], {
    cwd: path.join(import.meta.dirname, '../../journal'),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(holder, 'message');
  expect(lockFile(file)).toBeNull();
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const lock = lockFile(file);
  expect(lock).not.toBeNull();
  lock!.unlock();
});

it('says why a file cannot be locked', () => {
  expect(() => lockFile(path.join(folder, 'none', 'lock'))).toThrow('unable to open');
});
