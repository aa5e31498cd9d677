/** Step 9: what the target answers goes through the masker, which also scrubs the injected credential. */
import { AppError } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';
import type { Lease } from '@hoop/credentials';
import { compileScrubber, createResponseMasker, requestHeadersForMasking } from '@hoop/masking';
import type { MaskingIdentity, ResponseMasker, Scrubber } from '@hoop/masking';
import { returnHeaders } from '@hoop/upstream';

import type { Call } from '../call/call.ts';
import { Delivery } from '../transfer/delivery.ts';
import type { Exchange, ResponseHead } from '../transfer/exchange.ts';
import type { ResponseSample } from '../discovery/mask-discovery.ts';
import type { Relay } from '../relay.ts';
import { locatedHeaders } from './locate.ts';

const scrubbers = new WeakMap<Lease, Scrubber>();

function scrubberOf(lease: Lease): Scrubber {
  let scrubber = scrubbers.get(lease);
  if (!scrubber) {
    scrubber = compileScrubber(lease.secretValues.reveal());
    scrubbers.set(lease, scrubber);
  }
  return scrubber;
}

/** Values of `Accept-Encoding` that ask for nothing that cannot be undone: a few per kind of client. */
const harmlessCodings = new Set<string>();
const maxHarmlessCodings = 256;

/** The request's headers without what asks for an answer that could be neither masked nor scrubbed: ranges, unknown codings. */
export function answerableHeaders(call: Call, headers: HeaderList): HeaderList {
  const { masking, lease } = call;
  if (masking === null && lease === null) return headers;
  const codings = headers.find(([name]) => name === 'accept-encoding')?.[1];
  if (masking === null && (codings === undefined || harmlessCodings.has(codings))) return headers;
  const asked = requestHeadersForMasking(headers, { masking, scrub: lease === null ? null : scrubberOf(lease) });
  const isHarmless =
    codings !== undefined && codings.length <= 200 && asked.some(([name, value]) => name === 'accept-encoding' && value === codings);
  if (isHarmless && harmlessCodings.size < maxHarmlessCodings) harmlessCodings.add(codings);
  return asked;
}

/** @throws AppError `unmaskable_response`, `target_invalid_response` where the head shows already that it cannot pass */
export function openResponse(call: Call, exchange: Exchange, response: ResponseHead): ResponseMasker {
  refuseTransferCodings(response.headers);
  const { settings } = call.connection!.snapshot;
  const masker = createResponseMasker({
    masking: call.masking,
    identity: maskingIdentity(call),
    unmaskedContentTypes: settings.unmaskedContentTypes,
    requestMethod: call.request!.method,
    status: response.status,
    headers: returnHeaders(response.headers),
    scrub: call.lease === null ? null : scrubberOf(call.lease),
    sink: exchange,
    pace: call.caller!.identity.share.lane,
  });
  call.responseHeaders = masker.headers;
  const headers = locatedHeaders(call, response.status, masker);
  const { id: callId, res } = call;
  call.delivery = new Delivery({ res, callId, method: call.request!.method }, exchange, {
    status: response.status,
    headers,
    isHeld: masker.refusal !== null,
    isStrict: settings.recording.durability === 'strict',
    idleTimeoutMs: settings.limits.idleTimeoutMs,
  });
  return masker;
}

/**
 * Only `chunked` is undone by the parser (RFC 9112 §7). The relay sends no `TE`, so that no other transfer coding may
 * come; a body in one could be neither masked nor understood by the function, which does not see the header.
 */
function refuseTransferCodings(headers: HeaderList): void {
  for (const [name, value] of headers) {
    if (name === 'transfer-encoding' && value.trim().toLowerCase() !== 'chunked')
      throw new AppError('target_invalid_response', 'The target sent the response in a transfer coding that was not asked for.');
  }
}

/** Null: discovery does not look at this response. */
export function sampleResponse(relay: Relay, call: Call, status: number, headers: HeaderList): ResponseSample | null {
  const { id, policy } = call.connection!.snapshot;
  return relay.discovery.sample(id, policy!.mask, headers, () => ({ masking: call.masking, identity: maskingIdentity(call), status }));
}

function maskingIdentity(call: Call): MaskingIdentity {
  const { identity, issuer, subject, claims } = call.caller!;
  return { name: identity.snapshot.name, issuer, subject, claims, labels: identity.snapshot.labels };
}
