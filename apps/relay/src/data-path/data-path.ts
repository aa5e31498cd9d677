/** The product: what happens to one request, in order. Each step is a file of its own beside this one. */
import type { Call } from '../call/call.ts';
import { admit } from '../caller/admission.ts';
import { defer, wantsDeferral } from '../deferred/defer.ts';
import type { Relay } from '../relay.ts';
import type { ResponseSteps } from '../transfer/exchange.ts';
import { approve } from './approve.ts';
import { authenticate } from './authenticate.ts';
import { conclude, fail } from './conclude.ts';
import { obtainCredential, renewRefused } from './credential.ts';
import { decide } from './decide.ts';
import { forward } from './forward.ts';
import { inspect, mustSeeBody } from './inspect.ts';
import { intend } from './intend.ts';
import { openResponse, sampleResponse } from './mask.ts';
import { read } from './read.ts';
import { resolve } from './resolve.ts';

/** Carries a call to its target, or refuses it. Never rejects. */
export type Carry = (call: Call) => Promise<void>;

/** To be made once per relay: the last steps are handed to every exchange as one object. */
export function createDataPath(relay: Relay): Carry {
  const steps: ResponseSteps = {
    renewCredential: (call) => renewRefused(relay, call),
    mask: openResponse, // 9
    sample: (call, status, headers) => sampleResponse(relay, call, status, headers),
    conclude: (call, trailers) => conclude(relay, call, trailers), // 10
    fail: (call, error) => fail(relay, call, error),
  };
  return (call) => carry(relay, steps, call);
}

/**
 * Steps that have nothing to wait for return at once; after each that had, the call may have been ended from outside
 * (`isOver`).
 */
async function carry(relay: Relay, steps: ResponseSteps, call: Call): Promise<void> {
  try {
    admit(relay, call);
    const { owner } = call;
    const arrival = owner?.lane.step();
    if (arrival) await arrival;
    if (isOver(call)) return;

    read(call); // 1

    const verification = authenticate(relay, call); // 2
    if (verification) await verification;
    if (isOver(call)) return;
    call.marks.authenticated = call.elapsed();
    const { lane } = call.caller!.identity.share;
    const turn = call.owner === owner ? undefined : lane.step();
    if (turn) await turn;
    if (isOver(call)) return;

    resolve(relay, call); // 3

    if (mustSeeBody(call)) await inspect(relay, call);
    if (isOver(call)) return;
    const verdict = decide(relay, call); // 4
    call.marks.decided = call.elapsed();
    if (wantsDeferral(call)) return await defer(relay, call, verdict);

    if (verdict.effect === 'require_approval') {
      await approve(relay, call, verdict); // 5
      if (isOver(call)) return;
      call.marks.approved = call.elapsed();
    }

    await intend(relay, call); // 6
    if (isOver(call)) return;
    call.stage = 'intended';
    call.marks.intended = call.elapsed();
    const nextTurn = lane.step();
    if (nextTurn) await nextTurn;

    const credential = obtainCredential(relay, call); // 7
    if (credential) await credential;
    if (call.session!.keys === null) await call.session!.opening;
    if (isOver(call)) return;
    call.marks.credential = call.elapsed();

    forward(relay, steps, call); // 8; as the response arrives the exchange calls 9 and 10
  } catch (error) {
    fail(relay, call, error);
  }
}

const isOver = (call: Call): boolean => call.stage === 'concluded';
