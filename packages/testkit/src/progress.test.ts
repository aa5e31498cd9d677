import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, test } from 'vitest';

import { progressUntil, signalIfPresent } from './progress.ts';

test('a wait takes as long as there is progress, however long that is', async () => {
  let steps = 0;
  const from = performance.now();
  const stuckAfterMs = 200;
  // Each look is a step of progress; together they take longer than a stuck one may.
  const seen = await progressUntil(
    'counting',
    () => ++steps,
    () => performance.now() - from > 2 * stuckAfterMs,
    { everyMs: 1, stuckAfterMs },
  );
  expect(seen).toBe(steps);
});

test('a wait in which nothing changes any more fails, and says what it saw last', async () => {
  const stuck = progressUntil(
    'counting',
    () => ({ open: 3 }),
    () => false,
    { everyMs: 1, stuckAfterMs: 20 },
  );
  await expect(stuck).rejects.toThrow('counting: no progress for 0.02 seconds, stuck at {"open":3}');
});

test('a signal to a process that has ended is no error, and to one that is there it arrives', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const exited = once(child, 'exit');
  expect(signalIfPresent(child.pid!, 'SIGKILL')).toBe(true);
  expect(await exited).toEqual([null, 'SIGKILL']);
  expect(signalIfPresent(child.pid!, 'SIGKILL')).toBe(false);
});
