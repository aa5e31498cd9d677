/** Step 7: the credential, from the lease cache; only now, when the record of the call is durable. */
import type { Call } from '../call/call.ts';
import type { Relay } from '../relay.ts';

/** Undefined where nothing has to be waited for. @throws AppError `credential_unavailable`, `credential_not_openable` */
export function obtainCredential(relay: Relay, call: Call): Promise<void> | undefined {
  const { snapshot } = call.connection!;
  if (snapshot.credential === null) return undefined;
  const lease = relay.leases.peek(snapshot);
  if (lease) {
    call.lease = lease;
    return undefined;
  }
  call.waiting = new AbortController();
  return relay.leases.obtain(snapshot, call.waiting.signal).then((obtained) => {
    call.lease = obtained;
  });
}

const renewEveryMs = 10_000;

/**
 * The target refused the credential: it may have been revoked there, so the next call gets a new one. Not more often
 * than every ten seconds, as a function can have a target answer 401 whenever it likes.
 */
export function renewRefused(relay: Relay, call: Call): void {
  if (call.lease === null) return;
  const { connectionId } = call.lease;
  const now = relay.now();
  if (now - (relay.renewedAt.get(connectionId) ?? Number.NEGATIVE_INFINITY) < renewEveryMs) return;
  relay.renewedAt.set(connectionId, now);
  relay.leases.renew(connectionId);
}
