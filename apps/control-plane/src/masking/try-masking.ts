import { AppError, tryMasking as operation } from '@hoop/contract';
import { findIdentity } from '@hoop/database';
import { compileMasking, createResponseMasker, describeRule, type MaskingIdentity } from '@hoop/masking';
import { compileIdentityCondition } from '@hoop/policy';

import { referred } from '../http/found.ts';
import { route } from '../http/route.ts';

/** The very masker of the relay, over a sample that stays in memory. */
export const tryMasking = route(operation, async ({ context, body }) => {
  const { rules, contentType, sample } = body;
  const masking = compileMasking(rules, { compileCondition: compileIdentityCondition });
  const identity =
    body.identity === undefined
      ? undefined
      : referred(await findIdentity(context.database.prisma, body.identity), 'identity', 'identity', body.identity);
  const asSeen: MaskingIdentity | undefined =
    identity === undefined ? undefined : { name: identity.name, issuer: '', subject: '', claims: {}, labels: identity.labels };

  const { after, blocked, maskedCount, hiddenValues } = mask(masking, asSeen, contentType, Buffer.from(sample));
  const explained = rules.map((rule, index) => ({ index, explanation: describeRule(rule) }));
  return { body: { before: sample, after: after?.toString('utf8') ?? null, blocked, maskedCount, hiddenValues, rules: explained } };
});

interface Masked {
  readonly after: Buffer | null;
  readonly blocked: { readonly code: string; readonly detail: string } | null;
  readonly maskedCount: number;
  readonly hiddenValues: number;
}

function mask(
  masking: ReturnType<typeof compileMasking>,
  identity: MaskingIdentity | undefined,
  contentType: string,
  sample: Buffer,
): Masked {
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
      ? { after: Buffer.concat(chunks), blocked: null, maskedCount, hiddenValues }
      : { ...blockedBy(failure), maskedCount, hiddenValues };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...blockedBy(error), maskedCount: 0, hiddenValues: 0 };
  }
}

const blockedBy = ({ code, detail }: AppError) => ({ after: null, blocked: { code, detail } });
