/** For tests: a body through the masker in chunks of given sizes. */
import type { HeaderList, MaskRule } from '@hoop/contract';
import { maskRuleSchema } from '@hoop/contract';
import type { AppError } from '@hoop/contract';

import { compileMasking } from '../rules/compile-masking.ts';
import { createResponseMasker } from '../response/create-response-masker.ts';
import type { ResponseMaskerInput } from '../response/response-masker.ts';
import type { MaskingIdentity } from '../rules/identity-condition.ts';
import type { MaskingReport } from '../response/response-masker.ts';

export type RuleInput = Partial<Record<'path' | 'key' | 'detect' | 'pattern' | 'unless', string>> & {
  action?: MaskRule['action'];
  words?: string[];
};

export const rulesOf = (rules: readonly RuleInput[]): MaskRule[] => rules.map((rule) => maskRuleSchema.parse(rule));

/** `identity.name == "x"` and the like: what is compiled for the product is @hoop/policy's to test. */
export function compileCondition(expression: string): (identity: MaskingIdentity) => boolean {
  const parts = /^identity((?:\.\w+)+) == "([^"]*)"$/.exec(expression);
  if (parts === null) throw new Error('the condition is not valid');
  const members = parts[1]!.split('.').slice(1);
  return (identity) => members.reduce<unknown>((value, member) => (value as Record<string, unknown>)[member], identity) === parts[2];
}

export const hashKey: Uint8Array = new Uint8Array(32).fill(7);

export interface RunInput extends Partial<Omit<ResponseMaskerInput, 'sink' | 'masking'>> {
  readonly rules?: readonly RuleInput[];
  readonly type?: string;
  readonly body: string | Uint8Array;
  /** Sizes of the chunks, used in turn. @default all in one */
  readonly chunks?: readonly number[];
  readonly trailers?: HeaderList;
}

export interface RunResult {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly headers: HeaderList;
  readonly trailers: HeaderList | null;
  readonly error: AppError | null;
  readonly report: MaskingReport;
  readonly passthrough: boolean;
  /** Bytes that were out after each chunk. */
  readonly progress: readonly number[];
}

/** Resolves when the masker has ended or cut. Throws what `createResponseMasker` throws. */
export function runMasker(run: RunInput): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const { promise, start } = prepare(run);
    promise.then(resolve, reject);
    start();
  });
}

function prepare(run: RunInput): { promise: Promise<RunResult>; start(): void } {
  const bytes = typeof run.body === 'string' ? new TextEncoder().encode(run.body) : run.body;
  const out: Uint8Array[] = [];
  const progress: number[] = [];
  let settle: (trailers: HeaderList | null, error: AppError | null) => void = () => {};
  let drained: () => void = () => {};
  const masker = createResponseMasker({
    masking: run.rules === undefined ? null : compileMasking(rulesOf(run.rules), { hashKey, compileCondition }),
    unmaskedContentTypes: run.unmaskedContentTypes ?? [],
    requestMethod: run.requestMethod ?? 'GET',
    status: run.status ?? 200,
    headers: run.headers ?? [['content-type', run.type ?? 'application/json']],
    scrub: run.scrub ?? null,
    ...(run.identity === undefined ? {} : { identity: run.identity }),
    ...(run.observer === undefined ? {} : { observer: run.observer }),
    sink: {
      data: (chunk) => {
        out.push(chunk);
      },
      end: (trailers) => settle(trailers, null),
      error: (error) => settle(null, error),
      drain: () => drained(),
    },
  });
  const promise = new Promise<RunResult>((resolve) => {
    settle = (trailers, error) => {
      const whole = Buffer.concat(out);
      resolve({
        text: whole.toString(),
        bytes: whole,
        headers: masker.headers,
        trailers,
        error,
        report: masker.report,
        passthrough: masker.passthrough,
        progress,
      });
    };
  });
  const start = async (): Promise<void> => {
    const sizes = run.chunks ?? [Math.max(1, bytes.length)];
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = Math.max(1, sizes[turn % sizes.length]!);
      // a copy of its own, so that memory that the masker kept would show
      const chunk = bytes.slice(at, at + size);
      if (!masker.write(chunk)) await new Promise<void>((resolve) => (drained = resolve));
      progress.push(masker.report.releasedBytes);
      at += size;
    }
    masker.end(run.trailers);
  };
  return { promise, start: () => void start() };
}
