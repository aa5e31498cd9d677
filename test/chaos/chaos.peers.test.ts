/** The rounds of `chaos.test.ts`, many more of them. */
import { describe } from 'vitest';

import { chaosTest } from './chaos-test.ts';

describe.each(['postgres', 'redis'] as const)('with the queue on %s', (queue) => {
  chaosTest(queue, 20);
});
