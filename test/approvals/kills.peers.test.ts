/** The run of `kills.test.ts` with many more kills, on both queues. */
import { killsTest } from './kills-test.ts';

for (const queue of ['postgres', 'redis'] as const) killsTest(queue, 200, 25);
