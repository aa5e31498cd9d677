/** Our fetch behaves like the platform's: every test here runs against both. */
import { afterAll, beforeAll, describe } from 'vitest';

import { testAnswers } from './fidelity/answers.ts';
import { testFailures } from './fidelity/failures.ts';
import { testRedirects } from './fidelity/redirects.ts';
import { testRequests } from './fidelity/requests.ts';
import { closeSides, sides, startSides } from './fidelity/sides.ts';

beforeAll(startSides);
afterAll(closeSides);

describe.each(sides)('$name', (side) => {
  testAnswers(side);
  testRequests(side);
  testFailures(side);
  testRedirects(side);
});
