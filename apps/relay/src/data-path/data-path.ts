/** The product: what happens to one request, in order. Each step is a file of its own beside this one. */
import { AppError } from '@hoop/contract';

import type { Call } from '../call/call.ts';
import { defer, wantsDeferral } from '../deferred/defer.ts';
import type { Relay } from '../relay.ts';
import { approve } from './approve.ts';
import { authenticate } from './authenticate.ts';
import { fail } from './conclude.ts';
import { obtainCredential } from './credential.ts';
import { decide, inspect, mustSeeBody } from './decide.ts';
import { forward } from './forward.ts';
import { intend } from './intend.ts';
import { read } from './read.ts';
import { resolve } from './resolve.ts';

/**
 * Carries a call to its target, or refuses it. Steps that have nothing to wait for return at once; after each that had,
 * the call may have been ended from outside (`isOver`).
 */
export async function carry(relay: Relay, call: Call): Promise<void> {
  try {
    admit(relay, call);
    read(call); // 1

    const verification = authenticate(relay, call); // 2
    if (verification) await verification;
    if (isOver(call)) return;
    call.marks.authenticated = call.elapsed();

    resolve(relay, call); // 3

    if (mustSeeBody(call)) await inspect(call);
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

    const credential = obtainCredential(relay, call); // 7
    if (credential) await credential;
    if (call.session!.keys === null) await call.session!.opening;
    if (isOver(call)) return;
    call.marks.credential = call.elapsed();

    forward(relay, call); // 8 forward; as the response arrives, 9 mask and 10 conclude
  } catch (error) {
    fail(relay, call, error);
  }
}

const isOver = (call: Call): boolean => call.stage === 'concluded';

function admit(relay: Relay, call: Call): void {
  if (relay.isDraining && call.deferred === null)
    throw new AppError('relay_draining', 'This relay is shutting down. Send the request again.', { headers: { connection: 'close' } });
  if (relay.calls.size > relay.maxCalls) {
    throw new AppError('relay_overloaded', 'This relay has as many calls under way as it takes. Try again shortly.', {
      headers: { 'retry-after': '1' },
    });
  }
}
