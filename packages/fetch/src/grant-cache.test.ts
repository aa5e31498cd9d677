import { describe, expect, test } from 'vitest';

import { createGrantCache, type Grant } from './grant-cache.ts';

function setUp(lifetimeSeconds = 300) {
  const state = {
    now: 1_000_000,
    lifetimeSeconds,
    obtained: 0,
    failure: undefined as Error | undefined,
    gate: undefined as Promise<void> | undefined,
  };
  const cache = createGrantCache({
    now: () => state.now,
    async obtain(): Promise<Grant> {
      const number = ++state.obtained;
      await state.gate;
      if (state.failure) throw state.failure;
      return { token: `grant-${number}`, relayUrl: 'https://relay.example', connections: [], lifetimeSeconds: state.lifetimeSeconds };
    },
  });
  const get = async (): Promise<string> => (await cache.get()).token;
  const settle = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { state, cache, get, settle };
}

describe('the grant cache', () => {
  test('obtains one grant for all who come at once', async () => {
    const { state, get } = setUp();
    expect(await Promise.all([get(), get(), get()])).toEqual(['grant-1', 'grant-1', 'grant-1']);
    expect(await get()).toBe('grant-1');
    expect(state.obtained).toBe(1);
  });

  test('refreshes at three quarters of the life, once, while the old one goes on being used', async () => {
    const { state, get, settle } = setUp(300);
    await get();
    state.now += 224_999;
    expect([await get(), state.obtained]).toEqual(['grant-1', 1]);
    state.now += 1;
    expect(await Promise.all([get(), get()])).toEqual(['grant-1', 'grant-1']);
    await settle();
    expect([await get(), state.obtained]).toEqual(['grant-2', 2]);
  });

  test('uses no grant in the last ten seconds of its life, but waits for a new one', async () => {
    const { state, get } = setUp(300);
    await get();
    state.now += 290_000;
    expect(await get()).toBe('grant-2');
  });

  test('uses no grant in the last tenth of a short life', async () => {
    const { state, get } = setUp(10);
    await get();
    state.now += 8_999;
    expect(await get()).toBe('grant-1');
    state.now += 1;
    expect(await get()).toBe('grant-2');
  });

  test('counts the life from before the question', async () => {
    const { state, get } = setUp(300);
    const { promise, resolve } = Promise.withResolvers<void>();
    state.gate = promise;
    const first = get();
    state.now += 290_000;
    resolve();
    expect(await first).toBe('grant-1');
    expect(await get()).toBe('grant-2');
  });

  test('goes on with a grant whose refresh failed, tries again after five seconds, and fails when its life is over', async () => {
    const { state, get, settle } = setUp(300);
    await get();
    state.failure = new Error('down');
    state.now += 225_000;
    expect(await get()).toBe('grant-1');
    await settle();
    state.now += 4_999;
    expect([await get(), state.obtained]).toEqual(['grant-1', 2]);
    state.now += 1;
    expect([await get(), state.obtained]).toEqual(['grant-1', 3]);
    await settle();
    state.now += 60_000;
    await expect(get()).rejects.toThrow('down');
  });

  test('tries anew after a failure', async () => {
    const { state, get } = setUp();
    state.failure = new Error('down');
    await expect(get()).rejects.toThrow('down');
    state.failure = undefined;
    expect(await get()).toBe('grant-2');
  });

  test('replaces a refused grant once, however many were refused with it', async () => {
    const { state, cache } = setUp();
    const refused = await cache.get();
    const replacements = await Promise.all([cache.replace(refused), cache.replace(refused)]);
    expect(replacements.map((one) => one.token)).toEqual(['grant-2', 'grant-2']);
    expect((await cache.replace(refused)).token).toBe('grant-2');
    expect(state.obtained).toBe(2);
  });

  test('gets a newer grant only where the known one is ten seconds old', async () => {
    const { state, cache } = setUp();
    const known = await cache.get();
    state.now += 9_999;
    expect(await cache.getNewer(known)).toBe(known);
    state.now += 1;
    expect((await cache.getNewer(known)).token).toBe('grant-2');
    expect((await cache.getNewer(known)).token).toBe('grant-2');
    expect(state.obtained).toBe(2);
  });

  test('stays with the known grant where a newer one cannot be had', async () => {
    const { state, cache } = setUp();
    const known = await cache.get();
    state.now += 10_000;
    state.failure = new Error('down');
    expect(await cache.getNewer(known)).toBe(known);
    expect(await cache.getNewer(known)).toBe(known);
    expect(state.obtained).toBe(2);
  });
});
