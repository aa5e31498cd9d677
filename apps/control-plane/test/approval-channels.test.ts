import { createHmac } from 'node:crypto';

import { newId } from '@hoop/contract';
import { beforeAll, describe, expect, it } from 'vitest';

import { asRelay, h, people, request, review, scene, slackAnswers, slackHook, slackSecret, useApprovals } from './approval-stage.ts';
import type { Json } from './approval-stage.ts';
import { unique } from './harness.ts';
import type { Answer } from './harness.ts';

useApprovals();

describe('notification channels', () => {
  it('keep their secret to themselves, and are bound to their host', async () => {
    const created = await h.call<Json>('POST', '/v1/notification-channels', {
      body: { name: unique('channel'), kind: 'webhook', url: 'https://hooks.example/x' },
    });
    expect(created.status).toBe(201);
    expect(created.body['secret']).toMatch(/^whsec_/);
    const path = `/v1/notification-channels/${created.body['id']}`;
    const read = await h.call<Json>('GET', path);
    expect(read.text).not.toContain('whsec_');
    expect(read.text).not.toContain('sealed');
    const move = (body: Json): Promise<Answer<Json>> => h.call('PATCH', path, { body, headers: { 'if-match': '*' } });
    expect((await move({ url: 'https://evil.example/x' })).body).toMatchObject({ code: 'target_refused' });
    expect((await move({ url: 'http://127.0.0.1/x' })).body).toMatchObject({ code: 'target_refused' });
    expect((await move({ secret: 'short' })).body).toMatchObject({ code: 'invalid_request' });
    expect((await move({ url: 'https://other.example/x', secret: `whsec_${Buffer.alloc(32).toString('base64')}` })).status).toBe(200);
    const audit = await h.call<Json>('GET', `/v1/audit-events?target=${created.body['id']}`);
    expect(audit.text).not.toContain('whsec_');
    expect((await h.call('DELETE', path, { headers: { 'if-match': '*' } })).status).toBe(204);
  });
});

describe('Slack', () => {
  const press = (payload: Json, changes: { timestamp?: number; secret?: string; signature?: string } = {}): Promise<Answer<Json>> => {
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    const timestamp = changes.timestamp ?? Math.floor(Date.now() / 1000);
    const signature =
      changes.signature ??
      `v0=${createHmac('sha256', changes.secret ?? slackSecret)
        .update(`v0:${timestamp}:${body}`)
        .digest('hex')}`;
    return h.call('POST', '/v1/slack/interactions', {
      token: null,
      form: new URLSearchParams(body),
      headers: { 'x-slack-signature': signature, 'x-slack-request-timestamp': String(timestamp) },
    });
  };
  const button = (one: Json, user: string, action = 'hoop_approve'): Json => ({
    type: 'block_actions',
    user: { id: user },
    nonce: newId('request'),
    actions: [{ action_id: action, value: JSON.stringify({ approvalId: one['approvalId'], digest: one['digest'] }) }],
    response_url: `${slackHook.url}/actions/T1/2/3`,
    message: {
      blocks: [
        { type: 'section', text: { type: 'mrkdwn', text: 'POST https://api.example/v1/refunds' } },
        { type: 'actions', block_id: 'hoop_review', elements: [] },
      ],
    },
  });
  const blocksOf = (answer: Json = {}): string[] => (answer['blocks'] as Json[]).map((block) => block['block_id'] ?? block['type']);
  beforeAll(() => h.call('PUT', '/v1/slack-users/U012AB3CD', { body: { user: 'ann', groups: ['payments'] } }));

  it('lets a known approver decide with one press, once', async () => {
    const one = await request();
    const payload = button(one, 'U012AB3CD');
    const timestamp = Math.floor(Date.now() / 1000);
    expect((await press(payload, { timestamp })).body).toEqual({ text: 'Approved.' });
    const read = await h.call<Json>('GET', `/v1/approvals/${one['approvalId']}`, { token: people.ann });
    expect(read.body).toMatchObject({ state: 'approved', reviews: [{ user: 'ann', via: 'slack' }] });
    expect((await press(payload, { timestamp })).body).toMatchObject({
      code: 'unauthenticated',
      detail: expect.stringContaining('replay'),
    });
  });

  it.each([
    ['hoop_approve', 'Approved', 'ann approved it'],
    ['hoop_deny', 'Denied', 'ann denied it'],
  ])('answers a press of %s in the message: who decided, and no buttons any more', async (action, state, who) => {
    await press(button(await request(), 'U012AB3CD', action));
    expect(slackAnswers).toHaveLength(1);
    expect(slackAnswers[0]).toMatchObject({ replace_original: true });
    expect(blocksOf(slackAnswers[0])).toEqual(['section', 'hoop_standing']);
    expect(slackAnswers[0]!['blocks'][1].text.text).toBe(`*${state}*: ${who}.`);
  });

  it('keeps the buttons while further reviews are needed, and says who has decided so far', async () => {
    const one = await request({}, { quorum: 2 });
    await press(button(one, 'U012AB3CD'));
    expect(blocksOf(slackAnswers[0])).toEqual(['section', 'hoop_review', 'hoop_standing']);
    expect(slackAnswers[0]!['blocks'][2].text.text).toBe('*Waits for further reviews*: ann approved it.');
    // A second press by the same person changes nothing, and only they see a message.
    await press(button(one, 'U012AB3CD'));
    expect(slackAnswers[1]).toMatchObject({ replace_original: false, response_type: 'ephemeral' });
  });

  it('takes the buttons from a message about what was decided elsewhere, and says by whom', async () => {
    const one = await request();
    await review(one, people.bob, { decision: 'deny', comment: 'Not <today>.' });
    await press(button(one, 'U012AB3CD'));
    expect(blocksOf(slackAnswers[0])).toEqual(['section', 'hoop_standing']);
    expect(slackAnswers[0]!['blocks'][1].text.text).toBe('*Denied*: bob denied it (“Not &lt;today&gt;.”).');
  });

  it('tells a person who may not decide so, and nobody else', async () => {
    await press(button(await request(), 'U999'));
    expect(slackAnswers).toEqual([
      { response_type: 'ephemeral', replace_original: false, text: expect.stringContaining('not an approver') },
    ]);
  });

  it.each(['http://127.0.0.1:9/x', 'https://hooks.slack.com.evil.example/x', 'https://evil.example/?https://hooks.slack.com', 'not a url'])(
    'decides, and sends nothing to a response_url that is not of Slack (%s)',
    async (url) => {
      const one = await request();
      expect((await press({ ...button(one, 'U012AB3CD'), response_url: url })).body).toEqual({ text: 'Approved.' });
      expect(slackAnswers).toEqual([]);
      expect(h.logged()).toContain('a press named a response_url that is not of Slack');
    },
  );

  it.each<[string, string, (one: Json) => Promise<Answer<Json>>]>([
    ['a forged signature', 'unauthenticated', (one) => press(button(one, 'U012AB3CD'), { secret: 'x'.repeat(32) })],
    ['no signature', 'unauthenticated', (one) => press(button(one, 'U012AB3CD'), { signature: '' })],
    ['an old signature', 'unauthenticated', (one) => press(button(one, 'U012AB3CD'), { timestamp: Math.floor(Date.now() / 1000) - 301 })],
    ['an unknown Slack user', 'forbidden', (one) => press(button(one, 'U999'))],
    ['a button that is not ours', 'invalid_request', () => press({ type: 'view_submission' })],
  ])('refuses %s with %s, and decides nothing', async (_, code, act) => {
    const one = await request();
    expect((await act(one)).body).toMatchObject({ code });
    expect((await asRelay('GET', `/approvals/${one['approvalId']}?identity=${scene.identityId}`)).body).toMatchObject({ state: 'pending' });
  });

  it('tells the person why a press changed nothing', async () => {
    const one = await request();
    await review(one, people.bob);
    expect((await press(button(one, 'U012AB3CD'))).body).toEqual({ text: expect.stringContaining('already') });
  });
});
