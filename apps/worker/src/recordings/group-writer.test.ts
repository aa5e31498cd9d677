import type { RecordEntry } from '@hoop/contract';
import type { RejectedEntry } from '@hoop/database';
import { describe, expect, test } from 'vitest';

import { sampleCall } from '../../../../packages/database/test/sample-entries.ts';
import { createGroupWriter } from './group-writer.ts';
import type { GroupWriterOptions } from './group-writer.ts';

const entry = (): RecordEntry => sampleCall({ bodyBytes: 0 }).intent;
const callIdOf = (one: RecordEntry): string => (one.type === 'outcome' ? one.callId : one.head.callId);
const open = new AbortController().signal;

class Away extends Error {}

/** A writer whose transactions are what `write` does; `groups` are their sizes. */
function writerWith(write: (entries: readonly RecordEntry[]) => Promise<RejectedEntry[]>, options: Partial<GroupWriterOptions> = {}) {
  const groups: number[] = [];
  const outages: Error[] = [];
  const writer = createGroupWriter({
    write: (entries) => {
      groups.push(entries.length);
      return write(entries);
    },
    isOutage: (error) => error instanceof Away,
    onOutage: (error) => outages.push(error),
    retryMs: [1, 2],
    ...options,
  });
  return { writer, groups, outages };
}

describe('the group writer', () => {
  test('writes jobs that arrive together in one transaction, and those that arrive during it in the next', async () => {
    const gate = Promise.withResolvers<void>();
    const { writer, groups } = writerWith(() => gate.promise.then(() => []));
    const first = [writer.write([entry(), entry()], open), writer.write([entry()], open)];
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const second = [writer.write([entry()], open), writer.write([entry()], open)];
    gate.resolve();
    await Promise.all([...first, ...second]);
    expect(groups).toEqual([3, 2]);
  });

  test('has as many transactions under way as it may, and what arrives meanwhile in the next', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let begun = 0;
    const { writer, groups } = writerWith(async () => (await gates[begun++]?.promise, []), { parallel: 2 });
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const jobs = [];
    for (let i = 0; i < 4; i++) {
      jobs.push(writer.write([entry()], open));
      await turn();
    }
    expect(groups).toEqual([1, 1]);
    gates[1]!.resolve();
    await Promise.all(jobs.slice(1));
    expect(groups).toEqual([1, 1, 2]);
    gates[0]!.resolve();
    await jobs[0];
  });

  test('keeps a transaction within its bound, but for one job that is larger alone', async () => {
    const { writer, groups } = writerWith(async () => [], { maxEntries: 4 });
    const of = (count: number): Promise<unknown> => writer.write(Array.from({ length: count }, entry), open);
    await Promise.all([of(3), of(2), of(2), of(9), of(1)]);
    expect(groups).toEqual([3, 4, 9, 1]);
  });

  test('keeps what a transaction carries of bodies within its bound', async () => {
    const { writer, groups } = writerWith(async () => [], { maxSealed: 3000 });
    const of = (bodyBytes: number): Promise<unknown> => writer.write([sampleCall({ bodyBytes }).outcome], open);
    await Promise.all([of(1000), of(1000), of(100), of(5000), of(0)]);
    expect(groups).toEqual([3, 1, 1]);
  });

  test('tells each job of its own rejected calls only', async () => {
    const [bad, good] = [entry(), entry()];
    const { writer } = writerWith(async () => [{ callId: callIdOf(bad), reason: 'r' }]);
    expect(await Promise.all([writer.write([bad], open), writer.write([good], open)])).toEqual([
      [{ callId: callIdOf(bad), reason: 'r' }],
      [],
    ]);
  });

  test('waits an outage out with the jobs in hand', async () => {
    let failures = 3;
    const { writer, groups, outages } = writerWith(async () => {
      if (failures-- > 0) throw new Away();
      return [];
    });
    expect(await writer.write([entry()], open)).toEqual([]);
    expect(groups).toEqual([1, 1, 1, 1]);
    expect(outages).toHaveLength(3);
  });

  test('hands back at once what fails for another reason, and goes on with the next', async () => {
    let isBroken = true;
    const { writer } = writerWith(async () => {
      if (isBroken) throw new Error('a bug');
      return [];
    });
    await expect(writer.write([entry()], open)).rejects.toThrow('a bug');
    isBroken = false;
    expect(await writer.write([entry()], open)).toEqual([]);
  });

  test('gives up an outage when it is told to close', async () => {
    const closing = new AbortController();
    const { writer } = writerWith(
      async () => {
        throw new Away();
      },
      { retryMs: [60_000, 60_000], onOutage: () => setImmediate(() => closing.abort()) },
    );
    await expect(writer.write([entry()], closing.signal)).rejects.toThrow(Away);
  });
});
