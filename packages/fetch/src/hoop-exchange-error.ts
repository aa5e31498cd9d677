import type { Problem } from './problem.ts';

/**
 * The control plane refused to exchange the identity token for a grant (`problem` says why), or could not be reached
 * (`cause` says why). The request was not sent.
 */
export class HoopExchangeError extends TypeError {
  override readonly name: string = 'HoopExchangeError';
  /** The problem's code, e.g. `identity_unmatched`; `unavailable` where there was no answer to read. */
  readonly code: string;
  readonly problem: Problem | undefined;
  /** Seconds after which a 503 asks to be tried again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: { problem?: Problem; cause?: unknown; retryAfterSeconds?: number | undefined } = {}) {
    super(message, { cause: options.cause });
    this.code = options.problem?.code ?? 'unavailable';
    this.problem = options.problem;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
