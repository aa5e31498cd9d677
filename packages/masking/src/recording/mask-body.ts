/** Bodies and texts that are recorded or shown to approvers: the same engine as for responses. */
import type { HeaderList } from '@hoop/contract';

import { maskRunningText } from '../formats/plain-text.ts';
import { createResponseMasker } from '../response/create-response-masker.ts';
import type { CompiledMasking } from '../rules/compile-masking.ts';
import type { MaskingIdentity } from '../rules/identity-condition.ts';

export interface MaskBodyInput {
  readonly masking: CompiledMasking | null;
  /** Whose exemptions hold; absent: every rule applies. */
  readonly identity?: MaskingIdentity;
  /** Of the request or response: content type and codings are read from here. Lower-case names. */
  readonly headers: HeaderList;
  /** The body, or a prefix of it. */
  readonly body: Uint8Array;
}

/** The masked body (decoded, UTF-8); of one that breaks off, what could be masked; null where it cannot be masked at all. */
export function maskBody(input: MaskBodyInput): Promise<Uint8Array | null> {
  const { masking, identity, body } = input;
  if (masking === null || body.length === 0) return Promise.resolve(body);
  const headers = input.headers.filter(([name]) => name === 'content-type' || name === 'content-encoding');
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    const done = (): void => resolve(join(chunks));
    try {
      const masker = createResponseMasker({
        masking,
        ...(identity === undefined ? {} : { identity }),
        unmaskedContentTypes: [],
        requestMethod: 'POST',
        status: 200,
        headers,
        scrub: null,
        sink: { data: (chunk) => void chunks.push(chunk), end: done, error: done, drain: () => {} },
      });
      masker.write(body);
      masker.end();
    } catch {
      resolve(null);
    }
  });
}

/** A text without a format (a query string, an error, a comment): detectors, patterns, words, and `key=value` by key rules. */
export function maskText(masking: CompiledMasking | null, text: string, identity?: MaskingIdentity): string {
  const engine = masking?.engineFor(identity) ?? null;
  return engine === null ? text : maskRunningText(engine, { maskedCount: 0 }, text);
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
