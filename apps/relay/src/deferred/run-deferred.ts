/**
 * Sends a deferred call: claims it (only one relay ever gets it), opens it, and puts it through this relay's own data
 * path over loopback, so that it passes the same ten steps as any call, under the policy of now.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { headers as names, sentStatus } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';
import { request } from 'undici';

import type { Relay } from '../relay.ts';
import type { DeferredRun } from './deferred-run.ts';
import { deferredRequestSchema, openForRelays, sealForRelays } from './sealed-request.ts';
import type { DeferredRequest, DeferredResponse } from './sealed-request.ts';

/** The longest masked response that is kept for collection, bytes. */
const maxKeptBytes = 8_388_608;
/** Longer than any connection's own limits. */
const maxRunMs = 600_000;

interface Sent {
  readonly response: DeferredResponse;
  readonly error: string | null;
  /** The relay refused the call before a target could have got it. */
  readonly isRefused: boolean;
  readonly isTooLarge: boolean;
}

export async function runDeferred(relay: Relay, callId: string): Promise<void> {
  // Once claimed it is sent or refused for good, so what will pass is waited for before: the queue tries again.
  if (relay.isDraining || relay.snapshots.ageMs() > relay.snapshotMaxAgeMs) throw new Error('This relay cannot carry calls now.');
  const claimed = await relay.controlPlane.claimDeferredCall(callId, relay.id);
  // Somebody else has it, or it ended: then it is not ours to send.
  if (claimed.request === null) return;
  let stored: DeferredRequest;
  try {
    stored = deferredRequestSchema.parse(await openForRelays(relay.sealingKeys, callId, 'deferred-request', claimed.request));
  } catch (error) {
    relay.log.error({ event: 'deferred_not_openable', callId, error: String(error) }, 'a deferred request cannot be opened');
    await finish(relay, callId, {
      state: 'refused',
      status: 503,
      error: 'credential_not_openable',
      errorDetail: 'The stored request cannot be opened by this relay.',
      response: null,
    });
    return;
  }
  const token = randomBytes(32).toString('base64url');
  const run: DeferredRun = { callId, approvalId: claimed.approvalId, caller: stored.caller };
  relay.deferredRuns.set(token, run);
  try {
    await report(relay, callId, await send(relay, token, stored));
  } catch (error) {
    // Whether a target got it cannot be known here; the record says it.
    relay.log.error({ event: 'deferred_failed', callId, error: String(error) }, 'a deferred call did not come to an end');
    await finish(relay, callId, {
      state: 'unknown',
      status: sentStatus,
      error: 'outcome_unknown',
      errorDetail: 'The relay did not see the end of the call.',
      response: null,
    });
  } finally {
    relay.deferredRuns.delete(token);
  }
}

async function send(relay: Relay, token: string, stored: DeferredRequest): Promise<Sent> {
  const body = Buffer.from(stored.body, 'base64');
  const {
    statusCode,
    headers,
    body: stream,
  } = await request(`http://127.0.0.1:${relay.loopbackPort}${stored.target}`, {
    method: stored.method as 'POST',
    headers: [...stored.headers.flat(), names.deferred, token],
    body: body.length > 0 ? body : null,
    headersTimeout: maxRunMs,
    bodyTimeout: maxRunMs,
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxKeptBytes) chunks.push(chunk);
  }
  const isTooLarge = bytes > maxKeptBytes;
  const list: HeaderList = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, one]),
  );
  const error = list.find(([name]) => name === names.error)?.[1] ?? null;
  const kept = list.filter(([name]) => name !== 'connection' && name !== 'keep-alive' && name !== 'transfer-encoding' && name !== 'date');
  return {
    response: { version: 1, status: statusCode, headers: kept, body: isTooLarge ? '' : Buffer.concat(chunks).toString('base64') },
    error,
    isRefused: error !== null && !list.some(([name]) => name === names.sent),
    isTooLarge,
  };
}

async function report(relay: Relay, callId: string, { response, error, isRefused, isTooLarge }: Sent): Promise<void> {
  if (isTooLarge) {
    const errorDetail = `The call was carried out, but its response is larger than the ${maxKeptBytes} bytes that are kept for collection.`;
    await finish(relay, callId, { state: 'done', status: response.status, error: 'response_too_large', errorDetail, response: null });
    return;
  }
  await finish(relay, callId, {
    state: isRefused ? 'refused' : 'done',
    status: response.status,
    error,
    errorDetail: null,
    response: await sealForRelays(relay.sealingKeys, callId, 'deferred-response', response),
  });
}

type Result = Omit<Parameters<Relay['controlPlane']['finishDeferredCall']>[1], 'relayId'>;

/** Tries for a while: a control plane that restarts must not make a known outcome unknown. */
async function finish(relay: Relay, callId: string, result: Result): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const isAccepted = await relay.controlPlane.finishDeferredCall(callId, { relayId: relay.id, ...result });
      if (!isAccepted) relay.log.warn({ event: 'deferred_late', callId }, 'the result of a deferred call came after it was given up');
      return;
    } catch (error) {
      if (attempt === 8) {
        relay.log.error(
          { event: 'deferred_result_lost', callId, error: String(error) },
          'the result of a deferred call could not be stored',
        );
        return;
      }
      await delay(Math.min(250 * 2 ** attempt, 5_000));
    }
  }
}
