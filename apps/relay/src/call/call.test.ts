import type { IncomingMessage, ServerResponse } from 'node:http';

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { Share } from '../caller/share.ts';
import { Call, CallerSocket, CallList } from './call.ts';

const newCall = (): Call => new Call({} as IncomingMessage, {} as ServerResponse, 0, false);

it('a list of calls has what a set would have, whatever is added and deleted, and however often (property)', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(7))), (steps) => {
      const calls = Array.from({ length: 8 }, newCall);
      const list = new CallList();
      const wanted = new Set<Call>();
      for (const [isAdded, which] of steps) {
        const call = calls[which]!;
        if (isAdded) {
          list.add(call);
          wanted.add(call);
        } else {
          list.delete(call);
          wanted.delete(call);
        }
        expect(list.size).toBe(wanted.size);
        expect(new Set(list)).toEqual(wanted);
      }
    }),
  );
});

it('a list of calls is gone through whole, though each is deleted on the way', () => {
  const list = new CallList();
  const calls = Array.from({ length: 5 }, newCall);
  for (const call of calls) list.add(call);
  const seen: Call[] = [];
  for (const call of list) {
    seen.push(call);
    list.delete(call);
  }
  expect(seen).toEqual(calls);
  expect(list.size).toBe(0);
});

it('the calls of a socket come oldest first', () => {
  const calls = new CallerSocket(new Share(), '', () => undefined);
  const [first, second, third] = [newCall(), newCall(), newCall()];
  for (const call of [first, second, third]) calls.add(call!);
  calls.delete(second!);
  calls.delete(newCall());
  expect(calls.all().map(({ id }) => id)).toEqual([first!.id, third!.id]);
});
