import { createHmac } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BodyCapture, createDigestKey } from './body-capture.ts';

const keyBytes = Buffer.alloc(32, 7);
const key = createDigestKey(keyBytes);

describe('what a record keeps of a body', () => {
  it('is its prefix, its size and a digest of all of it, however it is cut into chunks (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), fc.nat({ max: 200 }), (chunks, maxBytes) => {
        const whole = Buffer.concat(chunks);
        const capture = new BodyCapture(maxBytes, key);
        for (const chunk of chunks) {
          capture.passed(chunk);
          capture.keep(chunk);
        }
        expect(Buffer.from(capture.kept())).toEqual(whole.subarray(0, maxBytes));
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
    expect(capture.kept()).toHaveLength(0);
  });

  it('does not hold on to large buffers of which it keeps small parts', () => {
    const capture = new BodyCapture(1_000_000, key);
    for (let i = 0; i < 1000; i++) capture.keep(Buffer.alloc(65_536).subarray(0, 10));
    expect(capture.kept().buffer.byteLength).toBeLessThan(100_000);
  });
});
