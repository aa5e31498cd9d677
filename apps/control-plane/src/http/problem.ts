import type { ServerResponse } from 'node:http';

import { AppError, exchangeToken, revokeToken, toProblem, type Problem } from '@hoop/contract';
import { isDatabaseAway } from '@hoop/database';
import type { ErrorRequestHandler } from 'express';
import type { Logger } from 'pino';

import { toOAuthProblem } from '../oauth/oauth-problem.ts';
import type { RequestFacts } from './bind.ts';

/** Errors of others as ours: what Express and the database throw. Anything else stays as it is and becomes `internal`. */
export function toAppError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const { status, name } = (error ?? {}) as { status?: number; name?: string };
  // The router could not decode a percent escape in the path.
  if (status === 400 && (error instanceof URIError || name === 'URIError')) {
    return new AppError('invalid_request', 'The path has a broken percent escape.', { cause: error });
  }
  if (isDatabaseAway(error)) {
    return new AppError('unavailable', 'The database does not answer. Try again shortly.', {
      cause: error,
      headers: { 'retry-after': '1' },
    });
  }
  return error;
}

/** The one place where an error becomes a response. */
export function createProblemHandler(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, _request, response, _next) => {
    const facts = response.locals as RequestFacts;
    const error = toAppError(thrown);
    const isOAuth = facts.operation === exchangeToken.id || facts.operation === revokeToken.id;
    const plain = toProblem(error, facts.requestId);
    const problem = isOAuth ? toOAuthProblem(plain) : plain;
    if (problem.status >= 500) log.error({ err: error, requestId: facts.requestId, operation: facts.operation }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (error instanceof AppError) for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
    // RFC 6749 §5.2 names the type.
    sendProblem(response, problem, isOAuth ? 'application/json' : problemType);
  };
}

/** RFC 9457 §3. Some clients take JSON of other media types than application/json for bytes where no charset is given. */
const problemType = 'application/problem+json; charset=utf-8';

export function sendProblem(response: ServerResponse, problem: Problem, type = problemType): void {
  const text = JSON.stringify(problem);
  response.statusCode = problem.status;
  response.removeHeader('etag');
  response.setHeader('cache-control', 'no-store');
  response.setHeader('content-type', type);
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}
