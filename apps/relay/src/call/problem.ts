/** Renders every refusal of the relay: problem+json (RFC 9457) with the call's id. */
import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';

import { AppError, headers, toProblem } from '@hoop/contract';

/** Asked by the libraries of OpenAI, Anthropic and others, and by Stripe's. */
const noRetry = ['x-should-retry', 'false', 'stripe-should-retry', 'false'];

export interface RenderedProblem {
  readonly status: number;
  readonly headers: string[];
  readonly body: Buffer;
}

/** RFC 6750 §3.1: the answer to a request without a token has no error code. */
const challenge = 'Bearer realm="hoop"';

/** The answer for any thrown value. One that is not an `AppError` shows only that something went wrong. */
export function renderProblem(error: unknown, callId: string): RenderedProblem {
  const problem = { ...toProblem(error, callId), callId };
  const message = problem.detail ?? problem.title;
  // Client libraries of APIs look for these (RFC 9457 §3.2 allows them): one takes any JSON without `error` for a success.
  Object.assign(problem, { message, error: { type: problem.code, code: problem.code, message } });
  const body = Buffer.from(JSON.stringify(problem));
  const list = [
    'content-type',
    // Octokit takes a media type without a charset for bytes, and shows "Unknown error".
    'application/problem+json; charset=utf-8',
    'content-length',
    String(body.length),
    'cache-control',
    'no-store',
    headers.call,
    callId,
    headers.error,
    problem.code,
  ];
  if (problem.status === 401)
    list.push('www-authenticate', problem.code === 'token_missing' ? challenge : `${challenge}, error="invalid_token"`);
  if (error instanceof AppError && error.isSent) list.push(headers.sent, 'true', ...noRetry);
  if (error instanceof AppError) for (const [name, value] of Object.entries(error.headers)) list.push(name, value);
  return { status: problem.status, headers: list, body };
}

/** Node leaves the body out of an answer to HEAD by itself. */
export function sendProblem(res: ServerResponse, problem: RenderedProblem): void {
  res.writeHead(problem.status, problem.headers);
  res.end(problem.body);
}

/** For a socket on which no request was understood: the whole answer, after which the connection is over. */
export function problemOnWire(problem: RenderedProblem): Buffer {
  let head = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}\r\nconnection: close\r\n`;
  for (let i = 0; i < problem.headers.length; i += 2) head += `${problem.headers[i]}: ${problem.headers[i + 1]}\r\n`;
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), problem.body]);
}
