import { expect, test } from 'vitest';

import { queueConnectionFromEnv } from './connection.ts';
import { packPayload, unpackPayload } from './payload.ts';
import fc from 'fast-check';

test('prefers Redis, then the queue URL, then the database', () => {
  const all = { REDIS_URL: 'redis://r:6379', HOOP_QUEUE_URL: 'postgresql://q/db', DATABASE_URL: 'postgres://d/db' };
  expect(queueConnectionFromEnv(all)).toEqual({ kind: 'redis', url: all.REDIS_URL });
  expect(queueConnectionFromEnv({ ...all, REDIS_URL: '' })).toEqual({ kind: 'postgres', url: all.HOOP_QUEUE_URL });
  expect(queueConnectionFromEnv({ DATABASE_URL: all.DATABASE_URL })).toEqual({ kind: 'postgres', url: all.DATABASE_URL });
});

test('stops the boot without a queue, and on a URL of another kind, without repeating its password', () => {
  expect(() => queueConnectionFromEnv({})).toThrow('No queue is configured');
  const error = (() => {
    try {
      return queueConnectionFromEnv({ REDIS_URL: 'http://u:hunter2@h' });
    } catch (thrown) {
      return String(thrown);
    }
  })();
  expect(error).toContain('REDIS_URL must be a URL that starts with redis://');
  expect(error).not.toContain('hunter2');
});

test('unpacks every payload to what was packed, in a form that jsonb accepts', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat({ max: 300 }), fc.string({ unit: 'binary' }), (value, times, text) => {
      const payload = { value, text, many: Array.from({ length: times }, () => ({ id: 'call_01jd8m3v9k2t5x7y0a1b2c3d4e', text })) };
      const stored = JSON.stringify(packPayload(payload));
      expect(stored).not.toMatch(/\\u(?:0000|d[89a-f])/);
      expect(unpackPayload(JSON.parse(stored))).toEqual(JSON.parse(JSON.stringify(payload)));
    }),
    { numRuns: 200 },
  );
});

test('refuses what nobody packed', () => {
  for (const stored of [null, 'text', {}, { zstd: 1 }, { zstd: 'AAAA' }]) expect(() => unpackPayload(stored)).toThrow();
});
