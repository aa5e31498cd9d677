/** Waiting for a person, and calls that nobody waits for, on the product. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { type ApprovalProgress, createFetch, type HoopFetch } from '../src/index.ts';
import { type RealHoop, startRealHoop } from './real-hoop.ts';
import { answerJson, closeServers, readBody, serve } from './servers.ts';

let hoop: RealHoop;
let payments: string;
let fetch: HoopFetch;
let approver: string;
let received: string[];

beforeAll(async () => {
  payments = await serve(async (request, response) => {
    received.push((await readBody(request)).toString());
    answerJson(response, 200, { id: `re_${received.length}` });
  });
  hoop = await startRealHoop({ worker: true });
  const approval = { reviewers: ['group:payments'], quorum: 1, ttl: '10m', validity: ['once'] };
  await hoop.connect('payments', payments, [
    { name: 'small refunds', effect: 'allow', match: { methods: ['POST'], paths: ['/small'] } },
    { name: 'large refunds', effect: 'require_approval', match: { methods: ['POST'], paths: ['/large'] }, approval },
  ] as Parameters<RealHoop['connect']>[2]);
  const token = await hoop.ask('POST', '/v1/admin-tokens', { name: 'ana', role: 'approver', user: 'ana', groups: ['payments'] });
  approver = String(token['token']);
  fetch = createFetch({ url: hoop.url, token: () => hoop.identityToken() });
});
afterAll(async () => {
  await hoop.close();
  await closeServers();
});
beforeEach(() => {
  received = [];
});

async function review(approvalId: string, decision: 'approve' | 'deny', comment?: string): Promise<void> {
  const { digest } = await hoop.ask('GET', `/v1/approvals/${approvalId}`, undefined, { token: approver });
  await hoop.ask('POST', `/v1/approvals/${approvalId}/reviews`, { decision, digest, ...(comment && { comment }) }, { token: approver });
}

/** A refund that tells when it waits. */
function refund(
  body: string,
  init: RequestInit = {},
): { waits: Promise<ApprovalProgress>; response: Promise<Response>; progress: ApprovalProgress[] } {
  const waits = Promise.withResolvers<ApprovalProgress>();
  const progress: ApprovalProgress[] = [];
  const onProgress = (step: ApprovalProgress): void => {
    progress.push(step);
    waits.resolve(step);
  };
  const response = fetch(`${payments}/large`, { method: 'POST', body, ...init, hoop: { onProgress } });
  response.catch(() => {});
  return { waits: waits.promise, response, progress };
}

describe('a call that needs an approval', () => {
  test('waits, is approved, and reaches the target once', async () => {
    const { waits, response, progress } = refund('approved');
    const { approvalId, state } = await waits;
    expect([state, received]).toEqual(['pending', []]);
    await review(approvalId, 'approve');
    expect([(await response).status, await (await response).json(), received]).toEqual([200, { id: 're_1' }, ['approved']]);
    expect(progress.map((step) => step.state)).toEqual(['pending', 'approved']);
  });

  test('is denied with what the reviewer said, and never reaches the target', async () => {
    const { waits, response } = refund('denied');
    await review((await waits).approvalId, 'deny', 'not this customer');
    expect([(await response).status, (await response).headers.get('hoop-error')]).toEqual([403, 'approval_denied']);
    expect(await (await response).json()).toMatchObject({ code: 'approval_denied', detail: expect.stringContaining('not this customer') });
    expect(received).toEqual([]);
  });

  test('withdraws its request where the signal fires', async () => {
    const controller = new AbortController();
    const { waits, response } = refund('withdrawn', { signal: controller.signal });
    const { approvalId } = await waits;
    controller.abort();
    await expect(response).rejects.toMatchObject({ name: 'AbortError' });
    let state: unknown;
    // Each turn is an answered request, so this ends as soon as the withdrawal has arrived.
    while ((state = (await hoop.ask('GET', `/v1/approvals/${approvalId}`))['state']) === 'pending');
    expect([state, received]).toEqual(['withdrawn', []]);
  });

  test('can be made again, by a later process too, and uses the approval that came after it gave up', async () => {
    const send = (one: HoopFetch): Promise<Response> =>
      one(`${payments}/large`, { method: 'POST', body: 'later', hoop: { waitSeconds: 0 } });
    const refused = await send(fetch);
    expect(refused.headers.get('hoop-error')).toBe('approval_pending');
    const { approvalId } = (await refused.json()) as { approvalId: string };
    await review(approvalId, 'approve');
    expect((await send(createFetch({ url: hoop.url, token: () => hoop.identityToken() }))).status).toBe(200);
    expect((await send(fetch)).headers.get('hoop-error')).toBe('approval_pending');
    expect(received).toEqual(['later']);
  });

  test('is held by the relay where its body is a stream', async () => {
    const init = { method: 'POST', body: new Blob(['streamed']).stream(), duplex: 'half' } as RequestInit;
    const response = fetch(`${payments}/large`, init);
    let approvalId: string | undefined;
    while (approvalId === undefined) {
      const { items } = (await hoop.ask('GET', '/v1/approvals?state=pending')) as unknown as { items: { id: string; bodyBytes: number }[] };
      approvalId = items.find((one) => one.bodyBytes === 'streamed'.length)?.id;
    }
    await review(approvalId, 'approve');
    expect([(await response).status, received]).toEqual([200, ['streamed']]);
  });
});

describe('a deferred call', () => {
  test('is sent in the background and collected by a later process of the same identity', async () => {
    const accepted = await fetch(`${payments}/small`, { method: 'POST', body: 'deferred', hoop: { defer: true } });
    expect([accepted.status, accepted.url]).toEqual([202, `${payments}/small`]);
    const { callId } = (await accepted.json()) as { callId: string };
    const response = await createFetch({ url: hoop.url, token: () => hoop.identityToken() }).collect(callId);
    expect([response.status, await response.json(), received]).toEqual([200, { id: 're_1' }, ['deferred']]);
  });

  test('waits for its approval', async () => {
    const accepted = await fetch(`${payments}/large`, { method: 'POST', body: 'deferred large', hoop: { defer: true } });
    const { callId, approvalId } = (await accepted.json()) as { callId: string; approvalId: string };
    expect([(await fetch.collect(callId, { waitSeconds: 0 })).status, received]).toEqual([202, []]);
    await review(approvalId, 'approve');
    const response = await fetch.collect(callId);
    expect([response.status, received]).toEqual([200, ['deferred large']]);
  });

  test('is refused at once where the policy denies it', async () => {
    const refused = await fetch(`${payments}/other`, { method: 'POST', body: 'x', hoop: { defer: true } });
    expect([refused.status, refused.headers.get('hoop-error')]).toEqual([403, 'policy_denied']);
  });

  test('that does not exist cannot be collected', async () => {
    const response = await fetch.collect(`call_01${'0'.repeat(24)}`);
    expect([response.status, response.headers.get('hoop-error')]).toEqual([404, 'not_found']);
  });
});
