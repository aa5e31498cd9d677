import type { Problem } from './problem.ts';

/**
 * The `cause` of the TypeError ("fetch failed") that a call ends with where the relay could not get an answer from the target:
 * what would have been a network error without Hoop is one with it.
 */
export class HoopRelayError extends Error {
  override readonly name: string = 'HoopRelayError';
  /** The problem's code, e.g. `target_unreachable`. */
  readonly code: string;
  readonly problem: Problem;
  /** The id under which the call is recorded. */
  readonly callId: string | undefined;

  constructor(problem: Problem, callId: string | undefined) {
    super(problem.detail ?? problem.title);
    this.code = problem.code;
    this.problem = problem;
    this.callId = callId;
  }
}
