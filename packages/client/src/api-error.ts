import type { Schemas } from './types.ts';

/** RFC 9457. */
export type Problem = Schemas['Problem'];

/** A refusal of the API, with the reason that it gave. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Empty where the response was no problem document, but for the first 200 characters of it as `detail`. */
  readonly problem: Partial<Problem>;

  constructor(operationId: string, status: number, problem: Partial<Problem>) {
    const errors = Array.isArray(problem.errors) ? ` ${JSON.stringify(problem.errors)}` : '';
    super(`${operationId} was refused (${status} ${problem.code ?? ''}): ${problem.detail ?? problem.title ?? 'no reason given'}${errors}`);
    this.status = status;
    this.problem = problem;
  }
}

/** Reads the body of a refusal: a problem document, or else text. */
export function readProblem(text: string): Partial<Problem> {
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return { detail: text.slice(0, 200) };
  }
}
