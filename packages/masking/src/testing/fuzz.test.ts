import { expect, test } from 'vitest';

import { fuzzOnce } from './fuzz.ts';

test('no mutated body of any format breaks a promise of the masker (bounded; the script runs longer)', async () => {
  const end = performance.now() + 4000;
  let runs = 0;
  for (let seed = 1; seed <= 3000 && performance.now() < end; seed++, runs++) await fuzzOnce(seed);
  expect(runs).toBeGreaterThan(50);
});
