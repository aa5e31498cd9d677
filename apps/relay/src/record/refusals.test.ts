import type { CallHead, OutcomeEntry } from '@hoop/contract';
import type { Recorder } from '@hoop/recording';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Share } from '../caller/share.ts';
import { Refusals } from './refusals.ts';

const head = { subject: { identityId: 'idn_1' }, connectionId: 'con_1', decision: null } as unknown as CallHead;
const outcome = { error: 'too_many_requests' } as OutcomeEntry;

let recorded: (number | undefined)[];
let refusals: Refusals;
let answered: number;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] });
  recorded = [];
  answered = 0;
  const recorder = { refuse: (_head: CallHead, _outcome: OutcomeEntry, repeats?: number) => Promise.resolve(void recorded.push(repeats)) };
  refusals = new Refusals(recorder as unknown as Recorder, 2);
});
afterEach(() => vi.useRealTimers());

function refuse(times: number): void {
  const share = new Share();
  for (let i = 0; i < times; i++) void refusals.record(head, outcome, share).then(() => answered++);
}

it('records so many a second one by one, and the others as one with their number', async () => {
  refuse(12);
  await vi.advanceTimersByTimeAsync(1000);
  expect(recorded).toEqual([undefined, undefined, 9]);
});

it('answers those that are only counted in the next second, spread over it', async () => {
  refuse(12);
  await vi.advanceTimersByTimeAsync(999);
  expect(answered).toBe(2);
  const perTenth: number[] = [];
  for (let i = 0, before = answered; i < 10; i++, before = answered) {
    await vi.advanceTimersByTimeAsync(100);
    perTenth.push(answered - before);
  }
  expect(answered).toBe(12);
  expect(Math.max(...perTenth)).toBeLessThanOrEqual(2);
});

it('answers everybody at once when it is closed', async () => {
  refuse(12);
  refusals.close();
  await vi.advanceTimersByTimeAsync(0);
  expect(answered).toBe(12);
});
