import { setImmediate as turn } from 'node:timers/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { createComputations, type Computations } from './computations.ts';

let computations: Computations;
afterEach(() => computations.close());

/** A minute of work for a linear matcher: each character is held against some hundred states. */
const endless = {
  wanted: { pattern: '(?:[a-z]|a|aa|ab|aaa){90}[xy]', ignoreCase: false },
  texts: ['a'.repeat(1_000_000)],
  stopAfterMs: Number.POSITIVE_INFINITY,
};
const small = { wanted: { text: 'a', ignoreCase: false }, texts: ['banana'], stopAfterMs: 600_000 };

describe('a computation', () => {
  it('ends at its deadline, while the event loop goes on', async () => {
    computations = createComputations();
    await computations.run('warm', 'search', small);
    let turns = 0;
    let outcome: unknown;
    const running = computations.run('a', 'search', endless, { deadlineMs: 300 }).then(
      (found) => (outcome = found),
      (error: unknown) => (outcome = error),
    );
    while (outcome === undefined) {
      await turn();
      turns++;
    }
    await running;
    expect(outcome).toMatchObject({ code: 'too_costly', detail: expect.stringContaining('300 ms') });
    expect(turns).toBeGreaterThan(100);
  });

  it('does not keep another caller waiting, however many one caller asks for', async () => {
    computations = createComputations();
    const order: string[] = [];
    const greedy = Array.from({ length: 4 }, async () => {
      await computations.run('greedy', 'search', endless, { deadlineMs: 300 }).catch(() => undefined);
      order.push('greedy');
    });
    await computations.run('modest', 'search', small);
    order.push('modest');
    await Promise.all(greedy);
    // One of the greedy ones may have been first; the rest of them never.
    expect(order.indexOf('modest')).toBeLessThan(2);
  });

  it('is refused where its caller has as many waiting as a caller may', async () => {
    computations = createComputations({ maxWaitingOfCaller: 2 });
    const asked = Array.from({ length: 6 }, () => computations.run('a', 'search', endless, { deadlineMs: 50 }));
    const outcomes = await Promise.allSettled(asked);
    const codes = outcomes.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'done'));
    expect(codes.filter((code) => code === 'unavailable').length).toBe(3);
    expect(codes.filter((code) => code === 'too_costly').length).toBe(3);
  });

  it('passes on what the task refuses', async () => {
    computations = createComputations();
    const refused = computations.run('a', 'search', { ...small, wanted: { pattern: '(', ignoreCase: false } });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', extras: { errors: [expect.anything()] } });
  });

  it('goes on with others after one was ended', async () => {
    computations = createComputations();
    await expect(computations.run('a', 'search', endless, { deadlineMs: 50 })).rejects.toMatchObject({ code: 'too_costly' });
    expect(await computations.run('a', 'search', small)).toMatchObject([{ count: 3 }]);
  });
});
