import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { openDataFolder } from './data-folder.ts';
import { makeKeys, readOrMake } from './keys.ts';

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'hoop-data-'));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

describe('the data folder', () => {
  test('belongs to one Hoop at a time', () => {
    const first = openDataFolder(scratch);
    expect(() => openDataFolder(scratch)).toThrow(
      /^Another Hoop is running on the data folder .*: stop it, or choose another folder with --data-dir\.$/,
    );
    first.unlock();
    openDataFolder(scratch).unlock();
  });

  test('is free again when its holder was killed', async () => {
    const program = `import { openDataFolder } from ${JSON.stringify(new URL('./data-folder.ts', import.meta.url).href)};
      openDataFolder(${JSON.stringify(scratch)}); console.log('held'); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--conditions=@hoop/source', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      await once(createInterface({ input: holder.stdout }), 'line');
      expect(() => openDataFolder(scratch)).toThrow(/Another Hoop/);
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
    openDataFolder(scratch).unlock();
  });

  test('says in one sentence that it cannot be written', async () => {
    await writeFile(path.join(scratch, 'file'), '');
    expect(() => openDataFolder(path.join(scratch, 'file', 'data'))).toThrow(
      /cannot be written \(ENOTDIR\): choose another with --data-dir\.$/,
    );
  });

  test.skipIf(process.getuid?.() === 0)('says in one sentence that it may not be written', async () => {
    await chmod(scratch, 0o500);
    expect(() => openDataFolder(path.join(scratch, 'data'))).toThrow(/cannot be written \(EACCES\)/);
  });

  test('keeps keys and logs from others', async () => {
    const folder = openDataFolder(scratch);
    folder.unlock();
    for (const inside of [folder.keys, folder.logs, folder.demo]) expect((await stat(inside)).mode & 0o777).toBe(0o700);
  });
});

describe('keys', () => {
  test('are made once, each in a file of mode 0600, and are the same at the next start', async () => {
    const first = await makeKeys(scratch);
    const second = await makeKeys(scratch);
    expect(second).toEqual(first);
    const { postgresPassword: _postgres, queuePassword: _queue, bootstrapTokenFile: _token, ...files } = first;
    for (const file of Object.values(files)) {
      expect((await stat(file)).mode & 0o777, file).toBe(0o600);
    }
  });

  test('of which the public ones hold no private member', async () => {
    const { sealingPublicKeyFile } = await makeKeys(scratch);
    const { keys } = JSON.parse(await readOrMake(sealingPublicKeyFile, () => '')) as { keys: Record<string, unknown>[] };
    expect(keys).toHaveLength(1);
    expect(keys[0]).not.toHaveProperty('d');
  });

  test('are refused when others may read them', async () => {
    const { relayTokenFile } = await makeKeys(scratch);
    await chmod(relayTokenFile, 0o640);
    await expect(makeKeys(scratch)).rejects.toThrow(/relay-token can be read by others: chmod 600 it/);
  });

  test('are refused when they are empty', async () => {
    const { relayTokenFile } = await makeKeys(scratch);
    await writeFile(relayTokenFile, '');
    await expect(makeKeys(scratch)).rejects.toThrow(/relay-token is empty: put its backup back\.$/);
  });

  test('are the same for two that make them at once', async () => {
    const file = path.join(scratch, 'key');
    const [one, two] = await Promise.all([readOrMake(file, () => 'one'), readOrMake(file, () => 'two')]);
    expect(one).toBe(two);
  });
});
