/** A benchmark that starts servers goes on working when what they need changes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

it('the benchmark of recording loses no call of a small run', async () => {
  const bench = spawn(process.execPath, ['--conditions=@hoop/source', main, 'recording', '--calls=300', '--rows=300', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed, [code]] = await Promise.all([text(bench.stdout), once(bench, 'exit')]);
  expect(code).toBe(0);
  const reports = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { case: string; value: number; lost?: number });
  const sustained = reports.find((report) => report.case === 'calls into Postgres, sustained');
  expect(sustained).toMatchObject({ lost: 0 });
  expect(sustained!.value).toBeGreaterThan(0);
});
