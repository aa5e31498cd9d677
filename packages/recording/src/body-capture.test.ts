import { createHmac } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BodyCapture, createDigestKey, joinParts } from './body-capture.ts';

const heldBytes = (capture: BodyCapture): number =>
  [...new Set(capture.keptParts().map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0);

const keyBytes = Buffer.alloc(32, 7);
const key = createDigestKey(keyBytes);

/** Chunks of a few bytes; or of so many that some are kept as they are. Each is a view of a buffer of its own. */
const chunksAndCap = fc.oneof(
  fc.tuple(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), fc.nat({ max: 200 })),
  fc.tuple(
    fc.array(
      fc
        .record({ bytes: fc.nat({ max: 80_000 }), around: fc.nat({ max: 40_000 }), fill: fc.nat({ max: 255 }) })
        .map(({ bytes, around, fill }) => {
          const whole = Buffer.alloc(bytes + around, fill);
          for (let i = 0; i < whole.length; i += 97) whole[i] = i;
          return whole.subarray(around);
        }),
      { maxLength: 12 },
    ),
    fc.nat({ max: 500_000 }),
  ),
);

describe('what a record keeps of a body', () => {
  it('is its prefix, its size and a digest of all of it, however it is cut into chunks (property)', () => {
    fc.assert(
      fc.property(chunksAndCap, ([chunks, maxBytes]) => {
        const whole = Buffer.concat(chunks);
        const capture = new BodyCapture(maxBytes, key);
        for (const chunk of chunks) {
          capture.passed(chunk);
          capture.keep(chunk);
        }
        expect(whole.subarray(0, maxBytes).equals(joinParts(capture.keptParts()))).toBe(true);
        expect(capture.keptBytes).toBe(Math.min(whole.length, maxBytes));
        expect(capture.isTruncated).toBe(whole.length > maxBytes);
        expect(capture.bytes).toBe(whole.length);
        if (whole.length > 0) expect(capture.digest()).toBe(createHmac('sha256', keyBytes).update(whole).digest('hex'));
      }),
    );
  });

  it.each([16_384, 16_385])('has the same digest in one chunk of %i bytes', (length) => {
    const capture = new BodyCapture(0, key);
    const chunk = Buffer.alloc(length, 'x');
    capture.passed(chunk);
    expect(capture.digest()).toBe(createHmac('sha256', keyBytes).update(chunk).digest('hex'));
  });

  it('is nothing where nothing passed', () => {
    const capture = new BodyCapture(10, key);
    expect(capture.digest()).toBe(null);
    expect(capture.keptParts()).toEqual([]);
  });

  it('does not hold on to large buffers of which it keeps small parts', () => {
    const capture = new BodyCapture(1_000_000, key);
    for (let i = 0; i < 1000; i++) capture.keep(Buffer.alloc(65_536).subarray(0, 10));
    expect(heldBytes(capture)).toBeLessThan(100_000);
  });

  it('holds on to twice of what it keeps at most, whatever its chunks are views of (property)', () => {
    fc.assert(
      fc.property(chunksAndCap, ([chunks]) => {
        const capture = new BodyCapture(1_000_000, key);
        for (const chunk of chunks) capture.keep(chunk);
        // A body of one chunk is kept as it is.
        if (capture.keptParts().length > 1) expect(heldBytes(capture)).toBeLessThan(capture.keptBytes * 2 + 300_000);
      }),
    );
  });

  it('is not copied where its chunks are large', () => {
    const capture = new BodyCapture(1_000_000, key);
    const chunks = Array.from({ length: 4 }, () => Buffer.alloc(65_536, 'x'));
    for (const chunk of chunks) capture.keep(chunk);
    expect(new Set(capture.keptParts().map(({ buffer }) => buffer))).toEqual(new Set(chunks.map(({ buffer }) => buffer)));
  });
});
