/** A few rounds for each queue; `chaos.peers.test.ts` and `run.ts` do many. */
import { testedQueues } from '@hoop/testkit';
import { describe } from 'vitest';

import { chaosTest } from './chaos-test.ts';

describe.each(testedQueues)('with the queue on %s', (queue) => {
  chaosTest(queue, 3);
});
