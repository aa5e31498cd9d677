import type { AppError } from '@hoop/contract';
import fc from 'fast-check';
import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';

import { createPeer } from './peer.ts';
import type { Peer } from './peer.ts';
import { SocketShares } from './socket-shares.ts';

interface Made {
  readonly peer: Peer;
  readonly who: object;
  error: AppError | null;
}

function scene(maxSockets: number, waitMs = 60_000): { shares: SocketShares; started: Peer[]; make(who: object): Made } {
  const started: Peer[] = [];
  const shares = new SocketShares({ maxSockets, waitMs, start: ({ peer }) => started.push(peer!) > 0 });
  return {
    shares,
    started,
    make(who) {
      const made: Made = { peer: createPeer(), who, error: null };
      const handler: Dispatcher.DispatchHandler = {
        onResponseError: (_controller, error) => {
          made.error = error as AppError;
          shares.release(made.peer);
        },
      };
      shares.dispatch({ origin: 'http://x', path: '/', method: 'GET', peer: made.peer, by: who }, handler);
      return made;
    },
  };
}

describe('sockets to a target', () => {
  it('are half of the free ones for one caller, and some are left for the next', () => {
    const { started, make } = scene(8);
    const one = {};
    const calls = Array.from({ length: 20 }, () => make(one));
    expect(started).toEqual(calls.slice(0, 4).map(({ peer }) => peer));
    const two = {};
    expect(started).toContain(make(two).peer);
    expect(started).toContain(make(two).peer);
    expect(started).not.toContain(make(two).peer);
  });

  it('go to callers in turn as they become free, and to the calls of each in order', () => {
    const { shares, started, make } = scene(2);
    const [one, two] = [{}, {}];
    const first = make(one);
    const ofOne = [make(one), make(one)];
    const second = make(two);
    const ofTwo = [make(two)];
    expect(started).toEqual([first.peer, second.peer]);
    shares.release(first.peer);
    shares.release(second.peer);
    shares.release(ofOne[0]!.peer);
    expect(started.slice(2)).toEqual([ofOne[0]!.peer, ofTwo[0]!.peer, ofOne[1]!.peer]);
  });

  it('are waited for within a limit, with nothing sent', async () => {
    const { started, make } = scene(1, 1);
    make({});
    const late = make({});
    while (late.error === null) await new Promise((resolve) => setImmediate(resolve));
    expect(late.error).toMatchObject({ code: 'target_busy', status: 503, headers: { 'retry-after': '1' } });
    expect(late.error.detail).toContain('limits.socketWaitMs');
    expect(started).toHaveLength(1);
  });

  it('are not given to a call that ended while it waited', () => {
    const { shares, started, make } = scene(1);
    const first = make({});
    const left = make({});
    const next = make({});
    shares.release(left.peer);
    shares.release(left.peer);
    shares.release(first.peer);
    expect(started).toEqual([first.peer, next.peer]);
  });

  it('are never more than there are, and none is lost, whoever calls and whatever ends (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(fc.tuple(fc.nat(3), fc.nat(20)), { maxLength: 80 }), (maxSockets, steps) => {
        const { shares, started, make } = scene(maxSockets);
        const callers = [{}, {}, {}];
        const calls: Made[] = [];
        const ended = new Set<Peer>();
        const end = (made: Made): void => {
          ended.add(made.peer);
          shares.release(made.peer);
        };
        for (const [kind, which] of steps) {
          if (kind < 3) calls.push(make(callers[kind]!));
          else if (calls.length > 0) end(calls[which % calls.length]!);
          expect(started.filter((peer) => !ended.has(peer)).length).toBeLessThanOrEqual(maxSockets);
        }
        for (
          let left = calls.filter(({ peer }) => !ended.has(peer));
          left.length > 0;
          left = calls.filter(({ peer }) => !ended.has(peer))
        ) {
          const running = left.filter(({ peer }) => started.includes(peer));
          expect(running.length).toBeGreaterThan(0);
          for (const made of running) end(made);
        }
      }),
    );
  });
});
