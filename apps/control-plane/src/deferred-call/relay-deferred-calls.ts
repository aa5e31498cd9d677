import {
  AppError,
  claimRelayDeferredCall as claimOperation,
  createRelayDeferredCall as createOperation,
  finishRelayDeferredCall as finishOperation,
  newId,
  readRelayDeferredCall as readOperation,
  withdrawRelayDeferredCall as withdrawOperation,
  type DeferredCallBody,
} from '@hoop/contract';
import {
  applyToApproval,
  claimDeferredCall,
  createDeferredCall,
  finishDeferredCall,
  insertAuditEvent,
  keepDeferredMs,
  readDeferredCall,
  withdrawDeferredCall,
  type DeferredRecord,
  type SealedBlob,
} from '@hoop/database';

import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

type WireBlob = { wrappedKey: string; sealed: string };
const toWire = (blob: SealedBlob): WireBlob => ({ wrappedKey: blob.wrappedKey, sealed: Buffer.from(blob.sealed).toString('base64') });
const fromWire = (blob: WireBlob): SealedBlob => ({ wrappedKey: blob.wrappedKey, sealed: Buffer.from(blob.sealed, 'base64') });

const toBody = (record: DeferredRecord): DeferredCallBody => ({
  callId: record.callId,
  state: record.state,
  approvalId: record.approvalId,
  status: record.status,
  error: record.error,
  errorDetail: record.errorDetail,
  response: record.response === null ? null : toWire(record.response),
  createdAt: record.createdAt,
  finishedAt: record.finishedAt,
  expiresAt: record.expiresAt,
});

export const createRelayDeferredCall = route(createOperation, async ({ context, body }) =>
  context.database.inTransaction(async (tx) => {
    const now = context.now();
    await createDeferredCall(tx, { ...body, request: fromWire(body.request), expiresAt: now + keepDeferredMs }, now);
    return { body: toBody(found(await readDeferredCall(tx, body.callId, body.identityId), 'deferred call')) };
  }),
);

export const claimRelayDeferredCall = route(claimOperation, async ({ context, params, body }) => {
  const claimed = await context.database.inTransaction((tx) => claimDeferredCall(tx, params.callId, body.relayId, context.now()));
  return {
    body: {
      request: claimed === null ? null : toWire(claimed.request),
      approvalId: claimed?.record.approvalId ?? null,
      identityId: claimed?.record.identityId ?? null,
    },
  };
});

export const finishRelayDeferredCall = route(finishOperation, async ({ context, params, body }) => {
  const { relayId, response, ...result } = body;
  const isAccepted = await context.database.inTransaction((tx) =>
    finishDeferredCall(tx, params.callId, relayId, { ...result, response: response === null ? null : fromWire(response) }, context.now()),
  );
  return { body: { isAccepted } };
});

const isOpen = ({ state }: DeferredRecord): boolean => state === 'waiting' || state === 'ready' || state === 'running';

export const readRelayDeferredCall = route(readOperation, async ({ context, params, query, response }) => {
  const { prisma } = context.database;
  const read = async (): Promise<DeferredRecord> => found(await readDeferredCall(prisma, params.callId, query.identity), 'deferred call');
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const until = context.now() + query.wait * 1000;
  for (;;) {
    const left = until - context.now();
    const changed = left > 0 ? context.subjectChanges.wait(params.callId, left, gone.signal) : null;
    const record = await read();
    if (changed === null || !isOpen(record) || gone.signal.aborted || context.isDraining()) {
      gone.abort();
      return { body: toBody(record) };
    }
    await changed;
  }
});

export const withdrawRelayDeferredCall = route(withdrawOperation, async ({ context, params, body, requestId, remote }) =>
  context.database.inTransaction(async (tx) => {
    const at = new Date(context.now());
    const { callId } = params;
    found(await readDeferredCall(tx, callId, body.identityId), 'deferred call');
    const withdrawn = await withdrawDeferredCall(tx, callId, body.identityId, at.getTime());
    if (withdrawn === null) throw new AppError('conflict', 'The call was sent already or has ended; it cannot be withdrawn.');
    const reason = 'the deferred call was withdrawn by the function';
    // Nobody has to decide about what will not be sent.
    if (withdrawn.approvalId !== null) {
      await applyToApproval(tx, withdrawn.approvalId, { type: 'withdraw', identityId: body.identityId, reason }, at.getTime());
    }
    await insertAuditEvent(tx, {
      id: newId('audit_event', at.getTime()),
      at,
      actor: { id: body.identityId, name: body.identityId, role: 'identity' },
      action: 'deferred_call.withdraw',
      target: { type: 'call', id: callId, name: null },
      change: { after: { approvalId: withdrawn.approvalId } },
      requestId,
      remote,
    });
    return { body: toBody(found(await readDeferredCall(tx, callId, body.identityId), 'deferred call')) };
  }),
);
