import { createHash } from 'node:crypto';

import { callSchema } from '@hoop/contract';
import type { CallResource } from '@hoop/contract';
import { describe, expect, test } from 'vitest';

import { sampleCallResource } from '../test/sample-call.ts';
import { callDigest, canonicalCall } from './call-digest.ts';

const bodies = { request: Buffer.from('sealed request'), response: Buffer.from('sealed response') };
/** Follow from other members, or say nothing about the call. */
const notCovered = ['durationMs', 'purgedAt'];

describe('the digest of a call', () => {
  test('is SHA-256 over the documented bytes', () => {
    const text = canonicalCall(sampleCallResource({ id: 'call_01jd8m3v9k2t5x7y0a1b2c3d4e' }), { request: null, response: bodies.response });
    expect(text).toMatch(/^hoop-call\/1\n\{"approvalId":null,"at":"2026-11-24T07:00:00.123Z","claims":\{"repository":"acme\/billing"\},"concludedAt":/);
    expect(text).toContain(`"sealed":{"request":null,"response":"${createHash('sha256').update(bodies.response).digest('hex')}"}`);
    const call = sampleCallResource();
    expect(callDigest(call, bodies)).toEqual(createHash('sha256').update(canonicalCall(call, bodies)).digest());
  });

  test.each(Object.keys(callSchema.shape).filter((member) => !notCovered.includes(member)))('changes with %s', (member) => {
    const call = sampleCallResource();
    const changed = { ...call, [member]: call[member as keyof CallResource] === null ? 'another' : null } as CallResource;
    expect(callDigest(changed, bodies)).not.toEqual(callDigest(call, bodies));
  });

  test('changes with any byte of a sealed body', () => {
    const call = sampleCallResource();
    const digest = callDigest(call, bodies);
    for (let i = 0; i < bodies.response.length; i++) {
      const response = Buffer.from(bodies.response);
      response[i]! ^= 1;
      expect(callDigest(call, { ...bodies, response })).not.toEqual(digest);
    }
    expect(callDigest(call, { request: bodies.response, response: bodies.request })).not.toEqual(digest);
  });

  test('does not depend on the order in which a database gives members back', () => {
    const call = sampleCallResource();
    const backwards = Object.fromEntries(Object.entries(call).reverse()) as CallResource;
    expect(callDigest({ ...backwards, timings: Object.fromEntries(Object.entries(call.timings!).reverse()) }, bodies)).toEqual(callDigest(call, bodies));
  });

  test('cannot be computed once the content was purged', () => {
    expect(() => callDigest(sampleCallResource({ purgedAt: '2027-01-01T00:00:00.000Z' }), bodies)).toThrow('purged');
  });
});
