import { createHash } from 'node:crypto';

import { callSchema } from '@hoop/contract';
import type { CallResource } from '@hoop/contract';
import { describe, expect, test } from 'vitest';

import { sampleStoredCall } from '../test/sample-call.ts';
import { callDigest, callForm, canonicalCall } from './call-digest.ts';
import type { StoredCall } from './call-digest.ts';
import { canonicalJson } from './canonical-json.ts';
import { callRecord, formDigest } from './log/record-digest.ts';

/** Derived from `timings`, whose columns all have members of their own. */
const notOfTheCall = ['durationMs', 'identity', 'connection', 'decision'];

describe('the digest of a call', () => {
  test('is SHA-256 over the documented bytes', () => {
    const stored = sampleStoredCall({ id: 'call_01jd8m3v9k2t5x7y0a1b2c3d4e' }, { sealed: { request: null, response: '2'.repeat(64) } });
    const text = canonicalCall(stored);
    expect(text).toMatch(
      /^hoop-call\/1\n\{"approvalId":null,"at":"2026-11-24T07:00:00.123Z","claims":\{"repository":"acme\/billing"\},"concludedAt":/,
    );
    expect(text).toContain(`"sealed":{"request":null,"response":"${'2'.repeat(64)}"}`);
    expect(callDigest(stored)).toEqual(createHash('sha256').update(text).digest());
  });

  test('is over the canonical JSON of the form that an export holds', () => {
    for (const change of [
      {},
      { purgedAt: '2027-01-01T00:00:00.000Z' },
      { targetTls: { protocol: 'TLSv1.3', cipher: 'c', fingerprint: 'f', subject: 's', issuer: 'i', validTo: 'v' } },
    ]) {
      const stored = sampleStoredCall({ ...change, claims: { '10': 'é', '9': '"', b: '1', a: '2' } });
      const [, json] = canonicalCall(stored).split(/\n(.*)/s);
      expect(json).toBe(canonicalJson(callForm(stored)));
      expect(formDigest(callRecord(stored).kind, callRecord(stored).form)).toEqual(callDigest(stored));
    }
  });

  test.each(Object.keys(callSchema.shape).filter((member) => !notOfTheCall.includes(member)))('changes with %s', (member) => {
    const stored = sampleStoredCall();
    const call = { ...stored.call, [member]: stored.call[member as keyof CallResource] === null ? 'another' : null } as CallResource;
    expect(callDigest({ ...stored, call })).not.toEqual(callDigest(stored));
  });

  const others: [string, Partial<StoredCall>][] = [
    ['hasHead', { hasHead: false }],
    ['previous', { previous: null }],
    ['recordedAt', { recordedAt: '2026-11-24T07:00:00.201Z' }],
    ['a body', { sealed: { request: '1'.repeat(64), response: '1'.repeat(64) } }],
    ['bodies that change places', { sealed: { request: '2'.repeat(64), response: '1'.repeat(64) } }],
    ['the id of the data key', { dataKey: { id: 'key_2', wrapped: '3'.repeat(64) } }],
    ['the wrapped data key', { dataKey: { id: 'key_1', wrapped: null } }],
    ['a name without an id', { identity: { id: null, name: 'x' } }],
    ['a rule without a decision', { decision: { effect: null, rule: 'x', reason: null, policyId: null, policyRevision: null } }],
  ];
  test.each(others)('changes with %s', (_what, change) => {
    const stored = sampleStoredCall();
    expect(callDigest({ ...stored, ...change })).not.toEqual(callDigest(stored));
  });

  test('does not depend on the order in which a database gives members back', () => {
    const stored = sampleStoredCall();
    const backwards = Object.fromEntries(Object.entries(stored.call).reverse()) as CallResource;
    const timings = Object.fromEntries(Object.entries(stored.call.timings!).reverse());
    expect(callDigest({ ...stored, call: { ...backwards, timings } })).toEqual(callDigest(stored));
  });

  test('of what a purge left is of another form', () => {
    const purged = sampleStoredCall({ purgedAt: '2027-01-01T00:00:00.000Z' });
    expect(canonicalCall(purged)).toMatch(/^hoop-call-purge\/1\n/);
    expect(canonicalCall(purged)).toContain('"purgedAt":"2027-01-01T00:00:00.000Z"');
  });
});
