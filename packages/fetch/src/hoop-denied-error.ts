import type { Problem } from './problem.ts';

/** Thrown for a call that Hoop denied, where `onDenied` is `'throw'`. */
export class HoopDeniedError extends Error {
  override readonly name: string = 'HoopDeniedError';
  /** The problem's code, e.g. `policy_denied`. */
  readonly code: string;
  /** The denied request; its body has been used. */
  readonly request: Request;
  readonly problem: Problem;
  /** The id under which the call is recorded. */
  readonly callId: string | undefined;

  constructor(request: Request, problem: Problem, callId: string | undefined) {
    super(problem.detail ?? problem.title);
    this.code = problem.code;
    this.request = request;
    this.problem = problem;
    this.callId = callId;
  }
}
