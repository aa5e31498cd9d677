/**
 * The life of an approval as one pure function: state and event in, next state or a refusal out. The store locks the
 * row, calls it, writes what it returns; so every interleaving is an order of calls to this function.
 */
import { AppError, durationSeconds } from '@hoop/contract';
import type { Approval, ApprovalRequirement, ApprovalValidity, ErrorCode, Review } from '@hoop/contract';

/** The person who acts, as the token says. */
export interface Reviewer {
  readonly user: string;
  readonly groups: readonly string[];
  /** May decide where the rule does not name them, with a reason, in the open. */
  readonly mayBreakGlass: boolean;
}

export type ApprovalEvent =
  | {
      readonly type: 'review';
      readonly reviewer: Reviewer;
      readonly decision: 'approve' | 'deny';
      readonly comment: string | null;
      readonly validity: ApprovalValidity | null;
      readonly via: 'rest' | 'slack';
      /** The digest that the reviewer saw. */
      readonly digest: string;
    }
  | { readonly type: 'break_glass'; readonly reviewer: Reviewer; readonly reason: string; readonly digest: string }
  | { readonly type: 'withdraw'; readonly identityId: string; readonly reason: string }
  | { readonly type: 'void'; readonly reason: string }
  | { readonly type: 'expire' }
  /** A call with this digest wants to go on under a `once` approval. */
  | {
      readonly type: 'consume';
      readonly callId: string;
      readonly digest: string;
      readonly identityId: string;
      readonly policyRevision: number;
    };

export type Transition =
  | { readonly ok: true; readonly approval: Approval; readonly changed: boolean }
  | { readonly ok: false; readonly code: ErrorCode; readonly detail: string };

const refused = (code: ErrorCode, detail: string): Transition => ({ ok: false, code, detail });
const settled = (approval: Approval, changes: Partial<Approval>): Transition => ({
  ok: true,
  approval: { ...approval, ...changes },
  changed: true,
});

/** True where the requirement names this person, directly or through a group. */
export const isNamed = (
  requirement: ApprovalRequirement,
  reviewer: Pick<Reviewer, 'user' | 'groups'>,
  withEscalation: boolean,
): boolean => {
  const named = withEscalation
    ? [...requirement.approval.reviewers, ...(requirement.approval.escalateTo ?? [])]
    : requirement.approval.reviewers;
  return named.includes(`user:${reviewer.user}`) || reviewer.groups.some((group) => named.includes(`group:${group}`));
};

/** The validities that every requirement allows; `once` always is. */
export function allowedValidities(requirements: readonly ApprovalRequirement[]): ApprovalValidity[] {
  const [first, ...rest] = requirements.map((one) => one.approval.validity);
  const common = (first ?? []).filter((validity) => validity !== 'once' && rest.every((list) => list.includes(validity)));
  return ['once', ...common];
}

/** When an approval that is requested at `now` stops being open: the shortest `ttl` of its requirements. */
export const expiryOf = (requirements: readonly ApprovalRequirement[], now: number): number =>
  now + Math.min(...requirements.map((one) => durationSeconds(one.approval.ttl))) * 1000;

/** Whether the second group has been asked by `now`. */
export const hasEscalated = (requirement: ApprovalRequirement, requestedAt: number, now: number): boolean =>
  requirement.approval.escalateTo !== undefined &&
  now >= requestedAt + durationSeconds(requirement.approval.escalateAfter ?? requirement.approval.ttl) * 1000;

/** Approving reviews that count for a requirement: by distinct people whom it names. */
const approvalsFor = (approval: Approval, requirement: ApprovalRequirement): number =>
  new Set(
    approval.reviews
      .filter(
        (review) =>
          review.decision === 'approve' && isNamed(requirement, review, hasEscalated(requirement, approval.requestedAt, review.at)),
      )
      .map((review) => review.user),
  ).size;

export const isQuorate = (approval: Approval): boolean =>
  approval.requirements.every((requirement) => approvalsFor(approval, requirement) >= requirement.approval.quorum);

/** The shortest of the windows that the approvers chose; `once` wins over any. */
function narrowest(validities: readonly (ApprovalValidity | null)[]): ApprovalValidity {
  if (validities.length === 0 || validities.some((one) => one === null || one === 'once')) return 'once';
  return validities.reduce((a, b) => (durationSeconds(a as string) <= durationSeconds(b as string) ? a : b)) as ApprovalValidity;
}

/** Once approved, a `once` approval stays usable for as long as it could wait, so that a late approval is still useful. */
const usableUntil = (approval: Approval, validity: ApprovalValidity, decidedAt: number): number =>
  decidedAt + (validity === 'once' ? approval.expiresAt - approval.requestedAt : durationSeconds(validity) * 1000);

function approved(approval: Approval, validity: ApprovalValidity, reviews: Review[], now: number): Transition {
  return settled(approval, { state: 'approved', validity, usableUntil: usableUntil(approval, validity, now), decidedAt: now, reviews });
}

const validityOf = (reviews: readonly Review[]): ApprovalValidity =>
  narrowest(reviews.filter((one) => one.decision === 'approve').map((one) => one.validity));

/**
 * The approval as its reviews alone prove it: where they do not, one that is marked as approved is pending (denied, where
 * somebody denied it), and one that is marked as used was used by nobody. How long it is good, and for how many calls,
 * follows from the reviews as well. A state that permits nothing stays as it is.
 */
export function asProven(approval: Approval): Approval {
  const { state, reviews } = approval;
  if (state !== 'approved' && state !== 'consumed') return approval;
  const glass = reviews.find((one) => one.via === 'break_glass');
  const isDenied = reviews.some((one) => one.decision === 'deny');
  if (isDenied || (glass === undefined && !isQuorate(approval))) {
    const unproven = { ...approval, validity: null, usableUntil: null, consumedBy: null };
    return { ...unproven, state: state === 'consumed' ? 'consumed' : isDenied ? 'denied' : 'pending' };
  }
  // No review is taken after the one that decides.
  const decidedAt = glass?.at ?? Math.max(...reviews.map((one) => one.at));
  const validity = glass === undefined ? validityOf(reviews) : 'once';
  return { ...approval, decidedAt, validity, usableUntil: usableUntil(approval, validity, decidedAt) };
}

function notPending(approval: Approval, now: number): Transition | null {
  if (approval.state === 'pending' && now < approval.expiresAt) return null;
  if (approval.state === 'pending' || approval.state === 'expired') {
    return refused('approval_expired', 'This approval has expired. The function has to ask again.');
  }
  if (approval.state === 'withdrawn')
    return refused('approval_withdrawn', 'The function withdrew this request; there is nothing to decide.');
  if (approval.state === 'voided') {
    return refused(
      'approval_voided',
      `This request was voided: ${approval.reason ?? 'something it depends on has changed'}. The function has to ask again.`,
    );
  }
  return refused('approval_decided', `This approval is already ${approval.state}.`);
}

function review(approval: Approval, event: Extract<ApprovalEvent, { type: 'review' }>, now: number): Transition {
  const over = notPending(approval, now);
  if (over) return over;
  if (event.digest !== approval.digest) {
    return refused(
      'approval_digest_mismatch',
      'The digest in the review is not the digest of this request. Read the request again, then decide.',
    );
  }
  const { reviewer } = event;
  const concerned = approval.requirements.filter((one) => isNamed(one, reviewer, hasEscalated(one, approval.requestedAt, now)));
  if (concerned.length === 0) {
    return refused('reviewer_not_allowed', `None of the rules names ${reviewer.user} or a group of theirs as a reviewer.`);
  }
  if (reviewer.user === approval.identityOwner && approval.requirements.some((one) => one.approval.fourEyes)) {
    return refused('reviewer_not_allowed', 'The rule asks for four eyes: the owner of the identity cannot review its requests.');
  }
  if (approval.reviews.some((one) => one.user === reviewer.user)) {
    return refused('review_repeated', `${reviewer.user} has reviewed this request already.`);
  }
  if (event.comment === null && concerned.some((one) => one.approval.requireComment)) {
    return refused('review_comment_required', 'The rule asks for a comment with each review.');
  }
  if (event.decision === 'approve' && event.validity !== null && !allowedValidities(approval.requirements).includes(event.validity)) {
    const allowed = allowedValidities(approval.requirements).join(', ');
    return refused('review_validity_refused', `The rule does not let an approver grant ${event.validity}; it allows: ${allowed}.`);
  }
  const { user, groups } = reviewer;
  const one: Review = {
    user,
    groups: [...groups],
    decision: event.decision,
    comment: event.comment,
    validity: event.validity,
    at: now,
    via: event.via,
  };
  const reviews = [...approval.reviews, one];
  if (event.decision === 'deny') {
    return settled(approval, { state: 'denied', decidedAt: now, reason: event.comment ?? `denied by ${user}`, reviews });
  }
  const next = { ...approval, reviews };
  if (!isQuorate(next)) return { ok: true, approval: next, changed: true };
  return approved(next, validityOf(reviews), reviews, now);
}

function breakGlass(approval: Approval, event: Extract<ApprovalEvent, { type: 'break_glass' }>, now: number): Transition {
  const over = notPending(approval, now);
  if (over) return over;
  if (!event.reviewer.mayBreakGlass) return refused('forbidden', 'Breaking glass needs a token with the role break_glass.');
  if (event.digest !== approval.digest) {
    return refused('approval_digest_mismatch', 'The digest is not the digest of this request. Read the request again, then decide.');
  }
  const { user, groups } = event.reviewer;
  const one: Review = {
    user,
    groups: [...groups],
    decision: 'approve',
    comment: event.reason,
    validity: 'once',
    at: now,
    via: 'break_glass',
  };
  return approved(approval, 'once', [...approval.reviews, one], now);
}

function consume(approval: Approval, event: Extract<ApprovalEvent, { type: 'consume' }>, now: number): Transition {
  if (event.identityId !== approval.identityId || event.digest !== approval.digest) {
    return refused('approval_digest_mismatch', 'The approval is for another request.');
  }
  if (event.policyRevision !== approval.policyRevision)
    return refused('approval_voided', 'The policy has changed since the approval was asked for.');
  // The same call may ask again after a lost answer; no other call ever gets a used approval.
  if (approval.state === 'consumed') {
    return approval.consumedBy === event.callId
      ? { ok: true, approval, changed: false }
      : refused('approval_decided', 'The approval was used by another call.');
  }
  if (approval.state === 'denied') return refused('approval_denied', approval.reason ?? 'The approval was denied.');
  if (approval.state === 'pending' && now < approval.expiresAt) return refused('approval_pending', 'Nobody has decided yet.');
  if (approval.state === 'approved' && approval.validity === 'once') {
    if (approval.usableUntil === null || now >= approval.usableUntil)
      return refused('approval_expired', 'The approval was not used in time.');
    return settled(approval, { state: 'consumed', consumedBy: event.callId });
  }
  return notPending(approval, now) ?? refused('approval_decided', `The approval is ${approval.state}.`);
}

/** Applies one event. Never throws for a state that does not allow the event: it says why. */
export function transition(approval: Approval, event: ApprovalEvent, now: number): Transition {
  switch (event.type) {
    case 'review':
      return review(approval, event, now);
    case 'break_glass':
      return breakGlass(approval, event, now);
    case 'consume':
      return consume(approval, event, now);
    case 'withdraw': {
      if (event.identityId !== approval.identityId) return refused('not_found', 'There is no such approval.');
      const isUnused = approval.state === 'pending' || approval.state === 'approved';
      if (isUnused) return settled(approval, { state: 'withdrawn', decidedAt: now, reason: event.reason });
      return { ok: true, approval, changed: false };
    }
    case 'void':
      return approval.state === 'pending' || approval.state === 'approved'
        ? settled(approval, { state: 'voided', reason: event.reason })
        : { ok: true, approval, changed: false };
    case 'expire': {
      const isOver =
        (approval.state === 'pending' && now >= approval.expiresAt) ||
        (approval.state === 'approved' && approval.usableUntil !== null && now >= approval.usableUntil);
      return isOver ? settled(approval, { state: 'expired' }) : { ok: true, approval, changed: false };
    }
  }
}

/** True where a window approval covers a further call of the same identity, connection and rules. */
export function windowCovers(
  approval: Approval,
  call: { identityId: string; connectionId: string; policyRevision: number; rules: readonly string[] },
  now: number,
): boolean {
  return (
    approval.state === 'approved' &&
    approval.validity !== null &&
    approval.validity !== 'once' &&
    approval.usableUntil !== null &&
    now < approval.usableUntil &&
    approval.identityId === call.identityId &&
    approval.connectionId === call.connectionId &&
    approval.policyRevision === call.policyRevision &&
    call.rules.every((rule) => approval.requirements.some((one) => one.rule === rule))
  );
}

/** As the error that an operation throws. */
export const refusalError = (refusal: { code: ErrorCode; detail: string }): AppError => new AppError(refusal.code, refusal.detail);
