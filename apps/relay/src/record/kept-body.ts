/** The request's body as it is recorded: what was sent stays as it was, the record has it masked by the connection's rules. */
import type { HeaderList } from '@hoop/contract';
import { isCoded, maskCodedBody, maskPlainBody } from '@hoop/masking';
import type { MaskBodyInput, MaskedBody } from '@hoop/masking';
import { joinParts } from '@hoop/recording';
import type { BodyCapture } from '@hoop/recording';

import type { Call } from '../call/call.ts';

/** The part of a body that may be kept, and how it was made. */
export interface KeptBody {
  readonly parts: readonly Uint8Array[];
  /** Of all parts. */
  readonly bytes: number;
  /** More passed than is kept. */
  readonly isTruncated: boolean;
  /** Its codings were undone, so that it could be masked. */
  readonly isDecoded: boolean;
  /** The rules could not be applied to all that the recording would have kept. */
  readonly isWithheld: boolean;
}

/** At once; only where codings have to be undone first, in a moment. */
export function keepRequestBody(call: Call, capture: BodyCapture): KeptBody | Promise<KeptBody> {
  if (call.masking === null || capture.keptBytes === 0) return keepAsItIs(capture);
  const { isTruncated } = capture;
  const body = joinParts(capture.keptParts());
  const input = inputOf(call, body);
  if (!isCoded(input.headers)) return keep(maskPlainBody(input), isTruncated, false);
  const maxBytes = call.connection!.snapshot.settings.recording.maxBodyBytes;
  return maskCodedBody({ ...input, maxBytes }).then((masked) => keep(masked, isTruncated, masked !== null && masked.bytes !== body));
}

export const keepAsItIs = (capture: BodyCapture): KeptBody => ({
  parts: capture.keptParts(),
  bytes: capture.keptBytes,
  isTruncated: capture.isTruncated,
  isDecoded: false,
  isWithheld: false,
});

/** Of a body that is cut at the recording limit, what was masked until then is kept: nothing is withheld. */
function keep(masked: MaskedBody | null, isCut: boolean, isDecoded: boolean): KeptBody {
  if (masked === null || (masked.bytes.length === 0 && !masked.isWhole))
    return { parts: [], bytes: 0, isTruncated: true, isDecoded: false, isWithheld: true };
  return {
    parts: [masked.bytes],
    bytes: masked.bytes.length,
    isTruncated: isCut || !masked.isWhole,
    isDecoded,
    isWithheld: !isCut && !masked.isWhole,
  };
}

/** The whole body, masked; null where the rules cannot be applied to all of it. */
export function maskWholeBody(call: Call, body: Uint8Array): Uint8Array | null {
  const masked = maskPlainBody(inputOf(call, body));
  return masked?.isWhole === true ? masked.bytes : null;
}

function inputOf(call: Call, body: Uint8Array): MaskBodyInput {
  const { identity, issuer, subject, claims } = call.caller!;
  const headers: HeaderList = call.request!.headers;
  return {
    masking: call.masking,
    identity: { name: identity.snapshot.name, issuer, subject, claims, labels: identity.snapshot.labels },
    headers,
    body,
  };
}
