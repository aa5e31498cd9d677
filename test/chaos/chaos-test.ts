/** One run of chaos as a test. A run that fails is repeated with the seed in the test's name. */
import { randomInt } from 'node:crypto';

import { redisIsAvailable } from '@hoop/testkit';
import { expect, test } from 'vitest';

import { runChaos } from './chaos.ts';

export function chaosTest(queue: 'postgres' | 'redis', rounds: number): void {
  const seed = Number(process.env['HOOP_CHAOS_SEED'] ?? randomInt(2 ** 31));

  test.skipIf(queue === 'redis' && !redisIsAvailable())(
    `every request that reached the target has one true record although everything is killed (seed ${seed})`,
    async () => {
      const { breaches, kills, searched, states } = await runChaos({ queue, rounds, seed });
      expect(
        breaches,
        `repeat with: node --conditions=@hoop/source test/chaos/run.ts --queue ${queue} --rounds ${rounds} --seed ${seed}`,
      ).toEqual([]);
      expect(Object.values(kills).reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(rounds);
      // The search is of use only where there was something to find.
      for (const state of ['completed', 'failed', 'aborted', 'refused']) expect(states[state], state).toBeGreaterThan(0);
      for (const count of Object.values(searched)) expect(count).toBeGreaterThan(20);
    },
  );
}
