/** Bodies and texts that are recorded or shown to approvers: the same engine as for responses. */
import type { HeaderList } from '@hoop/contract';

import { createDecoder, parseCodings } from '../decoding/content-decoder.ts';
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

export interface MaskedBody {
  /** In UTF-8 where there are rules. */
  readonly bytes: Uint8Array;
  /** False: it goes only as far as it could be masked, or as the limit. */
  readonly isWhole: boolean;
}

/** Whether codings have to be undone before the body can be masked. */
export const isCoded = (headers: HeaderList): boolean => parseCodings(codingsIn(headers))?.length !== 0;

/** A body without codings, masked at once; null where nothing of it can be masked: its type is not understood, or it is coded. */
export function maskPlainBody({ masking, identity, headers, body }: MaskBodyInput): MaskedBody | null {
  if ((masking?.engineFor(identity) ?? null) === null || body.length === 0) return { bytes: body, isWhole: true };
  if (isCoded(headers)) return null;
  const chunks: Uint8Array[] = [];
  let isWhole = true;
  try {
    const masker = createResponseMasker({
      masking,
      ...(identity === undefined ? {} : { identity }),
      unmaskedContentTypes: [],
      requestMethod: 'POST',
      status: 200,
      headers: headers.filter(([name]) => name === 'content-type'),
      scrub: null,
      sink: {
        data: (chunk) => void chunks.push(chunk),
        end: () => {},
        error: () => void (isWhole = false),
        drain: () => {},
      },
    });
    if (masker.refusal !== null) return null;
    masker.write(body);
    masker.end();
  } catch {
    return null;
  }
  return { bytes: Buffer.concat(chunks), isWhole };
}

/**
 * A body with its codings undone, then masked; null where nothing of it can be. Of one that is cut short, or decodes to
 * more than `maxBytes`, what comes before.
 */
export async function maskCodedBody(input: MaskBodyInput & { readonly maxBytes: number }): Promise<MaskedBody | null> {
  const { masking, identity, headers, body, maxBytes } = input;
  if ((masking?.engineFor(identity) ?? null) === null || body.length === 0) return { bytes: body, isWhole: true };
  const codings = parseCodings(codingsIn(headers));
  if (codings === null) return null;
  const plain = codings.length === 0 ? { bytes: body, isWhole: true } : await decode(codings, body, maxBytes);
  if (plain.bytes.length === 0 && !plain.isWhole) return null;
  const masked = maskPlainBody({ ...input, headers: headers.filter(([name]) => name !== 'content-encoding'), body: plain.bytes });
  return masked && { bytes: masked.bytes, isWhole: plain.isWhole && masked.isWhole };
}

const codingsIn = (headers: HeaderList): string[] => headers.filter(([name]) => name === 'content-encoding').map(([, value]) => value);

/**
 * One coding after the other, so that where an outer one breaks off, all that came before goes through the inner ones.
 * The bytes between two codings may outnumber the decoded ones, but not by much.
 */
async function decode(codings: readonly string[], body: Uint8Array, maxBytes: number): Promise<MaskedBody> {
  let decoded: MaskedBody = { bytes: body, isWhole: true };
  for (const [index, coding] of codings.toReversed().entries()) {
    const isLast = index === codings.length - 1;
    const { bytes, isWhole } = await decodeOne(coding, decoded.bytes, isLast ? maxBytes : 2 * (maxBytes + 1_048_576));
    decoded = { bytes, isWhole: decoded.isWhole && isWhole };
  }
  return decoded;
}

function decodeOne(coding: string, body: Uint8Array, maxBytes: number): Promise<MaskedBody> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let room = maxBytes;
    let isOver = false;
    const over = (isWhole: boolean): void => resolve({ bytes: Buffer.concat(chunks), isWhole });
    const decoder = createDecoder([coding], {
      data(chunk) {
        if (isOver) return true;
        chunks.push(chunk.subarray(0, room));
        isOver = chunk.length > room;
        room -= chunk.length;
        if (!isOver) return true;
        over(false);
        // Not from within the decoder that gave it.
        setImmediate(() => decoder.abort());
        return true;
      },
      end: () => over(true),
      error: () => over(false),
      drain: () => {},
    });
    decoder.write(body);
    decoder.end();
  });
}

/** A text without a format (a query string, an error, a comment): detectors, patterns, words, and `key=value` by key rules. */
export function maskText(masking: CompiledMasking | null, text: string, identity?: MaskingIdentity): string {
  const engine = masking?.engineFor(identity) ?? null;
  return engine === null ? text : maskRunningText(engine, { maskedCount: 0 }, text);
}
