/** The request's body as it is recorded: what was sent stays as it was, the record has it masked by the connection's rules. */
import { createResponseMasker } from '@hoop/masking';
import type { BodyCapture } from '@hoop/recording';

import type { Call } from './call.ts';

const nothing = new Uint8Array(0);
const describingHeaders = new Set(['content-type', 'content-encoding']);

/** What may be kept; nothing where the rules cannot be applied to it. */
export function maskRequestBody(call: Call, capture: BodyCapture): Uint8Array {
  const kept = capture.kept();
  return mask(call, kept)?.bytes ?? nothing;
}

/** The whole body, masked; null where the rules cannot be applied to all of it. */
export function maskWholeBody(call: Call, body: Uint8Array): Uint8Array | null {
  const masked = mask(call, body);
  return masked?.isWhole === true ? masked.bytes : null;
}

function mask(call: Call, body: Uint8Array): { bytes: Uint8Array; isWhole: boolean } | null {
  const { masking } = call;
  if (masking === null || body.byteLength === 0) return { bytes: body, isWhole: true };
  let isWhole = true;
  const { identity, issuer, subject, claims } = call.caller!;
  const chunks: Uint8Array[] = [];
  try {
    const masker = createResponseMasker({
      masking,
      identity: { name: identity.snapshot.name, issuer, subject, claims, labels: identity.snapshot.labels },
      unmaskedContentTypes: [],
      requestMethod: 'GET',
      status: 200,
      headers: call.request!.headers.filter(([name]) => describingHeaders.has(name)),
      scrub: null,
      sink: {
        data: (chunk) => void chunks.push(chunk),
        end: () => undefined,
        // Of a body that is cut short at the recording limit, what was masked until then is kept.
        error: () => void (isWhole = false),
        drain: () => undefined,
      },
    });
    if (masker.passthrough) return { bytes: body, isWhole: true };
    masker.write(body);
    masker.end();
  } catch {
    return null;
  }
  return { bytes: Buffer.concat(chunks), isWhole };
}
