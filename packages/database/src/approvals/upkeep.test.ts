/** The upkeep of approvals when processes die, somebody floods them, or time passes. */
import { newId } from '@hoop/contract';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { claimOf as claimInScene, createApprovalScene, origin } from '../../test/approval-scene.ts';
import type { ApprovalScene } from '../../test/approval-scene.ts';
import { sampleCall } from '../../test/sample-entries.ts';
import type { Database } from '../database.ts';
import { purgeRevokedGrants } from '../grant/store.ts';
import { purgeDeliveries, createChannel, createDeliveries, recordAttempt, takeDelivery } from '../notifications/index.ts';
import { recordEntries } from '../records/index.ts';
import { insertSecurityEvent, purgeSecurityEvents } from '../security-event/store.ts';
import { readSnapshot } from '../snapshot/read-snapshot.ts';
import { leaveTombstone, nextRevision, purgeTombstones } from '../snapshot/revision.ts';
import {
  applyToApproval,
  claimApproval,
  claimDeferredCall,
  closeBreakGlassReview,
  closeLostDeferredCalls,
  createDeferredCall,
  finishDeferredCall,
  escalateReviewers,
  maxPendingApprovals,
  overdueEscalations,
  purgeApprovals,
  purgeDeferredCalls,
  readApproval,
  readDeferredCall,
  recordLostConsumptions,
  voidApprovals,
  withdrawDeferredCall,
} from './index.ts';
import type { ApprovalClaim } from './index.ts';
import { openSignedDatabase, signAll } from '../../test/row-keys.ts';

const now = Date.UTC(2026, 10, 24, 12);
const dayMs = 86_400_000;
const ann = { user: 'ann', groups: ['payments'], mayBreakGlass: true };

let database: TestDatabase;
let db: Database;
let scene: ApprovalScene;
let digests = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openSignedDatabase(database.url);
});
afterAll(async () => {
  await db.close();
  await database.drop();
});
beforeEach(async () => {
  scene = await createApprovalScene(db, now);
});

const claim = (one: ApprovalClaim, at = now) => db.inTransaction((tx) => claimApproval(tx, one, at, origin));
const apply = (id: string, event: Parameters<typeof applyToApproval>[2], at = now) =>
  db.inTransaction((tx) => applyToApproval(tx, id, event, at));
const approve = (one: ApprovalClaim) =>
  apply(one.newApprovalId, {
    type: 'review',
    reviewer: ann,
    decision: 'approve',
    comment: null,
    validity: null,
    via: 'rest',
    digest: one.digest,
  });
async function asked(changes: Partial<ApprovalClaim> = {}, at = now): Promise<ApprovalClaim> {
  const one = claimInScene(scene, ++digests, { newApprovalId: newId('approval', at), ...changes });
  await claim(one, at);
  return one;
}
async function used(): Promise<ApprovalClaim> {
  const one = await asked();
  await approve(one);
  await claim(one);
  return one;
}
const of = ({ callId, sessionId }: { callId: string; sessionId: string }) => ({ sessionId, head: { callId }, outcome: { callId } });
const blob = { wrappedKey: 'key', sealed: Buffer.from('sealed') };
const defer = async (approvalId: string | null, changes: object = {}): Promise<string> => {
  const call = {
    callId: newId('call'),
    identityId: scene.identityId,
    connectionId: scene.connectionId,
    approvalId,
    request: blob,
    idempotencyKey: null,
    mayRetry: false,
    webhookChannel: null,
    expiresAt: now + dayMs,
    ...changes,
  };
  await db.inTransaction((tx) => createDeferredCall(tx, call, now));
  return call.callId;
};
const deferredState = async (callId: string) => readDeferredCall(db.prisma, callId, scene.identityId);
const stateOf = async (callId: string): Promise<string | undefined> => (await db.prisma.call.findUnique({ where: { id: callId } }))?.state;

describe('an approval that was used by a call without a record', () => {
  it('puts the call into the record as unknown, after the time that a record may take, once', async () => {
    const one = await used();
    await recordLostConsumptions(db.pool, now, 100);
    expect(await stateOf(one.callId)).toBeUndefined();
    expect((await recordLostConsumptions(db.pool, now + 1, 100)).lost).toEqual([one.newApprovalId]);
    const call = await db.prisma.call.findUniqueOrThrow({ where: { id: one.callId } });
    expect(call).toMatchObject({
      state: 'unknown',
      approvalId: one.newApprovalId,
      identityId: scene.identityId,
      path: '/v1/refunds',
      error: 'outcome_unknown',
    });
    expect(await recordLostConsumptions(db.pool, now + 1, 100)).toEqual({ looked: 0, lost: [] });
  });

  it('lets what the relay says after all replace it, and touches nothing of a call that is there', async () => {
    const one = await used();
    await recordLostConsumptions(db.pool, now + 1, 100);
    const { intent, outcome } = sampleCall(of(one));
    await recordEntries(db.pool, [intent, outcome]);
    expect(await stateOf(one.callId)).toBe('completed');

    const known = await used();
    const entries = sampleCall(of(known));
    await recordEntries(db.pool, [entries.intent, entries.outcome]);
    expect(await recordLostConsumptions(db.pool, now + 1, 100)).toEqual({ looked: 1, lost: [] });
    expect(await stateOf(known.callId)).toBe('completed');
  });
});

describe('a flood of requests', () => {
  it('is stopped at a limit, and does not hinder that its identity is disabled', async () => {
    const first = await asked();
    const callId = await defer(first.newApprovalId);
    await db.pool.query(
      `INSERT INTO approvals (id, digest, identity_id, identity_name, identity_owner, connection_id, connection_name, policy_id, policy_revision, requirements, rules, reviewers,
                              method, url, path, body_bytes, call_id, session_id, shown_key, shown, requested_at, expires_at)
       SELECT id || n, n::text, identity_id, identity_name, identity_owner, connection_id, connection_name, policy_id, policy_revision, requirements, rules, reviewers,
              method, url, path, body_bytes, call_id, session_id, shown_key, shown, requested_at, expires_at FROM approvals, generate_series(2, 5000) AS n WHERE id = $1`,
      [first.newApprovalId],
    );
    await expect(asked()).rejects.toMatchObject({ code: 'too_many_approvals' });
    expect(maxPendingApprovals).toBeLessThan(5_000);
    const voided = await db.inTransaction((tx) =>
      voidApprovals(tx, { identityId: scene.identityId }, 'the identity was disabled', now + 5),
    );
    expect(voided).toHaveLength(5_000);
    expect(await readApproval(db.prisma, first.newApprovalId)).toMatchObject({ state: 'voided', reason: 'the identity was disabled' });
    expect(await deferredState(callId)).toMatchObject({ state: 'refused', error: 'approval_voided', status: 409, finishedAt: now + 5 });
    expect(await db.prisma.outbox.count({ where: { topic: 'approval.voided' } })).toBeGreaterThanOrEqual(5_000);
    await db.prisma.outbox.deleteMany();
  });
});

describe('whoever has reviewed', () => {
  it('may still break the glass, and not review twice', async () => {
    const one = await asked({
      requirements: [
        {
          rule: 'large refunds',
          approval: { reviewers: ['group:payments'], quorum: 2, ttl: '30m', validity: ['once'], fourEyes: false, requireComment: false },
        },
      ],
    });
    await approve(one);
    await expect(approve(one)).rejects.toMatchObject({ code: 'review_repeated' });
    await apply(one.newApprovalId, { type: 'break_glass', reviewer: ann, reason: 'the house is on fire', digest: one.digest }, now + 1);
    expect(await readApproval(db.prisma, one.newApprovalId)).toMatchObject({
      state: 'approved',
      reviews: [{ via: 'rest' }, { via: 'break_glass' }],
    });
  });
});

it('an approval whose second group was not asked in time is found until it was', async () => {
  const rule = { reviewers: ['group:payments'], quorum: 1, ttl: '30m', validity: ['once'], fourEyes: false, requireComment: false };
  const one = await asked({
    requirements: [{ rule: 'large refunds', approval: { ...rule, escalateTo: ['group:duty'], escalateAfter: '10m' } }],
  });
  await asked();
  const overdue = (at: number): Promise<string[]> => overdueEscalations(db.prisma, at, 1000);
  expect(await overdue(now + 599_999)).toEqual([]);
  expect(await overdue(now + 600_000)).toEqual([one.newApprovalId]);
  await escalateReviewers(db.prisma, one.newApprovalId, ['group:duty']);
  expect(await overdue(now + 600_000)).toEqual([]);
});

describe('a deferred call', () => {
  it('is kept once, however often it has to be asked for', async () => {
    const one = await asked();
    const callId = newId('call');
    for (let n = 0; n < 3; n++) await defer(one.newApprovalId, { callId });
    expect(await db.prisma.deferredCall.count({ where: { callId } })).toBe(1);
  });

  it('is ready at once under an approval that it has used up already', async () => {
    const one = await used();
    const callId = await defer(one.newApprovalId, { callId: one.callId });
    expect(await deferredState(callId)).toMatchObject({ state: 'ready' });
    await expect(defer(one.newApprovalId)).rejects.toMatchObject({ code: 'approval_decided' });
  });

  it('wakes whoever collects it when its approval is given or refused', async () => {
    const heard: string[] = [];
    await db.listen('hoop_deferred', (payload) => payload !== null && heard.push(payload));
    const [yes, no] = [await asked(), await asked()];
    const [ready, refused] = [await defer(yes.newApprovalId), await defer(no.newApprovalId)];
    await approve(yes);
    await apply(no.newApprovalId, {
      type: 'review',
      reviewer: ann,
      decision: 'deny',
      comment: 'no',
      validity: null,
      via: 'rest',
      digest: no.digest,
    });
    await expect
      .poll(() => heard)
      .toEqual(
        [JSON.stringify({ id: ready, state: 'ready' }), JSON.stringify({ id: refused, state: 'refused' })].map((text) =>
          text.replaceAll(',', ', ').replaceAll(':', ' : '),
        ),
      );
  });

  it('takes its approval along when it is withdrawn, unless another one waits for it', async () => {
    const one = await asked();
    const [first, second] = [await defer(one.newApprovalId, { callId: one.callId }), await defer(one.newApprovalId)];
    const withdraw = (callId: string) => db.inTransaction((tx) => withdrawDeferredCall(tx, callId, scene.identityId, now));
    expect(await withdraw(first)).toEqual({ approvalId: null });
    expect(await withdraw(second)).toEqual({ approvalId: null });
    const other = await asked();
    expect(await withdraw(await defer(other.newApprovalId, { callId: other.callId }))).toEqual({ approvalId: other.newApprovalId });
  });

  it('whose relay was lost shows what its record says, and a late word of that relay counts', async () => {
    const [refused, completed, silent, young] = [await defer(null), await defer(null), await defer(null), await defer(null)];
    for (const callId of [refused, completed, silent, young])
      await db.inTransaction((tx) => claimDeferredCall(tx, callId, 'rly_1', callId === young ? now : now - 10_000));
    for (const [callId, state] of [
      [refused, 'refused'],
      [completed, 'completed'],
    ] as const) {
      const { intent, outcome } = sampleCall(of({ callId, sessionId: newId('session') }));
      await recordEntries(db.pool, [intent, { ...outcome, callId, state, error: state === 'refused' ? 'policy_denied' : null }]);
    }
    const bounds = { claimedBefore: now - 5_000, concludedBefore: Date.now() + 60_000, limit: 100 };
    await db.inTransaction((tx) => closeLostDeferredCalls(tx, bounds, now));
    expect(await deferredState(refused)).toMatchObject({ state: 'refused', error: 'policy_denied' });
    expect(await deferredState(completed)).toMatchObject({ state: 'unknown', errorDetail: expect.stringContaining('was carried out') });
    expect(await deferredState(silent)).toMatchObject({ state: 'unknown', errorDetail: expect.stringContaining('not known') });
    expect(await deferredState(young)).toMatchObject({ state: 'running' });
    const late = { state: 'done', status: 200, error: null, errorDetail: null, response: blob } as const;
    const finish = (relayId: string) => db.inTransaction((tx) => finishDeferredCall(tx, silent, relayId, late, now));
    expect(await finish('rly_2')).toBe(false);
    expect(await finish('rly_1')).toBe(true);
    expect(await deferredState(silent)).toMatchObject({ state: 'done' });
  });

  it('is deleted a day after its end, and never while it waits', async () => {
    const one = await asked();
    const [waiting, ended] = [await defer(one.newApprovalId), await defer(null)];
    await db.inTransaction((tx) => withdrawDeferredCall(tx, ended, scene.identityId, now));
    await purgeDeferredCalls(db.prisma, now + dayMs - 1, 100);
    expect(await deferredState(ended)).not.toBeNull();
    await purgeDeferredCalls(db.prisma, now + dayMs, 100);
    expect(await deferredState(ended)).toBeNull();
    await purgeDeferredCalls(db.prisma, now + 100 * dayMs, 100);
    expect(await deferredState(waiting)).toMatchObject({ state: 'waiting' });
  });
});

describe('what is purged', () => {
  const purge = (at: number) => db.inTransaction((tx) => purgeApprovals(tx, at, 100));

  it('is an approval that ended and is older than its connection keeps calls, unless a review or a hold needs it', async () => {
    await db.prisma.connection.update({
      where: { id: scene.connectionId },
      data: { settings: { target: 'https://api.payments.example', recording: { retention: '30d' } } },
    });
    await signAll(db, ['connection', 'legal_hold']);
    const [old, pending, broken] = [await asked(), await asked(), await asked()];
    for (const one of [old, broken])
      await apply(one.newApprovalId, { type: 'break_glass', reviewer: ann, reason: 'the house is on fire', digest: one.digest });
    await apply(old.newApprovalId, { type: 'withdraw', identityId: scene.identityId, reason: 'x' });
    await apply(broken.newApprovalId, { type: 'withdraw', identityId: scene.identityId, reason: 'x' });
    await db.inTransaction((tx) => closeBreakGlassReview(tx, old.newApprovalId, 'bob', 'seen', now));
    const ids = async (): Promise<string[]> =>
      (await db.prisma.approval.findMany({ where: { connectionId: scene.connectionId }, orderBy: { id: 'asc' } })).map((row) => row.id);
    await purge(now + 29 * dayMs);
    expect(await ids()).toHaveLength(3);
    const hold = await db.prisma.legalHold.create({
      data: {
        id: newId('legal_hold'),
        kind: 'connection',
        subjectId: scene.connectionId,
        reason: 'a case',
        placedBy: 'olga',
        placedAt: new Date(now),
      },
    });
    await signAll(db, ['connection', 'legal_hold']);
    await purge(now + 31 * dayMs);
    expect(await ids()).toHaveLength(3);
    await db.prisma.legalHold.update({ where: { id: hold.id }, data: { liftedAt: new Date(now), liftedBy: 'olga' } });
    await signAll(db, ['connection', 'legal_hold']);
    await purge(now + 31 * dayMs);
    expect((await ids()).sort()).toEqual([pending.newApprovalId, broken.newApprovalId].sort());
    await db.inTransaction((tx) => closeBreakGlassReview(tx, broken.newApprovalId, 'bob', 'seen', now));
    await purge(now + 31 * dayMs);
    expect(await ids()).toEqual([pending.newApprovalId]);
  });

  it('are deliveries that are over, security events and revocations of grants that have ended', async () => {
    const id = newId('notification_channel');
    const channel = await createChannel(
      db.prisma,
      {
        id,
        name: id.replaceAll('_', '-'),
        kind: 'webhook',
        url: 'https://hooks.example',
        allowedCidrs: [],
        events: [],
        reviewers: [],
        sealed: '',
        settings: {},
        disabled: false,
      },
      new Date(now),
    );
    const [[over], [open]] = [
      await createDeliveries(db.prisma, 'approval.requested', newId('approval'), [channel], {}, new Date(now)),
      await createDeliveries(db.prisma, 'approval.requested', newId('approval'), [channel], {}, new Date(now)),
    ];
    await recordAttempt(db.prisma, over!, { status: 500, error: 'no', nextAt: null }, new Date(now));
    await purgeDeliveries(db.prisma, new Date(now + dayMs), 100);
    expect((await db.prisma.notificationDelivery.findMany({ where: { channelId: id } })).map((row) => row.id)).toEqual([open]);

    const event = {
      id: newId('security_event', now),
      at: new Date(now),
      kind: 'token_exchange',
      code: 'token_expired',
      detail: 'x',
      verified: false,
      issuer: null,
      subject: null,
      claims: null,
      nearest: null,
      count: 1,
      remote: '',
      requestId: newId('request'),
    } as const;
    await insertSecurityEvent(db.prisma, event);
    expect(await purgeSecurityEvents(db.prisma, new Date(now - 1000), 100)).toBe(0);
    expect(await purgeSecurityEvents(db.prisma, new Date(now + 1000), 100)).toBe(1);

    await db.prisma.revokedGrant.create({
      data: { jti: newId('grant'), exp: now / 1000, revision: 1, revokedBy: 'x', revokedAt: new Date(now) },
    });
    expect(await purgeRevokedGrants(db.prisma, new Date(now))).toBe(0);
    expect(await purgeRevokedGrants(db.prisma, new Date(now + 1000))).toBe(1);
  });

  it('are tombstones, after which a relay that has not heard of them gets everything', async () => {
    const empty = await createTestDatabase();
    const other = openSignedDatabase(empty.url);
    try {
      const revisions: number[] = [];
      for (let n = 0; n < 3; n++) {
        await other.inTransaction(async (tx) => {
          const revision = await nextRevision(tx);
          revisions.push(revision);
          await leaveTombstone(tx, newId('connection'), revision, new Date(n === 2 ? now + dayMs : now));
        });
      }
      const isFull = async (since: number): Promise<boolean> => (await readSnapshot(other, since, new Date(now))).full;
      expect(await isFull(revisions[0]!)).toBe(false);
      // The one that every database begins with goes too.
      await other.prisma.tombstone.update({ where: { id: 'none' }, data: { removedAt: new Date(now) } });
      expect(await purgeTombstones(other.prisma, new Date(now + 1))).toBe(2);
      expect(await isFull(revisions[0]!)).toBe(true);
      // The newest of those that are old enough stays: up to it nothing is missing.
      expect(await isFull(revisions[1]!)).toBe(false);
      expect((await readSnapshot(other, revisions[1]!, new Date(now))).removed).toHaveLength(1);
    } finally {
      await other.close();
      await empty.drop();
    }
  });
});

it('a delivery is taken by one worker at a time, and is due again when that one died', async () => {
  const id = newId('notification_channel');
  const channel = await createChannel(
    db.prisma,
    {
      id,
      name: id.replaceAll('_', '-'),
      kind: 'webhook',
      url: 'https://hooks.example',
      allowedCidrs: [],
      events: [],
      reviewers: [],
      sealed: '',
      settings: {},
      disabled: false,
    },
    new Date(now),
  );
  const [delivery] = await createDeliveries(db.prisma, 'approval.requested', newId('approval'), [channel], {}, new Date(now));
  const take = (at: number) => takeDelivery(db.prisma, delivery!, new Date(at), 60_000);
  const taken = await Promise.all([take(now), take(now), take(now)]);
  expect(taken.filter((one) => one !== null)).toHaveLength(1);
  expect(await take(now + 59_999)).toBeNull();
  expect(await take(now + 60_000)).not.toBeNull();
});
