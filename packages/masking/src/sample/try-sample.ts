/** Tries rules on a sample: what an operator sees before saving them. */
import { AppError } from '@hoop/contract';
import type { MaskRule, MaskTrial } from '@hoop/contract';

import { createResponseMasker } from '../response/create-response-masker.ts';
import { compileMasking } from '../rules/compile-masking.ts';
import type { MaskingOptions } from '../rules/compile-masking.ts';
import type { MaskingIdentity } from '../rules/identity-condition.ts';
import { describeRule } from './describe-rule.ts';

export interface SampleOptions extends Pick<MaskingOptions, 'compileCondition'> {
  /** For `unless`; absent: every rule applies. */
  readonly identity?: MaskingIdentity;
  /** @default [] */
  readonly unmaskedContentTypes?: readonly string[];
}

export interface SampleTrial extends MaskTrial {
  /** Values that were hidden whole because to look into them would have cost too much. */
  readonly hiddenValues: number;
}

/**
 * The sample before and after, what each rule alone does to it, and why it would be blocked or cut where it would.
 * Throws `policy_invalid` where a rule is not valid.
 */
export function trySample(rules: readonly MaskRule[], contentType: string, sample: string, options: SampleOptions = {}): SampleTrial {
  compileMasking(rules, options);
  const whole = run(rules, contentType, sample, options);
  return {
    before: sample,
    after: whole.text,
    maskedCount: whole.maskedCount,
    hiddenValues: whole.hiddenValues,
    refused: whole.refused,
    rules: rules.map((rule, index) => ({
      index,
      explanation: describeRule(rule),
      maskedCount: run([rule], contentType, sample, options).maskedCount,
    })),
  };
}

function run(
  rules: readonly MaskRule[],
  contentType: string,
  sample: string,
  options: SampleOptions,
): { text: string; maskedCount: number; hiddenValues: number; refused: string | null } {
  const chunks: Uint8Array[] = [];
  let refused: string | null = null;
  try {
    const masker = createResponseMasker({
      masking: compileMasking(rules, options),
      ...(options.identity === undefined ? {} : { identity: options.identity }),
      unmaskedContentTypes: options.unmaskedContentTypes ?? [],
      requestMethod: 'GET',
      status: 200,
      headers: [['content-type', contentType]],
      scrub: null,
      sink: {
        data: (chunk) => void chunks.push(chunk),
        end: () => {},
        error: (error) => {
          refused = error.detail;
        },
        drain: () => {},
      },
    });
    masker.write(new TextEncoder().encode(sample));
    masker.end();
    return { text: decode(chunks), maskedCount: masker.report.maskedCount, hiddenValues: masker.report.hiddenValues, refused };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'unmaskable_response') throw error;
    return { text: '', maskedCount: 0, hiddenValues: 0, refused: error.detail };
  }
}

function decode(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode();
}
