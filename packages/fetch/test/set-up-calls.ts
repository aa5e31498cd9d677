/** Shared by the tests of calls: one target, and for each test the smallest Hoop in front of it and an empty environment. */
import { afterAll, afterEach, beforeEach, expect, vi } from 'vitest';

import { createFetch, type HoopFetch, type HoopOptions } from '../src/index.ts';
import { closeServers } from './servers.ts';
import { type SmallHoop, startSmallHoop } from './small-hoop.ts';
import { startTarget, type TestTarget } from './target.ts';

export interface CallWorld {
  readonly target: TestTarget;
  hoop: SmallHoop;
  /** A fetch for `hoop`, made for each test. */
  fetch: HoopFetch;
  makeFetch(options?: HoopOptions): HoopFetch;
}

/** Registers the hooks that keep it up. */
export async function setUpCalls(): Promise<CallWorld> {
  const target = await startTarget();
  const makeFetch = (options: HoopOptions = {}): HoopFetch =>
    createFetch({ url: world.hoop.url, token: () => 'identity-token', ...options });
  const world = { target, makeFetch } as CallWorld;
  beforeEach(async () => {
    for (const name of Object.keys(process.env)) if (name.startsWith('HOOP_')) vi.stubEnv(name, undefined);
    world.hoop = await startSmallHoop({ target: target.origin });
    world.fetch = makeFetch();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.unstubAllGlobals();
  });
  afterAll(closeServers);
  return world;
}

/** The reason for which a promise rejects. */
export const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable(),
    (reason: unknown) => reason,
  );
