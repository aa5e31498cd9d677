/** The very masker of the relay, over a sample that stays in memory. */
import { AppError } from '@hoop/contract';
import { createResponseMasker, type CompiledMasking, type MaskingIdentity } from '@hoop/masking';

export interface MaskedSample {
  readonly after: string | null;
  readonly blocked: { readonly code: string; readonly detail: string } | null;
  readonly maskedCount: number;
  readonly hiddenValues: number;
}

export function maskSample(
  masking: CompiledMasking,
  identity: MaskingIdentity | undefined,
  contentType: string,
  sample: Buffer,
): MaskedSample {
  const chunks: Buffer[] = [];
  let failure: AppError | undefined;
  try {
    const masker = createResponseMasker({
      masking,
      ...(identity === undefined ? {} : { identity }),
      unmaskedContentTypes: [],
      requestMethod: 'GET',
      status: 200,
      headers: [['content-type', contentType]],
      scrub: null,
      sink: {
        data: (chunk) => void chunks.push(Buffer.from(chunk)),
        end: () => undefined,
        error: (error) => void (failure = error),
        drain: () => undefined,
      },
    });
    masker.write(sample);
    masker.end();
    const { maskedCount, hiddenValues } = masker.report;
    return failure === undefined
      ? { after: Buffer.concat(chunks).toString('utf8'), blocked: null, maskedCount, hiddenValues }
      : { ...blockedBy(failure), maskedCount, hiddenValues };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...blockedBy(error), maskedCount: 0, hiddenValues: 0 };
  }
}

const blockedBy = ({ code, detail }: AppError) => ({ after: null, blocked: { code, detail } });
