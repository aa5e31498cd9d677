import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { Lane, Turns } from './turns.ts';
import type { Deferrable } from './turns.ts';

/** Work of `ms` each, and in which turn each piece was done. */
function pieces(lane: Lane, count: number, ms: number, log: string[], name: string): void {
  for (let i = 0; i < count; i++) {
    const work: Deferrable = {
      takeTurn: () => {
        lane.spend(ms);
        log.push(name);
      },
    };
    if (lane.isOpen()) work.takeTurn();
    else lane.wait(work);
  }
}

async function untilIdle(turns: Turns, log: string[]): Promise<string[][]> {
  const perTurn: string[][] = [];
  let seen = 0;
  const take = (): void => {
    if (log.length > seen) perTurn.push(log.slice(seen));
    seen = log.length;
  };
  take();
  let isIdle = false;
  const idle = turns.idle().then(() => (isIdle = true));
  while (!isIdle) {
    await nextTurn();
    take();
  }
  await idle;
  take();
  return perTurn;
}

describe('turns of the event loop', () => {
  it('bound what one identity does in a turn, whatever it has waiting', async () => {
    const turns = new Turns();
    const [busy, other] = [new Lane(turns), new Lane(turns)];
    other.spend(0.01);
    const log: string[] = [];
    pieces(busy, 50, 0.5, log, 'busy');
    const perTurn = await untilIdle(turns, log);
    expect(perTurn.flat()).toHaveLength(50);
    for (const turn of perTurn.slice(1)) expect(turn.length).toBeLessThanOrEqual(2);
  });

  it('count those that work first after a pause of a whole window', async () => {
    const turns = new Turns();
    const [one, other] = [new Lane(turns), new Lane(turns)];
    one.spend(0.01);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    one.spend(0.01);
    other.spend(0.01);
    await nextTurn();
    expect(turns.isContended).toBe(true);
  });

  it('leave the part of another identity as it is', async () => {
    const turns = new Turns();
    const [busy, other] = [new Lane(turns), new Lane(turns)];
    other.spend(0.01);
    const log: string[] = [];
    pieces(busy, 50, 0.5, log, 'busy');
    expect(busy.isOpen()).toBe(false);
    expect(other.isOpen()).toBe(true);
    await nextTurn();
    expect(busy.isOpen()).toBe(false);
    expect(other.isOpen()).toBe(true);
    await turns.idle();
  });

  it('divide the turn among the identities that are active', async () => {
    const spentPerTurn = async (identities: number): Promise<number> => {
      const turns = new Turns();
      const lanes = Array.from({ length: identities }, () => new Lane(turns));
      for (const lane of lanes) lane.spend(0);
      const log: string[] = [];
      lanes.forEach((lane, index) => pieces(lane, 100, 0.05, log, String(index)));
      const perTurn = await untilIdle(turns, log);
      return Math.max(...perTurn.slice(1, -1).map((turn) => turn.filter((name) => name === '0').length));
    };
    const [two, four, fifty] = [await spentPerTurn(2), await spentPerTurn(4), await spentPerTurn(50)];
    expect(four).toBeLessThanOrEqual(two / 2 + 1);
    expect(fifty).toBe(four);
  });

  it('do what waits in order, and nothing before it', async () => {
    const turns = new Turns();
    const [busy, other] = [new Lane(turns), new Lane(turns)];
    other.spend(0.01);
    const order: number[] = [];
    for (let i = 0; i < 20; i++) {
      const turn = busy.step(0.3);
      if (turn) void turn.then(() => order.push(i));
      else order.push(i);
    }
    await turns.idle();
    await nextTurn();
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('let a piece of work through that is longer than a turn', async () => {
    const turns = new Turns();
    const [busy, other] = [new Lane(turns), new Lane(turns)];
    other.spend(0.01);
    const log: string[] = [];
    pieces(busy, 3, 100, log, 'long');
    const perTurn = await untilIdle(turns, log);
    expect(perTurn).toEqual([['long'], ['long'], ['long']]);
  });

  it('go on after work that failed', async () => {
    const turns = new Turns();
    const [lane, other] = [new Lane(turns), new Lane(turns)];
    const log: string[] = [];
    const failures: unknown[] = [];
    lane.wait({
      takeTurn: () => {
        throw new Error('this piece of work fails');
      },
    });
    pieces(lane, 2, 0.01, log, 'after');
    other.wait({ takeTurn: () => log.push('of another') });
    const onFailure = (error: unknown): void => void failures.push(error);
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', onFailure);
    try {
      await turns.idle();
    } finally {
      process.off('uncaughtException', onFailure);
      for (const listener of before) process.on('uncaughtException', listener);
    }
    expect(failures).toHaveLength(1);
    expect(log.toSorted()).toEqual(['after', 'after', 'of another']);
  });

  it('let work that has its turn go on within it, before what waits behind it', async () => {
    const turns = new Turns();
    const lane = new Lane(turns);
    const log: string[] = [];
    lane.wait({
      takeTurn: () => {
        log.push(`first is open: ${lane.isOpen()}`);
        lane.spend(1000);
        log.push(`spent all: ${!lane.isOpen()}`);
      },
    });
    lane.wait({ takeTurn: () => log.push('second') });
    expect(lane.isOpen()).toBe(false);
    await turns.idle();
    expect(log).toEqual(['first is open: true', 'spent all: true', 'second']);
  });
});
