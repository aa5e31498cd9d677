import type { ErrorCode, Problem } from '@hoop/contract';

/** RFC 6749 §5.2, RFC 8693 §2.2.2 and §2.2.1 of RFC 8707. */
const oauthErrors: Partial<Record<ErrorCode, string>> = {
  unsupported_grant_type: 'unsupported_grant_type',
  connection_unknown: 'invalid_target',
  too_many_connections: 'invalid_target',
  provider_unavailable: 'temporarily_unavailable',
  unavailable: 'temporarily_unavailable',
  internal: 'server_error',
};

/** A problem as clients of the token endpoint read it: `error` beside our members, and 400 for every refusal. */
export function toOAuthProblem(problem: Problem): Problem {
  const status = problem.status < 500 && problem.status !== 405 && problem.status !== 413 && problem.status !== 415 ? 400 : problem.status;
  return {
    ...problem,
    status,
    error: oauthErrors[problem.code] ?? 'invalid_request',
    error_description: describable(problem.detail ?? problem.title),
  };
}

/** RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E, so ASCII without quotes and backslashes. */
const describable = (text: string): string =>
  text
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replace(/[^\x20-\x7e]/gu, '?');
