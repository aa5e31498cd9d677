import type { Approval, ApprovalRequirement } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { allowedValidities, expiryOf, transition, windowCovers } from './transition.ts';
import type { ApprovalEvent, Reviewer } from './transition.ts';

const t0 = Date.UTC(2026, 10, 24);
const digest = 'a'.repeat(64);

const requirement = (changes: Partial<ApprovalRequirement['approval']> = {}, rule = 'large refunds'): ApprovalRequirement => ({
  rule,
  approval: {
    reviewers: ['group:payments'],
    quorum: 1,
    ttl: '30m',
    validity: ['once'],
    fourEyes: false,
    requireComment: false,
    ...changes,
  },
});

const pending = (requirements: ApprovalRequirement[] = [requirement()], changes: Partial<Approval> = {}): Approval => ({
  id: 'apr_1',
  state: 'pending',
  digest,
  identityId: 'idn_1',
  identityOwner: 'olga',
  connectionId: 'con_1',
  policyId: 'pol_1',
  policyRevision: 3,
  requirements,
  requestedAt: t0,
  expiresAt: expiryOf(requirements, t0),
  validity: null,
  usableUntil: null,
  consumedBy: null,
  decidedAt: null,
  reason: null,
  reviews: [],
  ...changes,
});

const person = (user: string, groups: string[] = ['payments'], mayBreakGlass = false): Reviewer => ({ user, groups, mayBreakGlass });
const review = (reviewer: Reviewer, changes: Partial<Extract<ApprovalEvent, { type: 'review' }>> = {}): ApprovalEvent => ({
  type: 'review',
  reviewer,
  decision: 'approve',
  comment: null,
  validity: null,
  via: 'rest',
  digest,
  ...changes,
});
const consume = (callId: string, changes: Partial<Extract<ApprovalEvent, { type: 'consume' }>> = {}): ApprovalEvent => ({
  type: 'consume',
  callId,
  digest,
  identityId: 'idn_1',
  policyRevision: 3,
  ...changes,
});

const after = (approval: Approval, event: ApprovalEvent, now = t0): Approval => {
  const result = transition(approval, event, now);
  if (!result.ok) throw new Error(`${result.code}: ${result.detail}`);
  return result.approval;
};
const refusal = (approval: Approval, event: ApprovalEvent, now = t0): string => {
  const result = transition(approval, event, now);
  return result.ok ? 'accepted' : result.code;
};

describe('a review', () => {
  it('approves once the quorum of distinct, named people is reached', () => {
    const two = pending([requirement({ quorum: 2 })]);
    const first = after(two, review(person('ann')));
    expect(first.state).toBe('pending');
    expect(after(first, review(person('bob'))).state).toBe('approved');
  });

  it('needs every rule that matched to be met', () => {
    const both = pending([requirement(), requirement({ reviewers: ['user:cfo'] }, 'cfo signs')]);
    const first = after(both, review(person('ann')));
    expect(first.state).toBe('pending');
    expect(after(first, review(person('cfo', []))).state).toBe('approved');
  });

  it('denies at the first denial, with its comment as the reason', () => {
    const denied = after(pending([requirement({ quorum: 2 })]), review(person('ann'), { decision: 'deny', comment: 'wrong customer' }));
    expect(denied).toMatchObject({ state: 'denied', reason: 'wrong customer' });
  });

  it.each([
    ['reviewer_not_allowed', pending(), review(person('eve', ['sales']))],
    ['reviewer_not_allowed', pending([requirement({ fourEyes: true })]), review(person('olga'))],
    ['review_comment_required', pending([requirement({ requireComment: true })]), review(person('ann'))],
    ['review_validity_refused', pending(), review(person('ann'), { validity: '10m' })],
    ['approval_digest_mismatch', pending(), review(person('ann'), { digest: 'b'.repeat(64) })],
    ['review_repeated', after(pending([requirement({ quorum: 2 })]), review(person('ann'))), review(person('ann'))],
    ['approval_decided', after(pending(), review(person('ann'))), review(person('bob'))],
    ['approval_withdrawn', after(pending(), { type: 'withdraw', identityId: 'idn_1', reason: 'aborted' }), review(person('ann'))],
    ['approval_voided', after(pending(), { type: 'void', reason: 'the policy changed' }), review(person('ann'))],
    ['forbidden', pending(), { type: 'break_glass', reviewer: person('ann'), reason: 'fire', digest } as ApprovalEvent],
  ])('is refused with %s', (code, approval, event) => {
    expect(refusal(approval, event)).toBe(code);
  });

  it('is accepted a millisecond before the expiry and refused at it', () => {
    const approval = pending();
    expect(refusal(approval, review(person('ann')), approval.expiresAt - 1)).toBe('accepted');
    expect(refusal(approval, review(person('ann')), approval.expiresAt)).toBe('approval_expired');
  });

  it('lets the second group in only after the escalation', () => {
    const escalating = pending([requirement({ escalateTo: ['group:duty'], escalateAfter: '10m' })]);
    const duty = review(person('dora', ['duty']));
    expect(refusal(escalating, duty, t0 + 600_000 - 1)).toBe('reviewer_not_allowed');
    expect(after(escalating, duty, t0 + 600_000).state).toBe('approved');
  });
});

describe('the validity', () => {
  it('is what every rule allows, and the narrowest that the approvers chose', () => {
    const rules = [
      requirement({ validity: ['once', '10m', '1h'], quorum: 2 }),
      requirement({ validity: ['10m', '1h'], quorum: 2 }, 'other'),
    ];
    expect(allowedValidities(rules)).toEqual(['once', '10m', '1h']);
    const approval = after(after(pending(rules), review(person('ann'), { validity: '1h' })), review(person('bob'), { validity: '10m' }));
    expect(approval).toMatchObject({ state: 'approved', validity: '10m', usableUntil: t0 + 600_000 });
  });

  it('covers like calls up to, not at, its end, and no call under another policy revision', () => {
    const approval = after(pending([requirement({ validity: ['10m'] })]), review(person('ann'), { validity: '10m' }));
    const call = { identityId: 'idn_1', connectionId: 'con_1', policyRevision: 3, rules: ['large refunds'] };
    expect(windowCovers(approval, call, t0 + 599_999)).toBe(true);
    expect(windowCovers(approval, call, t0 + 600_000)).toBe(false);
    expect(windowCovers(approval, { ...call, policyRevision: 4 }, t0)).toBe(false);
    expect(windowCovers(approval, { ...call, rules: ['large refunds', 'another'] }, t0)).toBe(false);
    expect(windowCovers(approval, { ...call, identityId: 'idn_2' }, t0)).toBe(false);
  });
});

describe('consumption', () => {
  const approved = after(pending(), review(person('ann')));

  it('gives a once approval to one call, and to the same call again when its answer got lost', () => {
    const used = after(approved, consume('call_1'));
    expect(used).toMatchObject({ state: 'consumed', consumedBy: 'call_1' });
    expect(refusal(used, consume('call_1'))).toBe('accepted');
    expect(refusal(used, consume('call_2'))).toBe('approval_decided');
  });

  it.each([
    ['approval_pending', pending(), consume('call_1'), t0],
    ['approval_digest_mismatch', approved, consume('call_1', { digest: 'c'.repeat(64) }), t0],
    ['approval_digest_mismatch', approved, consume('call_1', { identityId: 'idn_2' }), t0],
    ['approval_voided', approved, consume('call_1', { policyRevision: 4 }), t0],
    ['approval_expired', approved, consume('call_1'), approved.usableUntil!],
    ['approval_expired', pending(), consume('call_1'), pending().expiresAt],
    ['approval_denied', after(pending(), review(person('ann'), { decision: 'deny' })), consume('call_1'), t0],
    ['approval_withdrawn', after(approved, { type: 'withdraw', identityId: 'idn_1', reason: 'aborted' }), consume('call_1'), t0],
    ['approval_voided', after(approved, { type: 'void', reason: 'identity disabled' }), consume('call_1'), t0],
  ])('is refused with %s', (code, approval, event, now) => {
    expect(refusal(approval, event, now)).toBe(code);
  });
});

describe('breaking glass', () => {
  it('approves once, whoever the rule names, and keeps the reason', () => {
    const approval = after(pending([requirement({ quorum: 2, reviewers: ['user:cfo'] })]), {
      type: 'break_glass',
      reviewer: person('ann', [], true),
      reason: 'production is down',
      digest,
    });
    expect(approval).toMatchObject({ state: 'approved', validity: 'once' });
    expect(approval.reviews.at(-1)).toMatchObject({ via: 'break_glass', comment: 'production is down' });
  });
});

describe('any order of events', () => {
  const reviewers = ['ann', 'bob', 'cat', 'olga', 'eve'].map((user) => person(user, user === 'eve' ? [] : ['payments'], user === 'cat'));
  const anyEvent = fc.oneof(
    fc
      .record({
        reviewer: fc.constantFrom(...reviewers),
        decision: fc.constantFrom('approve' as const, 'deny' as const),
        other: fc.boolean(),
      })
      .map(({ reviewer, decision, other }) => review(reviewer, { decision, digest: other ? 'b'.repeat(64) : digest })),
    fc.constantFrom(...reviewers).map((reviewer): ApprovalEvent => ({ type: 'break_glass', reviewer, reason: 'fire', digest })),
    fc
      .record({ callId: fc.constantFrom('call_1', 'call_2', 'call_3'), policyRevision: fc.constantFrom(3, 4) })
      .map(({ callId, policyRevision }) => consume(callId, { policyRevision })),
    fc.constantFrom<ApprovalEvent>(
      { type: 'withdraw', identityId: 'idn_1', reason: 'x' },
      { type: 'withdraw', identityId: 'idn_2', reason: 'x' },
    ),
    fc.constantFrom<ApprovalEvent>({ type: 'void', reason: 'x' }, { type: 'expire' }),
  );

  it('never sends without a valid approval, never twice, and never loses a decision', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.array(fc.tuple(anyEvent, fc.nat(900_000)), { maxLength: 25 }),
        (quorum, fourEyes, events) => {
          let approval = pending([requirement({ quorum, fourEyes })]);
          let now = t0;
          const senders = new Set<string>();
          for (const [event, wait] of events) {
            now += wait;
            const before = approval;
            const result = transition(approval, event, now);
            if (!result.ok) continue;
            approval = result.approval;
            if (event.type === 'consume') {
              senders.add(event.callId);
              const isFirst = before.state !== 'consumed';
              const people = new Set(before.reviews.filter((one) => one.decision === 'approve').map((one) => one.user));
              const hadGlass = before.reviews.some((one) => one.via === 'break_glass');
              if (isFirst) {
                expect(before.state).toBe('approved');
                expect(now).toBeLessThan(before.usableUntil!);
                expect(hadGlass || people.size >= quorum).toBe(true);
                if (fourEyes && !hadGlass) expect(people.has('olga')).toBe(false);
                expect(event.policyRevision).toBe(3);
              }
              expect(before.reviews.some((one) => one.decision === 'deny')).toBe(false);
            }
            // A decision stays; only an unused approval may end otherwise.
            const isFinal = ['denied', 'expired', 'withdrawn', 'voided', 'consumed'].includes(before.state);
            if (isFinal) expect(approval.state).toBe(before.state);
            expect(approval.reviews.slice(0, before.reviews.length)).toEqual(before.reviews);
          }
          expect(senders.size).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
