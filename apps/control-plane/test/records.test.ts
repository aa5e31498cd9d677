import { newId } from '@hoop/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startHarness, type Harness } from './harness.ts';
import { recordCall } from './recorded-call.ts';

let h: Harness;
beforeAll(async () => {
  h = await startHarness();
});
afterAll(() => h.close());

describe('calls and sessions', () => {
  it('are listed by what is asked for', async () => {
    const connection = await h.makeConnection();
    const one = await recordCall(h, { head: { connectionId: connection['id'] as string, path: '/v1/special/1', method: 'DELETE' } });
    const other = await recordCall(h, { outcome: { status: 502, error: 'target_reset', state: 'failed' } });
    const ids = async (query: string): Promise<string[]> =>
      (await h.call<any>('GET', `/v1/calls?${query}`)).body.items.map((call: { id: string }) => call.id);
    expect(await ids(`connection=${connection['name']}`)).toEqual([one.callId]);
    expect(await ids('path=/v1/special/*')).toEqual([one.callId]);
    expect(await ids('error=target_reset')).toEqual([other.callId]);
    expect(await ids(`session=${other.sessionId}`)).toEqual([other.callId]);
    expect(await ids(`connection=${newId('connection')}`)).toEqual([]);
    expect(await ids('since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00%2B01:00')).toEqual([]);
    const sessions = await h.call<any>('GET', '/v1/sessions?error=target_reset');
    expect(sessions.body.items.map((session: { id: string }) => session.id)).toEqual([other.sessionId]);
  });

  it('page through sessions', async () => {
    const first = await h.call<any>('GET', '/v1/sessions?limit=1');
    const second = await h.call<any>('GET', `/v1/sessions?limit=1&cursor=${first.body.next}`);
    expect(second.status).toBe(200);
    expect(second.body.items[0].id).not.toBe(first.body.items[0].id);
  });

  it('give content to admins and auditors only, and each reading leaves a trace', async () => {
    const { callId } = await recordCall(h, { request: '{"amount":5}', response: '\u{1F600}' });
    const head = await h.call<any>('GET', `/v1/calls/${callId}`, { token: await h.tokenOf('operator') });
    expect(head.body).toMatchObject({ id: callId, requestBody: { bytes: 12 } });
    expect(head.text).not.toContain('amount');
    expect(head.text).not.toContain('sealed');
    for (const role of ['operator', 'approver'] as const) {
      expect((await h.call('GET', `/v1/calls/${callId}/bodies`, { token: await h.tokenOf(role) })).status).toBe(403);
    }
    const bodies = await h.call<any>('GET', `/v1/calls/${callId}/bodies`, { token: await h.tokenOf('auditor') });
    expect(bodies.body.request).toMatchObject({ encoding: 'utf8', content: '{"amount":5}', truncated: false });
    expect(bodies.body.response.content).toBe('\u{1F600}');
    const audit = await h.call<any>('GET', `/v1/audit-events?target=${callId}`);
    expect(audit.body.items).toMatchObject([{ action: 'call.read_bodies', actor: { role: 'auditor' }, change: {} }]);
    expect(audit.text).not.toContain('amount');
  });

  it('export a session as HAR, in order and whole, and write it down', async () => {
    const { sessionId } = await recordCall(h, { response: '{"n":0}' });
    for (let n = 1; n < 45; n++) await recordCall(h, { head: { sessionId }, response: `{"n":${n}}` });
    const answer = await h.call<any>('GET', `/v1/sessions/${sessionId}/har`);
    const { log } = JSON.parse(answer.text);
    expect(log).toMatchObject({ version: '1.2', creator: { name: 'Hoop' }, pages: [{ id: sessionId }] });
    expect(log.entries.map((entry: any) => entry.response.content.text)).toEqual(Array.from({ length: 45 }, (_, n) => `{"n":${n}}`));
    expect((await h.call<any>('GET', `/v1/audit-events?target=${sessionId}`)).body.items).toHaveLength(1);
  });

  it('explain a recorded call by the policy revision that decided it', async () => {
    const identity = await h.makeIdentity();
    const connection = await h.makeConnection({ identities: [identity['id']] });
    const path = `/v1/connections/${connection['id']}/policy`;
    const rules = [
      { name: 'nobody refunds', effect: 'deny', match: { paths: ['/v1/refunds'] }, when: 'identity.claims.ref == "refs/heads/main"' },
    ];
    const policy = (await h.call<any>('PUT', path, { body: { rules }, headers: { 'if-none-match': '*' } })).body;
    await h.call('PUT', path, { body: { rules: [{ name: 'all', effect: 'allow' }] }, headers: { 'if-match': '"1"' } });
    const { callId } = await recordCall(h, {
      head: {
        connectionId: connection['id'] as string,
        subject: {
          identityId: identity['id'] as string,
          identityName: identity['name'] as string,
          issuer: 'i',
          subject: 's',
          grantId: null,
        },
        decision: { effect: 'deny', rule: 'nobody refunds', reason: 'r', policyId: policy.id, policyRevision: 1 },
      },
    });
    const { body } = await h.call<any>('POST', '/v1/policies/explain', { body: { call: callId } });
    expect(body).toMatchObject({ effect: 'deny', rule: 'nobody refunds', policyRevision: 1 });
    expect(body.rules[0].condition[0]).toMatchObject({ outcome: 'true' });
    expect(body.caveats.join(' ')).toContain('masked');
  });

  it('do not tell a call that was never asked for from one that is not there', async () => {
    const refused = await recordCall(h, { head: { connectionId: null, connectionName: null, decision: null } });
    const { body } = await h.call<any>('POST', '/v1/policies/explain', { body: { call: refused.callId } });
    expect(body).toMatchObject({ code: 'not_found', detail: expect.stringContaining('no policy was asked') });
  });
});
