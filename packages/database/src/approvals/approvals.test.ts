import { newId } from '@hoop/contract';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { claimOf as claimInScene, createApprovalScene, digestOf, requirement, origin } from '../../test/approval-scene.ts';
import type { ApprovalScene } from '../../test/approval-scene.ts';
import type { Database } from '../database.ts';
import {
  applyToApproval,
  claimApproval,
  claimDeferredCall,
  closeBreakGlassReview,
  closeLostDeferredCalls,
  createDeferredCall,
  earlierDecisions,
  expireApproval,
  finishDeferredCall,
  listApprovals,
  overdueApprovals,
  readApproval,
  readDeferredCall,
  voidApprovals,
  withdrawDeferredCall,
} from './index.ts';
import type { ApprovalClaim } from './index.ts';
import { openSignedDatabase, signAll } from '../../test/row-keys.ts';

const now = Date.UTC(2026, 10, 24, 12);
const ann = { user: 'ann', groups: ['payments'], mayBreakGlass: false };
const review = (n: number, decision: 'approve' | 'deny' = 'approve', reviewer = ann) =>
  ({ type: 'review', reviewer, decision, comment: null, validity: null, via: 'rest', digest: digestOf(n) }) as const;

let database: TestDatabase;
let db: Database;
let scene: ApprovalScene;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openSignedDatabase(database.url, { maxConnections: 20 });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

beforeEach(async () => {
  scene = await createApprovalScene(db, now);
});

const claimOf = (n: number, changes: Partial<ApprovalClaim> = {}): ApprovalClaim => claimInScene(scene, n, changes);
const claim = (one: ApprovalClaim, at = now) => db.inTransaction((tx) => claimApproval(tx, one, at, origin));
const apply = (id: string, event: Parameters<typeof applyToApproval>[2], at = now) =>
  db.inTransaction((tx) => applyToApproval(tx, id, event, at));

describe('a claim', () => {
  it('makes one approval, waits for it, and consumes it for one call', async () => {
    const first = claimOf(1);
    const asked = await claim(first);
    expect(asked).toMatchObject({ state: 'pending', isNew: true, approvalId: first.newApprovalId });
    await apply(asked.approvalId, review(1));
    expect(await claim({ ...first, approvalId: asked.approvalId })).toMatchObject({ state: 'approved', isConsumed: true });
    expect(await claim({ ...first, approvalId: asked.approvalId })).toMatchObject({ state: 'approved', isConsumed: true });
    expect(await claim({ ...claimOf(1), approvalId: asked.approvalId })).toMatchObject({ state: 'consumed' });
    expect(await claim(claimOf(1))).toMatchObject({ state: 'pending', isNew: true });
  });

  it('lets the same request, sent again by another call, consume what was approved meanwhile', async () => {
    const asked = await claim(claimOf(2));
    await apply(asked.approvalId, review(2));
    expect(await claim(claimOf(2))).toMatchObject({ approvalId: asked.approvalId, isConsumed: true });
  });

  it('shares one pending approval among concurrent claims for one request and gives it to exactly one of them', async () => {
    const claims = Array.from({ length: 12 }, () => claimOf(3));
    const asked = await Promise.all(claims.map((one) => claim(one)));
    expect(new Set(asked.map((one) => one.approvalId)).size).toBe(1);
    const approvalId = asked[0]!.approvalId;
    await apply(approvalId, review(3));
    const answers = await Promise.all(claims.map((one) => claim({ ...one, approvalId })));
    expect(answers.filter((one) => one.isConsumed)).toHaveLength(1);
  });

  it('needs a new approval for another digest', async () => {
    const asked = await claim(claimOf(4));
    await apply(asked.approvalId, review(4));
    expect(await claim(claimOf(5))).toMatchObject({ state: 'pending', isNew: true });
  });

  it('goes on under a window for a like request until its end', async () => {
    const asked = await claim(claimOf(6));
    await apply(asked.approvalId, { ...review(6), validity: '10m' });
    expect(await claim(claimOf(7), now + 599_999)).toMatchObject({ state: 'approved', isConsumed: false, approvalId: asked.approvalId });
    expect(await claim(claimOf(7), now + 600_000)).toMatchObject({ state: 'pending', isNew: true });
    expect(await claim(claimOf(6, { identityId: scene.otherIdentityId }))).toMatchObject({ state: 'pending', isNew: true });
  });

  it('sees a window that is granted in the very moment of the claim', async () => {
    for (let n = 300; n < 312; n++) {
      // Each identity of its own, or the window of the round before would cover this one.
      scene = await createApprovalScene(db, now);
      const first = claimOf(n);
      const asked = await claim(first);
      const answers = await Promise.all([
        apply(asked.approvalId, { ...review(n), validity: '10m' }),
        ...Array.from({ length: 4 }, () => claim({ ...first, approvalId: asked.approvalId })),
      ]);
      for (const one of answers.slice(1)) expect(['pending', 'approved']).toContain((one as { state: string }).state);
    }
  });

  it('is told of a denial while the question would have been open, and may ask again after it', async () => {
    const asked = await claim(claimOf(8));
    await apply(asked.approvalId, { ...review(8, 'deny'), comment: 'no' });
    expect(await claim(claimOf(8), now + 1000)).toMatchObject({ state: 'denied', reason: 'no' });
    expect(await claim(claimOf(8), asked.expiresAt)).toMatchObject({ state: 'pending', isNew: true });
  });

  it('asks anew after an expiry that nobody has marked', async () => {
    const asked = await claim(claimOf(9));
    const again = await claim(claimOf(9), asked.expiresAt);
    expect(again).toMatchObject({ state: 'pending', isNew: true });
    expect((await readApproval(db.prisma, asked.approvalId))?.state).toBe('expired');
  });

  it.each([
    ['identity_disabled', () => db.prisma.identity.update({ where: { id: scene.identityId }, data: { disabled: true } })],
    ['connection_unknown', () => db.prisma.connection.update({ where: { id: scene.connectionId }, data: { disabled: true } })],
    ['connection_unknown', () => db.prisma.connectionIdentity.deleteMany({ where: { identityId: scene.identityId } })],
    ['approval_voided', () => db.prisma.policy.update({ where: { id: scene.policyId }, data: { currentRevision: 4 } })],
    ['approval_voided', () => db.prisma.credentialSource.update({ where: { id: scene.credentialId }, data: { version: 2 } })],
  ])('is refused with %s when what it was decided on has changed', async (code, change) => {
    const asked = await claim(claimOf(10));
    await apply(asked.approvalId, review(10));
    await change();
    await signAll(db);
    await expect(claim(claimOf(10))).rejects.toMatchObject({ code });
  });

  it('cannot wait on the approval of another identity', async () => {
    const asked = await claim(claimOf(11));
    await expect(claim(claimOf(11, { identityId: scene.otherIdentityId, approvalId: asked.approvalId }))).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(claim(claimOf(11, { approvalId: newId('approval') }))).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('concurrent reviews', () => {
  it('count each person once and reach the quorum exactly once', async () => {
    const asked = await claim(claimOf(20, { requirements: [requirement({ quorum: 3 })] }));
    const people = ['a', 'b', 'c', 'd', 'a', 'b'].map((user) => ({ ...ann, user }));
    const results = await Promise.allSettled(people.map((person) => apply(asked.approvalId, review(20, 'approve', person))));
    expect(results.filter((one) => one.status === 'fulfilled')).toHaveLength(3);
    const approval = await readApproval(db.prisma, asked.approvalId);
    expect(approval).toMatchObject({ state: 'approved' });
    expect(new Set(approval!.reviews.map((one) => one.user)).size).toBe(3);
    const topics = await db.prisma.outbox.findMany({
      where: { topic: 'approval.approved', payload: { path: ['approvalId'], equals: asked.approvalId } },
    });
    expect(topics).toHaveLength(1);
  });

  it('are told on the channel in the moment of the commit', async () => {
    const asked = await claim(claimOf(21));
    const heard = new Promise<string>(
      (resolve) => void db.listen('hoop_approvals', (payload) => payload?.includes('approved') && resolve(payload)),
    );
    await new Promise((resolve) => setImmediate(resolve));
    await db.listen('hoop_approvals', () => undefined);
    await apply(asked.approvalId, review(21));
    expect(JSON.parse(await heard)).toEqual({ id: asked.approvalId, state: 'approved' });
  });
});

describe('what ends an approval', () => {
  it('is voided in the transaction of the change it depends on', async () => {
    const pending = await claim(claimOf(30));
    const approved = await claim(claimOf(31));
    await apply(approved.approvalId, review(31));
    const used = await claim(claimOf(32));
    await apply(used.approvalId, review(32));
    await claim(claimOf(32));
    const ids = await db.inTransaction((tx) => voidApprovals(tx, { connectionId: scene.connectionId }, 'the policy changed', now));
    expect(ids.sort()).toEqual([pending.approvalId, approved.approvalId].sort());
    expect(await readApproval(db.prisma, used.approvalId)).toMatchObject({ state: 'consumed' });
    await expect(apply(pending.approvalId, review(30))).rejects.toMatchObject({ code: 'approval_voided' });
  });

  it('is found when overdue, and marked once', async () => {
    const asked = await claim(claimOf(33));
    expect(await overdueApprovals(db.prisma, asked.expiresAt - 1, 100)).not.toContain(asked.approvalId);
    expect(await overdueApprovals(db.prisma, asked.expiresAt, 100)).toContain(asked.approvalId);
    const marked = await Promise.all([1, 2, 3].map(() => db.inTransaction((tx) => expireApproval(tx, asked.approvalId, asked.expiresAt))));
    expect(marked.filter(Boolean)).toHaveLength(1);
  });
});

describe('breaking glass', () => {
  it('opens a review that only somebody else can close, once', async () => {
    const asked = await claim(claimOf(40));
    const event = {
      type: 'break_glass',
      reviewer: { user: 'max', groups: [], mayBreakGlass: true },
      reason: 'fire',
      digest: digestOf(40),
    } as const;
    await apply(asked.approvalId, event);
    const close = (by: string) => db.inTransaction((tx) => closeBreakGlassReview(tx, asked.approvalId, by, 'seen', now));
    await expect(close('max')).rejects.toMatchObject({ code: 'reviewer_not_allowed' });
    await close('ann');
    await expect(close('ann')).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('lists', () => {
  it('page from new to old, filter by who may review, and know earlier decisions', async () => {
    const ids: string[] = [];
    for (let n = 50; n < 55; n++) ids.push((await claim(claimOf(n, { newApprovalId: newId('approval', now + n) }))).approvalId);
    await apply(ids[0]!, review(50, 'deny'));
    const mine = { connectionId: scene.connectionId, reviewers: ['group:payments'] };
    const page = await listApprovals(db.prisma, { ...mine, limit: 2 });
    expect(page.map((one) => one.id)).toEqual([ids[4], ids[3]]);
    expect((await listApprovals(db.prisma, { ...mine, before: ids[3]!, state: 'pending', limit: 5 })).map((one) => one.id)).toEqual([
      ids[2],
      ids[1],
    ]);
    expect(await listApprovals(db.prisma, { connectionId: scene.connectionId, reviewers: ['user:eve'], limit: 5 })).toEqual([]);
    const latest = await readApproval(db.prisma, ids[4]!);
    expect((await earlierDecisions(db.prisma, latest!, 5)).map((one) => one.id)).toEqual([ids[0]]);
  });
});

describe('a deferred call', () => {
  const blob = { wrappedKey: 'key', sealed: Buffer.from('sealed') };
  const defer = (approvalId: string | null, changes: object = {}) => {
    const call = {
      callId: newId('call'),
      identityId: scene.identityId,
      connectionId: scene.connectionId,
      approvalId,
      request: blob,
      idempotencyKey: null,
      mayRetry: false,
      webhookChannel: null,
      expiresAt: now + 3_600_000,
      ...changes,
    };
    return db.inTransaction(async (tx) => ({ callId: call.callId, state: await createDeferredCall(tx, call, now) }));
  };
  const take = (callId: string, relayId = 'rly_1') => db.inTransaction((tx) => claimDeferredCall(tx, callId, relayId, now));

  it('waits for its approval, is ready with it, and is handed to one relay only', async () => {
    const asked = await claim(claimOf(60));
    const { callId, state } = await defer(asked.approvalId);
    expect(state).toBe('waiting');
    expect(await take(callId)).toBeNull();
    await apply(asked.approvalId, review(60));
    const taken = await Promise.all([take(callId, 'rly_1'), take(callId, 'rly_2'), take(callId, 'rly_3')]);
    expect(taken.filter((one) => one !== null)).toHaveLength(1);
  });

  it.each([
    ['refused', 'approval_denied', (id: string) => apply(id, review(61, 'deny'))],
    ['withdrawn', 'approval_withdrawn', (id: string) => apply(id, { type: 'withdraw', identityId: scene.identityId, reason: 'x' })],
    ['refused', 'approval_voided', () => db.inTransaction((tx) => voidApprovals(tx, { identityId: scene.identityId }, 'disabled', now))],
    ['expired', 'approval_expired', (id: string) => db.inTransaction((tx) => expireApproval(tx, id, now + 1_800_000))],
  ])('ends as %s with %s when its approval does', async (state, error, end) => {
    const asked = await claim(claimOf(61));
    const { callId } = await defer(asked.approvalId);
    await end(asked.approvalId);
    expect(await readDeferredCall(db.prisma, callId, scene.identityId)).toMatchObject({ state, error });
    expect(await take(callId)).toBeNull();
  });

  it('keeps the first outcome, and only from the relay that runs it', async () => {
    const { callId, state } = await defer(null);
    expect(state).toBe('ready');
    await take(callId, 'rly_1');
    const done = { state: 'done', status: 200, error: null, errorDetail: null, response: blob } as const;
    const finish = (relayId: string) => db.inTransaction((tx) => finishDeferredCall(tx, callId, relayId, done, now));
    expect(await finish('rly_2')).toBe(false);
    expect(await finish('rly_1')).toBe(true);
    expect(await finish('rly_1')).toBe(false);
    expect(await readDeferredCall(db.prisma, callId, scene.otherIdentityId)).toBeNull();
    expect(await db.inTransaction((tx) => withdrawDeferredCall(tx, callId, scene.identityId, now))).toBeNull();
  });

  it('is unknown when its relay is lost, and is sent again once only where that is allowed', async () => {
    const plain = await defer(null);
    const keyed = await defer(null, { idempotencyKey: 'k', mayRetry: true });
    await take(plain.callId);
    await take(keyed.callId);
    const closeLost = () =>
      db.inTransaction((tx) => closeLostDeferredCalls(tx, { claimedBefore: now + 1, concludedBefore: now, limit: 100 }, now + 1));
    const first = await closeLost();
    expect(first.unknown).toContain(plain.callId);
    expect(first.retried).toEqual([keyed.callId]);
    await take(keyed.callId);
    expect(await closeLost()).toEqual({ unknown: [keyed.callId], retried: [] });
  });
});

describe('a deferred call whose record says that its end is unknown', () => {
  const call = () => ({
    callId: newId('call'),
    identityId: scene.identityId,
    connectionId: scene.connectionId,
    approvalId: null,
    request: { wrappedKey: 'key', sealed: Buffer.from('sealed') },
    idempotencyKey: null,
    mayRetry: false,
    webhookChannel: null,
    expiresAt: now + 3_600_000,
  });
  const record = (callId: string, error: string | null) =>
    db.prisma.call.create({
      data: { id: callId, sessionId: newId('session'), state: 'unknown', error, at: new Date(now), concludedAt: new Date(now) },
    });
  const take = (callId: string) => db.inTransaction((tx) => claimDeferredCall(tx, callId, 'rly_1', now));

  it('is sent where its relay only did not learn that it was kept', async () => {
    const kept = call();
    await db.inTransaction((tx) => createDeferredCall(tx, kept, now));
    await record(kept.callId, 'outcome_unknown');
    expect(await take(kept.callId)).not.toBeNull();
  });

  it('is not sent where it was intended already, and its relay was lost', async () => {
    const kept = call();
    await db.inTransaction((tx) => createDeferredCall(tx, kept, now));
    await record(kept.callId, null);
    expect(await take(kept.callId)).toBeNull();
  });
});

describe('any interleaving on the database', () => {
  it('sends no call without a valid approval, none twice, and keeps every decision', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('claim' as const), call: fc.nat(3) }),
      fc.record({ kind: fc.constant('review' as const), user: fc.constantFrom('ann', 'bob', 'cat'), isYes: fc.boolean() }),
      fc.record({ kind: fc.constantFrom('withdraw' as const, 'void' as const, 'expire' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), fc.integer({ min: 1, max: 2 }), async (steps, quorum) => {
        const digest = Math.floor(Math.random() * 2 ** 48);
        const calls = Array.from({ length: 4 }, () => claimOf(digest, { requirements: [requirement({ quorum })] }));
        const first = await claim(calls[0]!);
        const consumers: string[] = [];
        // All at once: the database decides the order.
        await Promise.all(
          steps.map(async (one) => {
            if (one.kind === 'claim') {
              const call = calls[one.call]!;
              const result = await claim({ ...call, approvalId: first.approvalId });
              if (result.isConsumed) consumers.push(call.callId);
            } else if (one.kind === 'review') {
              await apply(first.approvalId, review(digest, one.isYes ? 'approve' : 'deny', { ...ann, user: one.user })).catch(
                () => undefined,
              );
            } else if (one.kind === 'withdraw') {
              await apply(first.approvalId, { type: 'withdraw', identityId: scene.identityId, reason: 'x' });
            } else if (one.kind === 'void') {
              await apply(first.approvalId, { type: 'void', reason: 'x' });
            } else {
              await db.inTransaction((tx) => expireApproval(tx, first.approvalId, now));
            }
          }),
        );
        const approval = (await readApproval(db.prisma, first.approvalId))!;
        const yes = approval.reviews.filter((one) => one.decision === 'approve').length;
        expect(new Set(consumers).size).toBeLessThanOrEqual(1);
        if (consumers.length > 0) {
          expect(approval).toMatchObject({ state: 'consumed', consumedBy: consumers[0] });
          expect(yes).toBeGreaterThanOrEqual(quorum);
          expect(approval.reviews.every((one) => one.decision === 'approve')).toBe(true);
        } else {
          expect(approval.state).not.toBe('consumed');
        }
        if (approval.reviews.some((one) => one.decision === 'deny')) expect(approval.state).toBe('denied');
      }),
      { numRuns: 40 },
    );
  });
});
