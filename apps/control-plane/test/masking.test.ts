import { newId } from '@hoop/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startHarness, type Harness } from './harness.ts';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

const rules = [{ name: 'read', effect: 'allow', match: { methods: ['GET'] } }];

async function seen(...paths: string[]): Promise<{ id: string; path: string; items: any[] }> {
  const { id } = await h.makeConnection();
  await h.call('PUT', `/v1/connections/${id}/policy`, { body: { rules, mask: [{ key: 'phone' }] }, headers: { 'if-none-match': '*' } });
  const suggestions = paths.map((path) => ({ path, detector: 'email', count: 2, firstSeen: 1000, lastSeen: 2000 }));
  const report = await h.call('POST', '/internal/relay/mask-observations', {
    token: h.relayToken,
    body: { observations: [{ connectionId: id, suggestions }] },
  });
  expect(report.body).toEqual({ taken: paths.length });
  const path = `/v1/connections/${id}/mask-suggestions`;
  return { id: id as string, path, items: (await h.call<any>('GET', path)).body.items };
}

describe('mask suggestions', () => {
  it('say where, what, how often and since when, and name no value', async () => {
    const { items, path } = await seen('$.data[*].contact');
    expect(items).toEqual([
      {
        id: expect.stringMatching(/^mks_/),
        connection: { id: expect.any(String), name: expect.any(String) },
        path: '$.data[*].contact',
        detector: 'email',
        count: 2,
        firstSeen: '1970-01-01T00:00:01.000Z',
        lastSeen: '1970-01-01T00:00:02.000Z',
        state: 'open',
        decidedBy: null,
        decidedAt: null,
      },
    ]);
    expect((await h.call<any>('GET', `${path}?state=dismissed`)).body.items).toEqual([]);
  });

  it('become a rule when accepted: a revision of the policy, audited, for relays, once for each key', async () => {
    const { id, path, items } = await seen('$.data[*].contact');
    const accept = (headers: Record<string, string>, body: object = { action: 'hash' }) =>
      h.call<any>('POST', `${path}/${items[0].id}/accept`, { body, headers });
    expect((await accept({})).status).toBe(428);
    expect((await accept({ 'if-match': '"7"' })).status).toBe(412);
    const accepted = await accept({ 'if-match': '"1"', 'idempotency-key': 'once' });
    expect(accepted.headers.get('etag')).toBe('"2"');
    expect(accepted.body).toMatchObject({
      revision: 2,
      rules,
      mask: [{ key: 'phone' }, { path: '$.data[*].contact', action: 'hash' }],
      comment: 'Discovery saw email at $.data[*].contact.',
    });
    const again = await accept({ 'if-match': '"1"', 'idempotency-key': 'once' });
    expect([again.status, again.body]).toEqual([200, accepted.body]);
    expect((await accept({ 'if-match': '"2"' })).body).toMatchObject({ code: 'conflict' });

    const { body: snapshot } = await h.call<any>('GET', '/internal/relay/snapshot', { token: h.relayToken });
    expect(snapshot.connections.find((one: { id: string }) => one.id === id).policy).toMatchObject({
      revision: 2,
      mask: [{ key: 'phone' }, { path: '$.data[*].contact' }],
    });
    const { body: audit } = await h.call<any>('GET', `/v1/audit-events?action=mask_suggestion.accept&limit=1`);
    expect(audit.items).toMatchObject([{ target: { type: 'policy', id: accepted.body.id }, change: { after: { revision: 2 } } }]);
    expect((await h.call<any>('GET', `${path}?state=accepted`)).body.items).toMatchObject([{ id: items[0].id, decidedBy: 'bootstrap' }]);
  });

  it('are accepted once, when two people do at once', async () => {
    const { path, items } = await seen('$.a');
    const both = [1, 2].map(() => h.call('POST', `${path}/${items[0].id}/accept`, { body: {}, headers: { 'if-match': '*' } }));
    expect((await Promise.all(both)).map((answer) => answer.status).toSorted()).toEqual([200, 409]);
  });

  it('can be dismissed, and accepted all the same later', async () => {
    const { path, items } = await seen('$.a');
    const dismissed = await h.call<any>('POST', `${path}/${items[0].id}/dismiss`);
    expect(dismissed.body).toMatchObject({ state: 'dismissed', decidedBy: 'bootstrap', decidedAt: expect.any(String) });
    expect((await h.call('POST', `${path}/${items[0].id}/dismiss`)).body).toMatchObject({ code: 'conflict' });
    expect((await h.call('POST', `${path}/${items[0].id}/accept`, { body: {}, headers: { 'if-match': '*' } })).status).toBe(200);
  });

  it('of another connection are not there, and without a policy there is nothing to write', async () => {
    const [one, other] = [await seen('$.a'), await seen('$.a')];
    for (const what of ['accept', 'dismiss']) {
      const answer = await h.call(
        'POST',
        `${other.path}/${one.items[0].id}/${what}`,
        what === 'accept' ? { body: {}, headers: { 'if-match': '*' } } : {},
      );
      expect(answer.body).toMatchObject({ code: 'not_found' });
    }
    const { id } = await h.makeConnection();
    const suggestions = [{ path: '$.a', detector: 'email', count: 1, firstSeen: 1, lastSeen: 2 }];
    await h.call('POST', '/internal/relay/mask-observations', {
      token: h.relayToken,
      body: { observations: [{ connectionId: id, suggestions }] },
    });
    const bare = await h.call<any>('GET', `/v1/connections/${id}/mask-suggestions`);
    expect(
      (
        await h.call('POST', `/v1/connections/${id}/mask-suggestions/${bare.body.items[0].id}/accept`, {
          body: {},
          headers: { 'if-match': '*' },
        })
      ).status,
    ).toBe(412);
  });

  it('are reported by relays only, in bounds', async () => {
    const good = { path: '$.a', detector: 'email', count: 1, firstSeen: 1, lastSeen: 2 };
    const report = (suggestions: object[], token: string = h.relayToken) =>
      h.call('POST', '/internal/relay/mask-observations', {
        token,
        body: { observations: [{ connectionId: newId('connection'), suggestions }] },
      });
    expect((await report([good], await h.tokenOf('admin'))).status).toBe(401);
    expect((await report([{ ...good, path: `$.${'a'.repeat(500)}` }])).status).toBe(400);
    expect((await report([{ ...good, value: 'ada@example.com' }])).status).toBe(400);
    expect((await report(Array.from({ length: 101 }, () => good))).status).toBe(400);
    expect((await report([good])).body).toEqual({ taken: 0 });
  });
});

describe('masking rules', () => {
  it('can be tried on a sample', async () => {
    const { body } = await h.call('POST', '/v1/masking/try', {
      body: { rules: [{ key: 'email' }], sample: '{"email":"a@b.example","id":1}' },
    });
    expect(body['after']).not.toContain('a@b.example');
    expect(JSON.parse(body['after'] as string)).toMatchObject({ id: 1 });
    expect(body).toMatchObject({
      maskedCount: 1,
      blocked: null,
      rules: [{ index: 0, explanation: expect.stringContaining('is replaced by') }],
    });
  });

  it('say what would be blocked', async () => {
    const { body } = await h.call('POST', '/v1/masking/try', {
      body: { rules: [{ key: 'email' }], sample: 'x', contentType: 'application/octet-stream' },
    });
    expect(body).toMatchObject({ after: null, blocked: { code: 'unmaskable_response' } });
  });

  it('have conditions that are evaluated within a bound wherever they are, and mask where that is not enough', async () => {
    const labels = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`label${i}`, 'x']));
    const identity = await h.makeIdentity({ labels });
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    // 50 to the power of 6: hours.
    const endless = names.reduceRight((inner, name) => `identity.labels.all(${name}, ${inner})`, `${names.join(' + ')} != ""`);
    const mask = [
      { key: 'email', unless: endless },
      { key: 'phone', unless: 'identity.labels.label7 == "x"' },
    ];
    const { body: tried } = await h.call('POST', '/v1/masking/try', {
      body: { rules: mask, sample: '{"email":"a@b.example","phone":"1"}', identity: identity['id'] },
    });
    expect(tried).toMatchObject({ after: '{"email":"[redacted]","phone":"1"}', maskedCount: 1 });

    const connection = await h.makeConnection({ identities: [identity['id']] });
    const put = (unless: string) =>
      h.call<any>('PUT', `/v1/connections/${connection['id']}/policy`, {
        body: { rules, mask: [{ ...mask[0], unless }, mask[1]] },
        headers: { 'if-none-match': '*' },
      });
    const refused = await put('identity.labels.label7 ==');
    expect(refused.body).toMatchObject({
      code: 'policy_invalid',
      errors: [{ path: 'mask[0].unless', message: expect.not.stringContaining('policy_invalid') }],
    });
    expect((await put('identity.claims.anything')).body).toMatchObject({ code: 'policy_invalid', errors: [{ path: 'mask[0].unless' }] });
    expect((await put(endless)).status).toBe(200);
    const { body: explained } = await h.call<any>('POST', '/v1/policies/explain', {
      body: { connection: connection['name'], identity: identity['name'], request: { method: 'GET', path: '/x' } },
    });
    expect(explained.masking).toMatchObject([{ applies: true }, { applies: false }]);
  });
});
