import { describe, expect, it } from 'vitest';

import { RefusedBodies, refusedBodyRates } from './refused-body.ts';

const { ofIdentity, ofRelay } = refusedBodyRates;

describe('bodies of refused calls that are kept', () => {
  it('have a rate for each identity, which fills again in time', () => {
    let now = 0;
    const bodies = new RefusedBodies(() => now);
    expect(bodies.admit('one', ofIdentity.burst)).toBe(true);
    expect(bodies.admit('one', 1)).toBe(false);
    expect(bodies.admit('two', ofIdentity.burst)).toBe(true);
    now += 1000;
    expect(bodies.admit('one', ofIdentity.perSecond)).toBe(true);
    expect(bodies.admit('one', 1)).toBe(false);
    now += 1_000_000;
    expect(bodies.admit('one', ofIdentity.burst + 1)).toBe(false);
  });

  it('have a rate for all together, however many identities there are', () => {
    const bodies = new RefusedBodies(() => 0);
    const kept = Array.from({ length: 1000 }, (_, i) => bodies.admit(`identity ${i}`, ofIdentity.burst)).filter(Boolean);
    expect(kept).toHaveLength(ofRelay.burst / ofIdentity.burst);
  });
});
