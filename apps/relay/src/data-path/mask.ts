/** Step 9: what the target answers goes through the masker, which also scrubs the injected credential. */
import type { HeaderList } from '@hoop/contract';
import type { Lease } from '@hoop/credentials';
import { compileScrubber, createResponseMasker } from '@hoop/masking';
import type { ResponseMasker, Scrubber } from '@hoop/masking';
import { returnHeaders } from '@hoop/upstream';

import type { Call } from '../call.ts';
import { Delivery } from '../delivery.ts';
import type { Exchange } from '../exchange.ts';
import type { Relay } from '../relay.ts';

const scrubbers = new WeakMap<Lease, Scrubber>();

function scrubberOf(lease: Lease): Scrubber {
  let scrubber = scrubbers.get(lease);
  if (!scrubber) {
    scrubber = compileScrubber(lease.secretValues.reveal());
    scrubbers.set(lease, scrubber);
  }
  return scrubber;
}

/** @throws AppError `unmaskable_response`, `target_invalid_response` where the head shows already that it cannot pass */
export function openResponse(
  relay: Relay,
  call: Call,
  exchange: Exchange,
  response: { status: number; statusText: string; headers: HeaderList },
): ResponseMasker {
  const { settings } = call.connection!.snapshot;
  const { identity, issuer, subject, claims } = call.caller!;
  const masker = createResponseMasker({
    masking: call.compiled!.masking,
    identity: { name: identity.snapshot.name, issuer, subject, claims, labels: identity.snapshot.labels },
    unmaskedContentTypes: settings.unmaskedContentTypes,
    requestMethod: call.request!.method,
    status: response.status,
    headers: returnHeaders(response.headers),
    scrub: call.lease === null ? null : scrubberOf(call.lease),
    sink: exchange,
  });
  call.responseHeaders = masker.headers;
  call.delivery = new Delivery(call, exchange, {
    status: response.status,
    statusText: response.statusText,
    headers: masker.headers,
    isStrict: settings.recording.durability === 'strict',
    idleTimeoutMs: settings.limits.idleTimeoutMs,
  });
  return masker;
}
