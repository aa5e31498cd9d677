/** Calls that the relay sends later. Every change of state is one conditional UPDATE, so that only one can win. */
import { AppError } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { DeferredCall as Row } from '../generated/client.ts';

export const deferredChannel = 'hoop_deferred';

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
  expiresAt: row.expiresAt.getTime(),
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

/** Stores the sealed request. Where its approval was given in the meantime, the call is ready at once. */
export async function createDeferredCall(tx: Transaction, call: NewDeferredCall, now: number): Promise<DeferredState> {
  let state: DeferredState = 'ready';
  if (call.approvalId !== null) {
    const [approval] = await tx.$queryRaw<{ state: string; identity_id: string }[]>`
      SELECT state, identity_id FROM approvals WHERE id = ${call.approvalId} FOR UPDATE`;
    if (!approval || approval.identity_id !== call.identityId) throw new AppError('not_found', 'There is no such approval.');
    if (approval.state !== 'pending' && approval.state !== 'approved') {
      throw new AppError('approval_decided', `The approval is already ${approval.state}. Send the call again.`);
    }
    state = approval.state === 'pending' ? 'waiting' : 'ready';
  }
  await tx.deferredCall.create({
    data: {
      callId: call.callId,
      state,
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
    },
  });
  if (state === 'ready') await tx.outbox.create({ data: { topic: 'deferred.ready', payload: { callId: call.callId } } });
  return state;
}

/** Hands the request to one relay, once. Null where it is not ready (any more): then nobody may send it. */
export async function claimDeferredCall(
  tx: Transaction,
  callId: string,
  relayId: string,
  now: number,
): Promise<{ record: DeferredRecord; request: SealedBlob; idempotencyKey: string | null } | null> {
  const claimed = await tx.deferredCall.updateMany({
    where: { callId, state: 'ready' },
    data: { state: 'running', claimedBy: relayId, claimedAt: new Date(now), attempts: { increment: 1 } },
  });
  if (claimed.count === 0) return null;
  const row = await tx.deferredCall.findUniqueOrThrow({ where: { callId } });
  await tell(tx, callId, 'running');
  return { record: toRecord(row), request: { wrappedKey: row.requestKey, sealed: row.request }, idempotencyKey: row.idempotencyKey };
}

export interface DeferredResult {
  readonly state: 'done' | 'refused' | 'unknown';
  readonly status: number | null;
  readonly error: string | null;
  readonly errorDetail: string | null;
  readonly response: SealedBlob | null;
}

/** False where the call is not running: it was given up as unknown, and what came later changes nothing. */
export async function finishDeferredCall(tx: Transaction, callId: string, relayId: string, result: DeferredResult, now: number): Promise<boolean> {
  const finished = await tx.deferredCall.updateMany({
    where: { callId, state: 'running', claimedBy: relayId },
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

/**
 * Gives up on calls whose relay has not come back: they show as `unknown`. Only where the caller gave an idempotency
 * key and the rule allows it is one made ready again, once.
 */
export async function closeLostDeferredCalls(tx: Transaction, claimedBefore: number, limit: number, now: number): Promise<{ unknown: string[]; retried: string[] }> {
  const lost = await tx.$queryRaw<{ call_id: string; may_retry: boolean; attempts: number; idempotency_key: string | null }[]>`
    SELECT call_id, may_retry, attempts, idempotency_key FROM deferred_calls
    WHERE state = 'running' AND claimed_at < ${new Date(claimedBefore)}
    ORDER BY call_id LIMIT ${limit} FOR UPDATE SKIP LOCKED`;
  const outcome = { unknown: [] as string[], retried: [] as string[] };
  for (const row of lost) {
    const isRetried = row.may_retry && row.idempotency_key !== null && row.attempts < 2;
    const state = isRetried ? 'ready' : 'unknown';
    await tx.deferredCall.update({
      where: { callId: row.call_id },
      data: isRetried ? { state, claimedBy: null, claimedAt: null } : { state, error: 'outcome_unknown', finishedAt: new Date(now) },
    });
    await tell(tx, row.call_id, state);
    await tx.outbox.create({ data: { topic: isRetried ? 'deferred.ready' : 'deferred.finished', payload: { callId: row.call_id } } });
    outcome[isRetried ? 'retried' : 'unknown'].push(row.call_id);
  }
  return outcome;
}

/** Null for an unknown id and for another identity's: the two look the same. */
export async function readDeferredCall(tx: Transaction, callId: string, identityId: string): Promise<DeferredRecord | null> {
  const row = await tx.deferredCall.findFirst({ where: { callId, identityId } });
  return row === null ? null : toRecord(row);
}

/** Withdraws one that has not been sent. False where it is too late. */
export async function withdrawDeferredCall(tx: Transaction, callId: string, identityId: string, now: number): Promise<boolean> {
  const withdrawn = await tx.deferredCall.updateMany({
    where: { callId, identityId, state: { in: ['waiting', 'ready'] } },
    data: { state: 'withdrawn', error: 'approval_withdrawn', finishedAt: new Date(now) },
  });
  if (withdrawn.count > 0) await tell(tx, callId, 'withdrawn');
  return withdrawn.count > 0;
}

/** Deletes requests and results that are past their time. Returns how many. */
export async function purgeDeferredCalls(tx: Transaction, now: number, limit: number): Promise<number> {
  return tx.$executeRaw`
    DELETE FROM deferred_calls WHERE call_id IN (
      SELECT call_id FROM deferred_calls WHERE expires_at <= ${new Date(now)} AND state NOT IN ('running') ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`;
}

/** For the worker, which tells the channel that the call named. */
export async function readDeferredCallForWorker(tx: Transaction, callId: string): Promise<DeferredRecord | null> {
  const row = await tx.deferredCall.findUnique({ where: { callId } });
  return row === null ? null : toRecord(row);
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
