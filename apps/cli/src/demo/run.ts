/** The demonstration: a function calls a payments API through Hoop and never holds its key. */
import { setTimeout as delay } from 'node:timers/promises';

import { ApiError, createClient, type Client } from '@hoop/client';
import type { CallResource, SessionResource } from '@hoop/contract';

import { answerWithinMs } from '../investigate/admin-api.ts';
import { playApprover } from './approver.ts';
import { checkDemo, recordedCalls } from './checks.ts';
import { runFunction } from './function.ts';
import type { DemoServices } from './services.ts';
import { functionName, type DemoSettings } from './settings.ts';
import { setUpDemo } from './set-up.ts';
import type { ReceivedRequest, Transcript } from './transcript.ts';
import { runUnmodified } from './unmodified.ts';

export interface DemoInput {
  readonly api: Client;
  readonly controlPlaneUrl: string;
  readonly relayUrl: string;
  readonly dataDir: string;
  readonly settings: DemoSettings;
  readonly services: DemoServices;
  readonly paymentsClientSecret: string;
  readonly say: (sentence: string) => void;
}

/** Milliseconds in which no further call is recorded or concluded, after which none is waited for. */
const stuckAfterMs = 120_000;

/** The session once all its calls are concluded, or once nothing more comes. */
async function readSession(api: Client, expectedCalls: number): Promise<{ session: SessionResource | null; calls: CallResource[] }> {
  let seen = '';
  for (let changedAt = performance.now(); ;) {
    const { items: sessions } = await api.call('listSessions', { query: { identity: functionName } });
    const session = sessions[0] ?? null;
    const summaries = session === null ? [] : (await api.call('listCalls', { query: { session: session.id } })).items;
    const isComplete = summaries.length >= expectedCalls && summaries.every(({ state }) => state !== 'pending');
    const now = summaries.map(({ id, state }) => `${id} ${state}`).join();
    if (now !== seen) changedAt = performance.now();
    seen = now;
    if (isComplete || performance.now() - changedAt > stuckAfterMs) {
      const calls = await Promise.all(summaries.map(({ id }) => api.call('getCall', { params: { callId: id } })));
      // Read again: it was read before the calls were, and counts them.
      const counted = session === null ? null : await api.call('getSession', { params: { sessionId: session.id } });
      return { session: counted, calls: calls.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
    }
    await delay(50);
  }
}

/** Waits until the relay carries calls. What was just set up reaches it on its stream while the function still starts. */
async function relayReady(relayUrl: string, say: (sentence: string) => void): Promise<void> {
  const deadline = AbortSignal.timeout(stuckAfterMs);
  for (;;) {
    const response = await fetch(`${relayUrl}/-/readyz`, { signal: deadline }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok === true) return;
    if (deadline.aborted) {
      say('The relay does not say that it is ready.');
      return;
    }
    await delay(50);
  }
}

export async function runDemo(input: DemoInput): Promise<Transcript> {
  const { api, services, say } = input;
  const { issuer, paymentsUrl } = services;
  say('Setting up the demonstration through the REST API…');
  const { steps: setUp, approverToken } = await setUpDemo({
    api,
    issuer,
    audience: new URL(input.controlPlaneUrl).origin,
    paymentsUrl,
    paymentsClientSecret: input.paymentsClientSecret,
  });
  await relayReady(input.relayUrl, say);
  say(`Running the function ${functionName}…`);
  const functionEnded = new AbortController();
  const approving = playApprover(
    createClient({ url: input.controlPlaneUrl, token: approverToken, timeoutMs: answerWithinMs }),
    functionEnded.signal,
    say,
  );
  // It is waited for below; until then its failure is nobody's.
  approving.catch(() => undefined);
  const run = await runFunction(input.settings, { controlPlane: input.controlPlaneUrl, payments: paymentsUrl });
  functionEnded.abort();
  const approvals = await approving;
  const { requests: received } = (await (await fetch(`${paymentsUrl}/received`)).json()) as { requests: ReceivedRequest[] };
  const { session, calls } = await readSession(api, recordedCalls);
  const har = session === null ? '' : JSON.stringify(await api.call('exportSessionHar', { params: { sessionId: session.id } }));
  say('Calling the payments API with a client that knows nothing of Hoop…');
  const unmodified = await runUnmodified(input.dataDir, `${paymentsUrl}/v1/customers`);
  const unmodifiedCall = unmodified.call === null ? null : await readCall(api, unmodified.call);
  const checks = checkDemo({
    unmodified,
    unmodifiedCall,
    run,
    received,
    session,
    calls,
    har,
    approvals,
    paymentsClientSecret: input.paymentsClientSecret,
  });
  return {
    ok: checks.every(({ ok }) => ok),
    setUp,
    function: { exitCode: run.exitCode, steps: run.steps },
    approvals,
    paymentsApi: { url: paymentsUrl, received },
    session,
    calls,
    unmodified,
    checks,
  };
}

/** Once it is recorded and concluded, or once it is waited for no longer. */
async function readCall(api: Client, callId: string): Promise<CallResource | null> {
  for (const start = performance.now(); ;) {
    const call = await api.call('getCall', { params: { callId } }).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    });
    if ((call !== null && call.state !== 'pending') || performance.now() - start > stuckAfterMs) return call;
    await delay(50);
  }
}
