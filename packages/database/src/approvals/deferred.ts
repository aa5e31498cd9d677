/** Calls that the relay sends later. Every change of state is one conditional UPDATE, so that only one can win. */
import { AppError } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { DeferredCall as Row } from '../generated/client.ts';
import { guardOf } from '../row-signatures/guard.ts';
import { deferredChannel, lockApproval } from './approval.ts';

export type DeferredState = 'waiting' | 'ready' | 'running' | 'done' | 'refused' | 'unknown' | 'expired' | 'withdrawn';

export interface SealedBlob {
  /** Data key wrapped to the relay's key (compact JWE). */
  readonly wrappedKey: string;
  readonly sealed: Uint8Array;
}

export interface DeferredRecord {
  readonly callId: string;
  readonly state: DeferredState;
  readonly identityId: string;
  readonly connectionId: string;
  readonly approvalId: string | null;
  readonly attempts: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly errorDetail: string | null;
  readonly response: SealedBlob | null;
  readonly webhookChannel: string | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
  readonly expiresAt: number;
}

/** How long a deferred call and its result are kept after its end. */
export const keepDeferredMs = 24 * 3_600_000;

const toRecord = (row: Row): DeferredRecord => ({
  callId: row.callId,
  state: row.state as DeferredState,
  identityId: row.identityId,
  connectionId: row.connectionId,
  approvalId: row.approvalId,
  attempts: row.attempts,
  status: row.status,
  error: row.error,
  errorDetail: row.errorDetail,
  response: row.response === null || row.responseKey === null ? null : { wrappedKey: row.responseKey, sealed: row.response },
  webhookChannel: row.webhookChannel,
  createdAt: row.createdAt.getTime(),
  finishedAt: row.finishedAt?.getTime() ?? null,
  expiresAt: row.finishedAt === null ? row.expiresAt.getTime() : row.finishedAt.getTime() + keepDeferredMs,
});

export interface NewDeferredCall {
  readonly callId: string;
  readonly identityId: string;
  readonly connectionId: string;
  /** Null: no approval is needed, the call is ready at once. */
  readonly approvalId: string | null;
  readonly request: SealedBlob;
  readonly idempotencyKey: string | null;
  readonly mayRetry: boolean;
  readonly webhookChannel: string | null;
  readonly expiresAt: number;
}

async function tell(tx: Transaction, callId: string, state: DeferredState): Promise<void> {
  await tx.$executeRaw`SELECT pg_notify(${deferredChannel}, ${JSON.stringify({ id: callId, state })})`;
}

/** Calls of one identity that are kept at a time. */
export const maxOpenDeferredCalls = 1000;

/**
 * Stores the sealed request. Where its approval was given in the meantime, the call is ready at once; where it is stored
 * already, nothing changes. Throws `not_found` and `approval_decided` for an approval that it cannot wait for, and
 * `too_many_approvals`.
 */
export async function createDeferredCall(tx: Transaction, call: NewDeferredCall, now: number): Promise<DeferredState> {
  // A relay asks again where the answer was lost, perhaps while the first question is still under way.
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${call.callId}, 72707373))`;
  const known = await readDeferredCall(tx, call.callId, call.identityId);
  if (known !== null) return known.state;
  const [row] = await tx.$queryRaw<{ count: number }[]>`
    SELECT count(*)::integer AS count FROM (
      SELECT 1 FROM deferred_calls WHERE identity_id = ${call.identityId} AND state IN ('waiting', 'ready', 'running') LIMIT ${maxOpenDeferredCalls}
    ) AS open`;
  if (row!.count >= maxOpenDeferredCalls) {
    throw new AppError(
      'too_many_approvals',
      `${maxOpenDeferredCalls} deferred calls of this identity have not ended yet. Withdraw some, or wait for them.`,
    );
  }
  let state: DeferredState = 'ready';
  if (call.approvalId !== null) {
    const approval = await lockApproval(tx, call.approvalId);
    if (approval === null || approval.identityId !== call.identityId) throw new AppError('not_found', 'There is no such approval.');
    // One that was given before the call was deferred is this call's by now.
    if (approval.state !== 'pending' && approval.state !== 'approved' && approval.consumedBy !== call.callId) {
      throw new AppError('approval_decided', `The approval is already ${approval.state}. Send the call again.`);
    }
    state = approval.state === 'pending' ? 'waiting' : 'ready';
  }
  const data = {
    callId: call.callId,
    identityId: call.identityId,
    connectionId: call.connectionId,
    approvalId: call.approvalId,
    requestKey: call.request.wrappedKey,
    request: Buffer.from(call.request.sealed),
    idempotencyKey: call.idempotencyKey,
    mayRetry: call.mayRetry,
    webhookChannel: call.webhookChannel,
    createdAt: new Date(now),
    expiresAt: new Date(call.expiresAt),
  };
  await tx.deferredCall.create({ data: { ...data, state, signature: guardOf(tx).sign('deferred_call', data) } });
  if (state === 'ready') await tx.outbox.create({ data: { topic: 'deferred.ready', payload: { callId: call.callId } } });
  return state;
}

/**
 * Hands the request to one relay, once. Null where it is not ready (any more), where it was made or changed outside of
 * Hoop, and where its record says that it was sent already: then nobody may send it.
 */
export async function claimDeferredCall(
  tx: Transaction,
  callId: string,
  relayId: string,
  now: number,
): Promise<{ record: DeferredRecord; request: SealedBlob; idempotencyKey: string | null } | null> {
  const known = await tx.deferredCall.findUnique({ where: { callId } });
  if (known === null || !guardOf(tx).isAuthentic('deferred_call', known)) return null;
  if (await wasSent(tx, known)) {
    await giveUp(tx, callId, now);
    return null;
  }
  const claimed = await tx.deferredCall.updateMany({
    where: { callId, state: 'ready' },
    data: { state: 'running', claimedBy: relayId, claimedAt: new Date(now), attempts: { increment: 1 } },
  });
  if (claimed.count === 0) return null;
  const row = await tx.deferredCall.findUniqueOrThrow({ where: { callId } });
  await tell(tx, callId, 'running');
  return { record: toRecord(row), request: { wrappedKey: row.requestKey, sealed: row.request }, idempotencyKey: row.idempotencyKey };
}

/** Whether the record of a call that is marked as ready says that it was sent, and that it must not be sent again. */
async function wasSent(tx: Transaction, row: Row): Promise<boolean> {
  if (row.state !== 'ready') return false;
  const record = await tx.call.findUnique({ where: { id: row.callId }, select: { state: true, error: true } });
  if (record === null) return false;
  // A relay that could not learn whether the call is kept says "unknown" with an error, and sent nothing. A call that was
  // intended and whose relay was lost is closed as unknown without one.
  if (record.state === 'unknown' && record.error !== null) return false;
  const isOver = record.state !== 'pending' && record.state !== 'unknown';
  if (!isOver && row.mayRetry && row.idempotencyKey !== null) return false;
  guardOf(tx).report({
    kind: 'deferred_call',
    id: row.callId,
    detail: `The row ${row.callId} (deferred_call) in the database says that the call is to be sent, and its record says that it was: it was set back outside of Hoop, and the call is not sent again.`,
  });
  return true;
}

/** The function stops waiting for a call that nobody may send, and no relay asks for it again. */
async function giveUp(tx: Transaction, callId: string, now: number): Promise<void> {
  const errorDetail = 'The call was to be sent, and its record says that it was sent already. Look at the record.';
  const given = await tx.deferredCall.updateMany({
    where: { callId, state: 'ready' },
    data: { state: 'unknown', error: 'outcome_unknown', errorDetail, finishedAt: new Date(now) },
  });
  if (given.count === 0) return;
  await tell(tx, callId, 'unknown');
  await tx.outbox.create({ data: { topic: 'deferred.finished', payload: { callId } } });
}

export interface DeferredResult {
  readonly state: 'done' | 'refused' | 'unknown';
  readonly status: number | null;
  readonly error: string | null;
  readonly errorDetail: string | null;
  readonly response: SealedBlob | null;
}

/**
 * The first word counts, and only that of the relay that took the call. One that was given up as unknown is still told
 * what came of it after all. False where the result changes nothing.
 */
export async function finishDeferredCall(
  tx: Transaction,
  callId: string,
  relayId: string,
  result: DeferredResult,
  now: number,
): Promise<boolean> {
  const finished = await tx.deferredCall.updateMany({
    where: { callId, state: { in: ['running', 'unknown'] }, claimedBy: relayId },
    data: {
      state: result.state,
      status: result.status,
      error: result.error,
      errorDetail: result.errorDetail,
      responseKey: result.response?.wrappedKey ?? null,
      response: result.response === null ? null : Buffer.from(result.response.sealed),
      finishedAt: new Date(now),
    },
  });
  if (finished.count === 0) return false;
  await tell(tx, callId, result.state);
  await tx.outbox.create({ data: { topic: 'deferred.finished', payload: { callId } } });
  return true;
}

interface LostCall {
  readonly call_id: string;
  readonly may_retry: boolean;
  readonly attempts: number;
  readonly idempotency_key: string | null;
  readonly is_overdue: boolean;
  /** The state in the call's record; null: no record. */
  readonly state: string | null;
  readonly status: number | null;
  readonly target_status: number | null;
  readonly error: string | null;
  readonly error_detail: string | null;
}

type LostEnd = {
  readonly state: 'unknown' | 'refused';
  readonly status: number | null;
  readonly error: string;
  readonly errorDetail: string;
};

/** Derives the end of a call from its record where the relay has not come back. */
function endOfLost({ state, status, target_status, error, error_detail }: LostCall): LostEnd {
  if (state === 'refused' && error !== null) return { state, status, error, errorDetail: error_detail ?? 'The call was refused.' };
  const isSent = state !== null && state !== 'pending' && state !== 'unknown';
  const errorDetail = isSent
    ? `The call was carried out (${state}${target_status === null ? '' : `, the target answered ${target_status}`}), but its response was lost with the relay.`
    : 'The relay that took the call was lost; whether the target carried it out is not known.';
  return { state: 'unknown', status: null, error: 'outcome_unknown', errorDetail };
}

/**
 * Gives up on calls whose relay has not come back: those that were claimed before `claimedBefore`, and those whose record
 * ended before `concludedBefore` or is unknown already. They show as their record says, or as `unknown`. Only where the
 * caller gave an idempotency key and the rule allows it is one whose record says no more made ready again, once.
 */
export async function closeLostDeferredCalls(
  tx: Transaction,
  { claimedBefore, concludedBefore, limit }: { readonly claimedBefore: number; readonly concludedBefore: number; readonly limit: number },
  now: number,
): Promise<{ unknown: string[]; retried: string[] }> {
  const lost = await tx.$queryRaw<LostCall[]>`
    SELECT d.call_id, d.may_retry, d.attempts, d.idempotency_key, d.claimed_at < ${new Date(claimedBefore)} AS is_overdue,
           c.state, c.status, c.target_status, c.error, c.error_detail
    FROM deferred_calls d LEFT JOIN calls c ON c.id = d.call_id
    WHERE d.state = 'running'
      AND (d.claimed_at < ${new Date(claimedBefore)} OR c.state = 'unknown' OR (c.state <> 'pending' AND c.concluded_at < ${new Date(concludedBefore)}))
    ORDER BY d.call_id LIMIT ${limit} FOR UPDATE OF d SKIP LOCKED`;
  const outcome = { unknown: [] as string[], retried: [] as string[] };
  for (const row of lost) {
    const mayBeRetried =
      row.may_retry &&
      row.idempotency_key !== null &&
      row.attempts < 2 &&
      (row.state === null || row.state === 'pending' || row.state === 'unknown');
    // Its relay may only be slow: nothing is sent again before it surely is not.
    if (mayBeRetried && !row.is_overdue) continue;
    const end = endOfLost(row);
    await tx.deferredCall.update({
      where: { callId: row.call_id },
      data: mayBeRetried ? { state: 'ready', claimedBy: null, claimedAt: null } : { ...end, finishedAt: new Date(now) },
    });
    await tell(tx, row.call_id, mayBeRetried ? 'ready' : end.state);
    await tx.outbox.create({ data: { topic: mayBeRetried ? 'deferred.ready' : 'deferred.finished', payload: { callId: row.call_id } } });
    outcome[mayBeRetried ? 'retried' : 'unknown'].push(row.call_id);
  }
  return outcome;
}

/** Null for an unknown id and for another identity's: the two look the same. */
export async function readDeferredCall(tx: Transaction, callId: string, identityId: string): Promise<DeferredRecord | null> {
  const row = await tx.deferredCall.findFirst({ where: { callId, identityId } });
  return row === null || !guardOf(tx).isAuthentic('deferred_call', row) ? null : toRecord(row);
}

/**
 * Withdraws one that has not been sent. Null where it is too late. `approvalId` is the approval that nobody waits for any
 * more, so far as is known: the call asked for it, and no other deferred call waits.
 */
export async function withdrawDeferredCall(
  tx: Transaction,
  callId: string,
  identityId: string,
  now: number,
): Promise<{ approvalId: string | null } | null> {
  const withdrawn = await tx.deferredCall.updateMany({
    where: { callId, identityId, state: { in: ['waiting', 'ready'] } },
    data: {
      state: 'withdrawn',
      error: 'approval_withdrawn',
      errorDetail: 'withdrawn by the function',
      status: 403,
      finishedAt: new Date(now),
    },
  });
  if (withdrawn.count === 0) return null;
  await tell(tx, callId, 'withdrawn');
  await tx.outbox.create({ data: { topic: 'deferred.finished', payload: { callId } } });
  const [alone] = await tx.$queryRaw<{ id: string }[]>`
    SELECT a.id FROM deferred_calls d JOIN approvals a ON a.id = d.approval_id AND a.call_id = d.call_id
    WHERE d.call_id = ${callId} AND a.state = 'pending'
      AND NOT EXISTS (SELECT 1 FROM deferred_calls o WHERE o.approval_id = a.id AND o.state = 'waiting')`;
  return { approvalId: alone?.id ?? null };
}

/** Deletes those that ended long ago enough; one that waits is kept until its approval ends it. Returns how many. */
export async function purgeDeferredCalls(tx: Transaction, now: number, limit: number): Promise<number> {
  return tx.$executeRaw`
    DELETE FROM deferred_calls WHERE call_id IN (
      SELECT call_id FROM deferred_calls WHERE finished_at <= ${new Date(now - keepDeferredMs)} AND state NOT IN ('waiting', 'ready', 'running')
      ORDER BY finished_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`;
}

/** For the worker, which tells the channel that the call named. */
export async function readDeferredCallForWorker(tx: Transaction, callId: string): Promise<DeferredRecord | null> {
  const row = await tx.deferredCall.findUnique({ where: { callId } });
  return row === null || !guardOf(tx).isAuthentic('deferred_call', row) ? null : toRecord(row);
}

/** Ready calls that nobody took for a while: their job may have been lost. */
export async function stuckReadyCalls(tx: Transaction, createdBefore: number, limit: number): Promise<string[]> {
  const rows = await tx.deferredCall.findMany({
    where: { state: 'ready', createdAt: { lt: new Date(createdBefore) } },
    orderBy: { callId: 'asc' },
    take: limit,
    select: { callId: true },
  });
  return rows.map((row) => row.callId);
}
