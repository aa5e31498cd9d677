/** The public REST API, called by its operations' own values. */
import type { Operation, Problem } from '@hoop/contract';
import type { z } from 'zod';

type Params<O extends Operation> = O['params'] extends z.ZodType
  ? { readonly params: Record<string, string | number> }
  : { readonly params?: undefined };
type Query<O extends Operation> = O['query'] extends z.ZodType
  ? { readonly query?: Record<string, string | number> }
  : { readonly query?: undefined };
type Body<O extends Operation> = O['body'] extends z.ZodType ? { readonly body: z.input<O['body']> } : { readonly body?: undefined };

export type ApiInput<O extends Operation> = Params<O> & Query<O> & Body<O> & { readonly headers?: Record<string, string> };
export type ApiOutput<O extends Operation> = O['response'] extends z.ZodType ? z.output<O['response']> : undefined;

export type ApiClient = <O extends Operation>(operation: O, input: ApiInput<O>) => Promise<ApiOutput<O>>;

/** A refusal of the API, as it explained itself. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly problem: Partial<Problem>;

  constructor(operation: Operation, status: number, problem: Partial<Problem>) {
    const errors = Array.isArray(problem['errors']) ? ` ${JSON.stringify(problem['errors'])}` : '';
    super(
      `${operation.id} was refused (${status} ${problem.code ?? ''}): ${problem.detail ?? problem.title ?? 'no reason given'}${errors}`,
    );
    this.status = status;
    this.problem = problem;
  }
}

/** Ends a request that hangs; a control plane on a loaded machine may be slow. */
const answerWithinMs = 120_000;

/** @throws ApiError for any answer but the operation's own status */
export function createApiClient({ url, token }: { readonly url: string; readonly token: string }): ApiClient {
  return async <O extends Operation>(operation: O, input: ApiInput<O>): Promise<ApiOutput<O>> => {
    const path = operation.path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(String(input.params?.[name] ?? '')));
    const target = new URL(url + path);
    for (const [name, value] of Object.entries(input.query ?? {})) target.searchParams.set(name, String(value));
    const response = await fetch(target, {
      method: operation.method,
      redirect: 'error',
      signal: AbortSignal.timeout(answerWithinMs),
      headers: {
        authorization: `Bearer ${token}`,
        ...(input.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...input.headers,
      },
      ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
    });
    const text = await response.text();
    if (response.status !== operation.status) {
      let problem: Partial<Problem> = {};
      try {
        problem = JSON.parse(text) as Problem;
      } catch {
        problem = { detail: text.slice(0, 200) };
      }
      throw new ApiError(operation, response.status, problem);
    }
    return (operation.response === undefined ? undefined : operation.response.parse(JSON.parse(text))) as ApiOutput<O>;
  };
}
