/** Step 7: the credential, from the lease cache; only now, when the record of the call is durable. */
import type { Call } from '../call.ts';
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
