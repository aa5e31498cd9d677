import { newId } from '@hoop/contract';
import { insertGrant } from '@hoop/database';
import { describe, expect, it } from 'vitest';

import { asRelay, claimBody, h, people, request, review, scene, useApprovals } from './approval-stage.ts';
import type { Json } from './approval-stage.ts';
import type { Answer } from './harness.ts';
import { signAll } from '../../../packages/database/test/row-keys.ts';

useApprovals();

describe('an approver', () => {
  it('sees exactly what will be sent, who asks, why, and what was decided about the like before', async () => {
    const earlier = await request();
    await review(earlier, people.ann, { decision: 'deny', comment: 'not today' });
    const one = await request();
    const { status, body } = await h.call<Json>('GET', `/v1/approvals/${one['approvalId']}`, { token: people.ann });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: 'pending',
      digest: one['digest'],
      identity: { id: scene.identityId, owner: 'olga' },
      context: { ticket: 'OPS-1' },
      claims: { repository: 'acme/billing' },
      validities: ['once', '10m'],
      request: { method: 'POST', encoding: 'utf8', body: '{"amount":20000}' },
      earlier: [{ id: earlier['approvalId'], state: 'denied', reviews: [{ user: 'ann', comment: 'not today' }] }],
    });
    const audited = await h.call<Json>('GET', `/v1/audit-events?action=approval.read&target=${one['approvalId']}`);
    expect(audited.body['items']).toHaveLength(1);
  });

  it('sees all claims of the token that was exchanged for the grant, not only those that the grant carries', async () => {
    const claims = { repository: 'acme/billing', actor: 'octocat' };
    const row = {
      issuer: 'https://issuer.example',
      subject: 'machine',
      claims,
      connectionIds: [],
      issuedAt: new Date(),
      expiresAt: new Date(),
    };
    const [own, another] = [newId('grant'), newId('grant')];
    await insertGrant(h.database.prisma, { id: own, identityId: scene.identityId, ...row });
    await insertGrant(h.database.prisma, { id: another, identityId: newId('identity'), ...row });
    const shown = async (grantId: string): Promise<Json> => {
      const one = await request({ grantId, claims: { repository: 'acme/billing' } });
      return (await h.call<Json>('GET', `/v1/approvals/${one['approvalId']}`, { token: people.ann })).body['claims'];
    };
    expect(await shown(own)).toEqual(claims);
    expect(await shown(another)).toEqual({ repository: 'acme/billing' });
  });

  it('finds what waits for them, and only that', async () => {
    const one = await request();
    const mine = await h.call<Json>('GET', `/v1/approvals?mine=true&state=pending&connection=${scene.connectionId}`, { token: people.ann });
    expect(mine.body['items'].map((item: Json) => item['id'])).toEqual([one['approvalId']]);
    const eves = await h.call<Json>('GET', `/v1/approvals?mine=true&connection=${scene.connectionId}`, { token: people.eve });
    expect(eves.body['items']).toEqual([]);
  });

  it('approves with one request, after which the call goes on once', async () => {
    const one = await request();
    const { status, body } = await review(one, people.ann, { comment: 'fine' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'approved', reviews: [{ user: 'ann', via: 'rest', comment: 'fine' }] });
    const again = await asRelay('POST', '/approvals', await claimBody({ digest: one['digest'] }));
    expect(again.body).toMatchObject({ state: 'approved', isConsumed: true, approvalId: one['approvalId'] });
    const audit = await h.call<Json>('GET', `/v1/audit-events?target=${one['approvalId']}`);
    expect(audit.body['items'].map((item: Json) => item['action'])).toEqual(['approval.consume', 'approval.approve', 'approval.request']);
  });

  it('reaches the quorum once under races', async () => {
    const one = await request({}, { quorum: 2 });
    const answers = await Promise.all([people.ann, people.bob, people.ann, people.olga].map((token) => review(one, token)));
    const codes = answers.map((answer) => answer.status).sort();
    expect(codes.filter((status) => status === 200)).toHaveLength(2);
    const { body } = await h.call<Json>('GET', `/v1/approvals/${one['approvalId']}`, { token: people.ann });
    expect(body).toMatchObject({ state: 'approved' });
    expect(body['reviews']).toHaveLength(2);
  });

  it.each<[string, number, (one: Json) => Promise<Answer<Json>>, Json?]>([
    ['reviewer_not_allowed', 403, (one) => review(one, people.eve)],
    ['reviewer_not_allowed', 403, (one) => review(one, people.nobody)],
    ['reviewer_not_allowed', 403, (one) => review(one, people.olga), { fourEyes: true }],
    ['forbidden', 403, (one) => review(one, people.auditor)],
    ['approval_digest_mismatch', 409, (one) => review({ ...one, digest: 'f'.repeat(64) }, people.ann)],
    ['review_comment_required', 422, (one) => review(one, people.ann), { requireComment: true }],
    ['review_validity_refused', 422, (one) => review(one, people.ann, { validity: '12h' })],
    ['not_found', 404, (one) => review({ ...one, approvalId: newId('approval') }, people.ann)],
    ['invalid_request', 400, (one) => review(one, people.ann, { decision: 'maybe' })],
    ['review_repeated', 409, async (one) => (await review(one, people.ann), review(one, people.ann)), { quorum: 2 }],
    ['approval_decided', 409, async (one) => (await review(one, people.ann), review(one, people.bob))],
    [
      'approval_withdrawn',
      403,
      async (one) => {
        await asRelay('POST', `/approvals/${one['approvalId']}/withdraw`, { identityId: scene.identityId, reason: 'aborted' });
        return review(one, people.ann);
      },
    ],
    [
      'approval_voided',
      409,
      async (one) => {
        await h.call('POST', `/v1/identities/${scene.identityId}/disable`);
        return review(one, people.ann);
      },
    ],
    [
      'approval_voided',
      409,
      async (one) => {
        await h.call('PATCH', `/v1/connections/${scene.connectionId}`, {
          body: { limits: { approvalWaitSeconds: 1 } },
          headers: { 'if-match': '*' },
        });
        return review(one, people.ann);
      },
    ],
    [
      'approval_voided',
      409,
      async (one) => {
        await h.call('PUT', `/v1/connections/${scene.connectionId}/policy`, { body: { rules: [] }, headers: { 'if-match': '*' } });
        return review(one, people.ann);
      },
    ],
    [
      'approval_voided',
      409,
      async (one) => {
        await h.call('PUT', `/v1/connections/${scene.connectionId}/credential`, {
          body: { settings: { type: 'static', injection: { into: 'header' } }, secrets: { secret: 'sk_1' } },
          headers: { 'if-none-match': '*' },
        });
        return review(one, people.ann);
      },
    ],
  ])('is refused with %s (%i)', async (code, status, act, rule) => {
    const one = await request({}, rule);
    const answer = await act(one);
    expect(answer.body).toMatchObject({ code, status });
    expect(answer.status).toBe(status);
  });

  it('is refused after the expiry, whether or not anybody has marked it', async () => {
    const one = await request();
    await h.database.prisma.approval.update({ where: { id: one['approvalId'] }, data: { expiresAt: new Date(Date.now() - 1) } });
    await signAll(h.database);
    expect((await review(one, people.ann)).body).toMatchObject({ code: 'approval_expired' });
  });
});

describe('breaking glass', () => {
  it('needs its role and a reason, is loud, and stays open until somebody else closes it', async () => {
    const one = await request({}, { quorum: 2 });
    const path = `/v1/approvals/${one['approvalId']}/break-glass`;
    const body = { digest: one['digest'], reason: 'production is down and nobody answers' };
    expect((await h.call('POST', path, { token: people.ann, body })).body).toMatchObject({ code: 'forbidden' });
    expect((await h.call('POST', path, { token: people.max, body: { ...body, reason: 'x' } })).body).toMatchObject({
      code: 'invalid_request',
    });
    expect((await h.call('POST', path, { token: people.max, body })).body).toMatchObject({
      state: 'approved',
      reviews: [{ via: 'break_glass' }],
    });
    expect(h.logged()).toContain('the glass was broken');
    const open = await h.call<Json>('GET', '/v1/break-glass-reviews?open=true', { token: people.auditor });
    expect(open.body['items'].map((item: Json) => item['approvalId'])).toContain(one['approvalId']);
    const close = (token: string): Promise<Answer<Json>> =>
      h.call('POST', `/v1/break-glass-reviews/${one['approvalId']}/close`, { token, body: { comment: 'was right' } });
    expect((await close(people.max)).body).toMatchObject({ code: 'forbidden' });
    expect((await close(people.auditor)).body).toMatchObject({ closedBy: 'aud' });
    expect((await close(people.auditor)).body).toMatchObject({ code: 'conflict' });
    const audit = await h.call<Json>('GET', `/v1/audit-events?target=${one['approvalId']}&action=approval.break_glass`);
    expect(audit.body['items']).toHaveLength(1);
  });
});

describe('a relay', () => {
  it('is told in the moment of the decision on its stream of changes', async () => {
    const one = await request();
    const stream = await fetch(`${h.url}/internal/relay/changes`, { headers: { authorization: `Bearer ${h.relayToken}` } });
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    while (!heard.includes('event: revision')) heard += (await reader.read()).value;
    await review(one, people.ann);
    // Others may be decided at the same moment.
    const told = `event: approval\ndata: ${JSON.stringify({ id: one['approvalId'], state: 'approved' })}\n`;
    while (!heard.includes(told)) {
      const { value, done } = await reader.read();
      if (done) expect.fail(heard);
      heard += value;
    }
    await reader.cancel();
  });

  it('reads and withdraws for the identity that asked; for another it looks as if there were none', async () => {
    const one = await request();
    const other = (await h.makeIdentity())['id'] as string;
    const read = (identity: string, id = one['approvalId'] as string): Promise<Answer<Json>> =>
      asRelay('GET', `/approvals/${id}?identity=${identity}`);
    expect((await read(scene.identityId)).body).toMatchObject({ state: 'pending' });
    const [foreign, unknown] = [await read(other), await read(scene.identityId, newId('approval'))];
    const without = ({ body }: Answer<Json>): Json => ({ ...body, requestId: '' });
    expect(without(foreign)).toEqual(without(unknown));
    expect(foreign.status).toBe(404);
    const waiting = asRelay('GET', `/approvals/${one['approvalId']}?identity=${scene.identityId}&wait=20`);
    await review(one, people.ann, { decision: 'deny', comment: 'no' });
    expect((await waiting).body).toMatchObject({ state: 'denied', reason: 'no' });
  });

  it('cannot claim for an identity that was disabled or under a policy that has changed', async () => {
    const body = await claimBody();
    await h.call('PUT', `/v1/connections/${scene.connectionId}/policy`, { body: { rules: [] }, headers: { 'if-match': '*' } });
    expect((await asRelay('POST', '/approvals', body)).body).toMatchObject({ code: 'approval_voided' });
    await h.call('POST', `/v1/identities/${scene.identityId}/disable`);
    expect((await asRelay('POST', '/approvals', body)).body).toMatchObject({ code: 'identity_disabled' });
    expect((await h.call('POST', '/internal/relay/approvals', { body })).body).toMatchObject({ code: 'unauthenticated' });
  });

  it('keeps a deferred call, hands it to one relay once, and gives its result to its identity only', async () => {
    const callId = newId('call');
    const blob = { wrappedKey: 'k', sealed: Buffer.from('sealed').toString('base64') };
    const one = await request({ callId });
    const created = await asRelay('POST', '/deferred-calls', {
      callId,
      identityId: scene.identityId,
      connectionId: scene.connectionId,
      approvalId: one['approvalId'],
      request: blob,
      idempotencyKey: null,
      mayRetry: false,
      webhookChannel: null,
    });
    expect(created.body).toMatchObject({ state: 'waiting' });
    await review(one, people.ann);
    const claim = (): Promise<Answer<Json>> => asRelay('POST', `/deferred-calls/${callId}/claim`, { relayId: 'rly_1' });
    const claims = (await Promise.all([claim(), claim(), claim()])).map((answer) => answer.body['request']);
    expect(claims.filter((sealed) => sealed !== null)).toEqual([blob]);
    const waiting = asRelay('GET', `/deferred-calls/${callId}?identity=${scene.identityId}&wait=20`);
    const result = { relayId: 'rly_1', state: 'done', status: 201, error: null, errorDetail: null, response: blob };
    expect((await asRelay('POST', `/deferred-calls/${callId}/result`, { ...result, relayId: 'rly_2' })).body).toEqual({
      isAccepted: false,
    });
    expect((await asRelay('POST', `/deferred-calls/${callId}/result`, result)).body).toEqual({ isAccepted: true });
    expect((await waiting).body).toMatchObject({ state: 'done', status: 201, response: blob });
    const other = (await h.makeIdentity())['id'] as string;
    expect((await asRelay('GET', `/deferred-calls/${callId}?identity=${other}`)).body).toMatchObject({ code: 'not_found' });
    expect((await asRelay('POST', `/deferred-calls/${callId}/withdraw`, { identityId: scene.identityId })).body).toMatchObject({
      code: 'conflict',
    });
  });
});

describe('following', () => {
  it('gets one approval until it ends, and all that are pending with every change', async () => {
    const one = await request();
    const read = async (path: string, until: (text: string) => boolean, act: () => Promise<unknown>): Promise<string> => {
      const stream = await fetch(`${h.url}${path}`, { headers: { authorization: `Bearer ${people.ann}` } });
      const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = (await reader.read()).value ?? '';
      const acting = act();
      while (!until(text)) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
      }
      await acting;
      await reader.cancel();
      return text;
    };
    const all = await read(
      '/v1/approvals/events',
      (text) => text.includes('"denied"'),
      () => review(one, people.ann, { decision: 'deny', comment: 'no' }),
    );
    expect(all).toContain(one['approvalId']);
    const ended = await read(
      `/v1/approvals/${one['approvalId']}/events`,
      () => false,
      async () => undefined,
    );
    expect(ended.match(/event: approval/g)).toHaveLength(1);
  });
});
