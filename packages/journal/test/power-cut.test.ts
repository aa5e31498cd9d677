/** A loss of power at any moment loses no group that was said to be durable, and is never taken for tampering. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { JournalReader, JournalWriter } from '../src/index.ts';
import { TracedDisk } from './disk.ts';
import { testKeys } from './keys.ts';

interface Step {
  /** Groups that are appended at once, and their sizes. */
  readonly sizes: readonly number[];
  /** Groups that are shipped afterwards. */
  readonly ship: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 3 }),
  ship: fc.nat({ max: 5 }),
});

const keys = testKeys();

async function recovered(disk: TracedDisk): Promise<number[]> {
  const reader = await JournalReader.open(disk, keys);
  const found: number[] = [];
  for (let group = await reader.next(true); group !== null; group = await reader.next(true)) {
    expect(group.bytes.toString()).toMatch(new RegExp(`^${group.number} x*$`));
    found.push(group.number);
  }
  return found;
}

/** Runs a relay's writer and its shipper; which groups were durable, and which shipped, after how many operations. */
async function run(steps: readonly Step[]): Promise<{ disk: TracedDisk; events: { at: number; durable: number; shipped: number }[] }> {
  const disk = new TracedDisk();
  const writer = await JournalWriter.open({ id: 'jrn_1', files: disk, keys, segmentBytes: 4096 + 3000 });
  const reader = await JournalReader.open(disk, keys);
  const events: { at: number; durable: number; shipped: number }[] = [];
  let [number, durable, shipped] = [0, 0, 0];
  const note = (): number => events.push({ at: disk.operations.length, durable, shipped });
  note();
  for (const { sizes, ship } of steps) {
    await Promise.all(
      sizes.map(async (size) => {
        const text = `${++number} `;
        const group = number;
        await writer.append([Buffer.from(text.padEnd(size + text.length, 'x'))]);
        durable = Math.max(durable, group);
        note();
      }),
    );
    for (let i = 0; i < ship; i++) {
      const group = await reader.next(false);
      if (group === null) break;
      shipped = group.number;
      reader.markShipped(reader.position);
      note();
    }
  }
  await writer.close();
  return { disk, events };
}

it('after a power cut every group that was durable and not shipped is there, once and in order (property)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), fc.infiniteStream(fc.boolean()), async (steps, coins) => {
      const { disk, events } = await run(steps);
      for (let cut = events[0]!.at; cut <= disk.operations.length; cut++) {
        const { durable, shipped } = events.findLast(({ at }) => at <= cut)!;
        const numbers = await recovered(disk.afterPowerCut(cut, () => coins.next().value as boolean));
        for (let i = 1; i < numbers.length; i++) expect(numbers[i]).toBe(numbers[i - 1]! + 1);
        if (shipped < durable) {
          expect(numbers[0] ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(shipped + 1);
          expect(numbers.at(-1)).toBeGreaterThanOrEqual(durable);
        }
      }
    }),
    { numRuns: 60 },
  );
});
