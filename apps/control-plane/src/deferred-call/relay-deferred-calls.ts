import {
  AppError,
  claimRelayDeferredCall as claimOperation,
  createRelayDeferredCall as createOperation,
  finishRelayDeferredCall as finishOperation,
  readRelayDeferredCall as readOperation,
  withdrawRelayDeferredCall as withdrawOperation,
  type DeferredCallBody,
} from '@hoop/contract';
import {
  claimDeferredCall,
  createDeferredCall,
  finishDeferredCall,
  readDeferredCall,
  withdrawDeferredCall,
  type DeferredRecord,
  type SealedBlob,
} from '@hoop/database';

import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

/** How long a deferred call and its result are kept. */
const keepMs = 24 * 3_600_000;

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
    await createDeferredCall(tx, { ...body, request: fromWire(body.request), expiresAt: now + keepMs }, now);
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

export const readRelayDeferredCall = route(readOperation, async ({ context, params, query, request }) => {
  const { prisma } = context.database;
  const read = async (): Promise<DeferredRecord> => found(await readDeferredCall(prisma, params.callId, query.identity), 'deferred call');
  const gone = new AbortController();
  request.once('close', () => gone.abort());
  const until = context.now() + query.wait * 1000;
  for (;;) {
    const left = until - context.now();
    const changed = left > 0 ? context.subjectChanges.wait(params.callId, left, gone.signal) : null;
    const record = await read();
    if (changed === null || !isOpen(record) || gone.signal.aborted) {
      gone.abort();
      return { body: toBody(record) };
    }
    await changed;
  }
});

export const withdrawRelayDeferredCall = route(withdrawOperation, async ({ context, params, body }) =>
  context.database.inTransaction(async (tx) => {
    found(await readDeferredCall(tx, params.callId, body.identityId), 'deferred call');
    const isWithdrawn = await withdrawDeferredCall(tx, params.callId, body.identityId, context.now());
    if (!isWithdrawn) throw new AppError('conflict', 'The call was sent already or has ended; it cannot be withdrawn.');
    return { body: toBody(found(await readDeferredCall(tx, params.callId, body.identityId), 'deferred call')) };
  }),
);
