import { describe, expect, test, vi } from 'vitest';

import { failure, setUpCalls } from '../test/set-up-calls.ts';
import { startTarget } from '../test/target.ts';
import { retryWhenTold } from './exchange.ts';
import { HoopExchangeError, HoopTargetError } from './index.ts';

const world = await setUpCalls();

/** The scope of each exchange. */
const asked = (): (string | undefined)[] => world.hoop.exchanges.map((one) => one['scope'] ?? one['resource']);
const call = async (rest: string, hoop = {}): Promise<string | undefined> => {
  const response = await world.fetch(world.target.origin + rest, { hoop });
  void response.body?.cancel();
  return world.hoop.relayed.at(-1)?.url;
};
function connectMany(count: number, target: (i: number) => string): void {
  for (let i = 0; i < count; i++) world.hoop.connections.set(`c${i}`, target(i));
}

describe('a grant is asked for what a call needs', () => {
  test('the connections at the origin of its URL, once for all of them, and not its path', async () => {
    const other = await startTarget();
    world.hoop.connections.set('deep', `${world.target.origin}/echo/deep`);
    world.hoop.connections.set('other', other.origin);
    expect(await call('/echo?key=secret')).toBe('/target/echo?key=secret');
    expect(await call('/echo/deep/x')).toBe('/deep/x');
    expect(asked()).toEqual([world.target.origin]);
    await world.fetch(`${other.origin}/reason`);
    await call('/reason');
    expect(asked()).toEqual([world.target.origin, other.origin]);
    expect(world.hoop.relayed.map(({ headers }) => headers['hoop-grant'])).toEqual(['grant-1', 'grant-1', 'grant-2', 'grant-1']);
  });

  test('the connection that the call names', async () => {
    world.hoop.connections.set('second', world.target.origin);
    await call('/reason', { connection: 'second' });
    await call('/reason', { connection: 'target' });
    await call('/reason', { connection: 'second' });
    expect(world.hoop.exchanges.map((one) => [one['scope'], one['resource']])).toEqual([
      ['second', undefined],
      ['target', undefined],
    ]);
  });

  test('however many connections the identity may use', async () => {
    connectMany(500, (i) => `https://c${i}.example`);
    expect(await call('/reason')).toBe('/target/reason');
    expect(asked()).toEqual([world.target.origin]);
  });

  test('the one connection, where more are at the origin than one grant is good for', async () => {
    connectMany(150, (i) => `${world.target.origin}/echo/${i}`);
    expect(await call('/echo/7/x')).toBe('/c7/x');
    expect(await call('/echo/7/y')).toBe('/c7/y');
    expect(await call('/echo/77/x')).toBe('/c77/x');
    expect(await call('/reason')).toBe('/target/reason');
    expect(asked()).toEqual([world.target.origin, 'c7', 'c77', 'target']);
  });

  test('with the remedy said where not even the list has them all', async () => {
    connectMany(1001, (i) => `${world.target.origin}/${i}`);
    world.hoop.connections.delete('target');
    expect(await failure(world.fetch(`${world.target.origin}/1000/x`))).toMatchObject({
      name: 'HoopTargetError',
      message: expect.stringContaining('name the one to use'),
    });
    expect(await call('/1000/x', { connection: 'c1000' })).toBe('/c1000/x');
  });
});

describe('what no connection serves', () => {
  test('is asked about once for all origins, where the list is complete', async () => {
    await world.fetch(`${(await startTarget()).origin}/reason`, { hoop: { unmanaged: 'direct' } });
    await world.fetch(`${(await startTarget()).origin}/reason`, { hoop: { unmanaged: 'direct' } });
    expect(await failure(world.fetch(`${(await startTarget()).origin}/reason`))).toBeInstanceOf(HoopTargetError);
    expect(world.hoop.exchanges).toHaveLength(1);
    expect(world.hoop.relayed).toHaveLength(0);
  });

  test('is asked about once for each origin where there are too many to list, and again after a while', async () => {
    connectMany(1001, (i) => `https://c${i}.example`);
    const [one, other] = [await startTarget(), await startTarget()];
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const direct = async ({ origin }: { origin: string }): Promise<number> =>
        (await world.fetch(`${origin}/reason`, { hoop: { unmanaged: 'direct' } })).status;
      for (const target of [one, one, other, one]) expect(await direct(target)).toBe(200);
      expect(asked()).toEqual([one.origin, other.origin]);
      vi.setSystemTime(Date.now() + 225_000);
      expect(await direct(one)).toBe(200);
      expect(asked()).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });

  test('is asked about at most every ten seconds by who is refused, also by name', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const refused = async (): Promise<unknown> => failure(call('/reason', { connection: 'later' }));
      expect(await refused()).toMatchObject({ message: expect.stringContaining('there is no connection "later"') });
      world.hoop.connections.set('later', world.target.origin);
      vi.setSystemTime(Date.now() + 9_999);
      expect(await refused()).toBeInstanceOf(HoopTargetError);
      expect(asked()).toEqual(['later']);
      vi.setSystemTime(Date.now() + 1);
      expect(await call('/reason', { connection: 'later' })).toBe('/later/reason');
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('questions to the relay itself', () => {
  const callId = `call_${'1'.repeat(26)}`;
  const answerCollect = (): void => {
    world.hoop.intercept = (request, response) => request.url!.startsWith('/-/calls/') && (response.end('done'), true);
  };

  test('use any grant that there is', async () => {
    await call('/reason');
    answerCollect();
    expect(await (await world.fetch.collect(callId)).text()).toBe('done');
    expect(world.hoop.exchanges).toHaveLength(1);
  });

  test('get one where there is none, however many connections there are', async () => {
    connectMany(150, (i) => `https://c${i}.example`);
    answerCollect();
    expect(await (await world.fetch.collect(callId)).text()).toBe('done');
    expect(asked()).toEqual([undefined, 'target']);
  });
});

describe('an exchange that is to be tried again', () => {
  const busy = (retryAfterSeconds: number | undefined): HoopExchangeError => new HoopExchangeError('busy', { retryAfterSeconds });

  test('is tried again when the control plane says, for a minute at most', async () => {
    vi.useFakeTimers();
    try {
      const attempt = vi.fn<() => Promise<string>>().mockRejectedValueOnce(busy(25)).mockResolvedValue('grant');
      const one = retryWhenTold(attempt, () => Date.now());
      await vi.advanceTimersByTimeAsync(24_999);
      expect(attempt).toHaveBeenCalledTimes(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(await one).toBe('grant');

      const never = vi.fn<() => Promise<string>>().mockImplementation(async () => Promise.reject(busy(25)));
      const refused = failure(retryWhenTold(never, () => Date.now()));
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await refused).toMatchObject({ message: 'busy' });
      expect(never).toHaveBeenCalledTimes(3);
    } finally {
      vi.useRealTimers();
    }
  });

  test('is not tried again where the control plane does not say when', async () => {
    await expect(
      retryWhenTold(
        async () => Promise.reject(busy(undefined)),
        () => 0,
      ),
    ).rejects.toThrow('busy');
  });

  test('is one that a 503 with Retry-After refused: the call waits and goes on', async () => {
    world.hoop.refusal = { status: 503, headers: { 'retry-after': '1' }, body: { code: 'provider_unavailable' } };
    const going = call('/reason');
    await vi.waitUntil(() => world.hoop.exchanges.length === 1);
    world.hoop.refusal = undefined;
    expect(await going).toBe('/target/reason');
    expect(world.hoop.exchanges).toHaveLength(2);
  });
});
