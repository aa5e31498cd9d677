import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { checkOpenFiles, openFilesLimit } from './open-files.ts';

const said = (limit: number | undefined): string[] => {
  const sentences: string[] = [];
  checkOpenFiles(limit, (sentence) => sentences.push(sentence));
  return sentences;
};

test('a limit of open files under which nothing starts is one clear sentence', () => {
  expect(() => said(127)).toThrow(
    'The limit of open files is 127, and Hoop needs at least 128 to start: raise it with "ulimit -n 1024" or in the limits of the service.',
  );
});

test('a low limit is said, and one that is enough or absent is not', () => {
  expect(said(128)).toEqual([
    'The limit of open files is 128: few calls fit in at once. To carry more, raise it with "ulimit -n 1024" or in the limits of the service.',
  ]);
  for (const limit of [1024, undefined]) expect(said(limit)).toEqual([]);
});

test.skipIf(process.platform === 'win32')('the limit is the one that the shell set', async () => {
  const main = new URL('./open-files.ts', import.meta.url).href;
  const program = `const { openFilesLimit } = await import(${JSON.stringify(main)}); console.log(openFilesLimit());`;
  const { stdout } = await promisify(execFile)('/bin/sh', [
    '-c',
    'ulimit -n 200; exec "$@"',
    'sh',
    process.execPath,
    '--conditions=@hoop/source',
    '--input-type=module',
    '-e',
    program,
  ]);
  expect(stdout.trim()).toBe('200');
  expect(openFilesLimit()).not.toBe(200);
});
