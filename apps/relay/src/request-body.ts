/** The request's body as it is recorded: what was sent stays as it was, the record has it masked by the connection's rules. */
import { createResponseMasker } from '@hoop/masking';
import type { BodyCapture } from '@hoop/recording';

import type { Call } from './call.ts';

const nothing = new Uint8Array(0);
const describingHeaders = new Set(['content-type', 'content-encoding']);

/** What may be kept; nothing where the rules cannot be applied to it. */
export function maskRequestBody(call: Call, capture: BodyCapture): Uint8Array {
  const kept = capture.kept();
  const { masking } = call.compiled!;
  if (masking === null || kept.byteLength === 0) return kept;
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
        error: () => undefined,
        drain: () => undefined,
      },
    });
    if (masker.passthrough) return kept;
    masker.write(kept);
    masker.end();
  } catch {
    return nothing;
  }
  return Buffer.concat(chunks);
}
