/** One run of approvals under kills as a test. A run that fails is repeated with the seed in the test's name. */
import { randomInt } from 'node:crypto';

import { redisIsAvailable } from '@hoop/testkit';
import { expect, test } from 'vitest';

import { runApprovalKills } from './kill-run.ts';

export function killsTest(queue: 'postgres' | 'redis', calls: number, kills: number): void {
  const seed = Number(process.env['HOOP_CHAOS_SEED'] ?? randomInt(2 ** 31));

  test.skipIf(queue === 'redis' && !redisIsAvailable())(
    `every approval ends once, an approved call is sent once or unknown, and any other never (queue on ${queue}, seed ${seed})`,
    async () => {
      const result = await runApprovalKills({ queue, calls, kills, seed });
      expect(
        result.breaches,
        `repeat with: node --conditions=@hoop/source test/approvals/kill.ts --calls ${calls} --kills ${kills} --queue ${queue} --seed ${seed}\n${JSON.stringify(result)}`,
      ).toEqual([]);
      expect(Object.keys(result.kills).sort()).toEqual(['control-plane', 'relay-1', 'relay-2', 'worker']);
      // The checks are of use only where there was something to check.
      expect(Object.values(result.approvals).reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(calls);
      const shown = JSON.stringify(result);
      expect(result.used['completed'] ?? 0, shown).toBeGreaterThan(calls / 10);
      expect(result.approvals['denied'] ?? 0, shown).toBeGreaterThan(calls / 20);
      // On a slow machine each of them may count as lost while it runs, and end as unknown.
      expect((result.deferred['done'] ?? 0) + (result.deferred['unknown'] ?? 0), shown).toBeGreaterThan(0);
      expect(result.received, shown).toBeGreaterThan(calls / 10);
    },
  );
}
