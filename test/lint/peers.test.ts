/** Each test that has a part for Redis is one that `npm run test:peers` runs. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

test('the run of the peers has every test with a part for Redis', async () => {
  const { stdout } = await promisify(execFile)(
    'git',
    ['grep', '-l', '-E', 'testedQueues|redisIsAvailable|findPeer|findPython', '--', '*.test.ts'],
    {
      cwd: root,
    },
  );
  const configuration = await readFile(path.join(root, 'vitest.config.ts'), 'utf8');
  const files = stdout.split('\n').filter((file) => file !== '' && !file.endsWith('.peers.test.ts') && file !== 'test/lint/peers.test.ts');
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((file) => !configuration.includes(`'${file}'`))).toEqual([]);
});
