/**
 * One table of error codes. Every refusal anywhere in Hoop is an `AppError` with one of these codes and is
 * rendered as `application/problem+json` (RFC 9457) with `type` = `urn:hoop:error:<code>`.
 * `detail` and `extras` are public; `cause` stays in our logs.
 */
export interface ErrorKind {
  readonly status: number;
  readonly title: string;
  /** Given only after the request was sent, so always with `sentStatus`. */
  readonly isSent?: true;
}

/**
 * The status of every refusal, of any code, after which the target may have acted on the request: the one status
 * that no client library retries on its own (docs/adr/0017-answers-after-sending.md).
 */
export const sentStatus = 400;

export const errorKinds = {
  // the caller's request
  invalid_request: { status: 400, title: 'The request is not valid' },
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  ambiguous_request: { status: 400, title: 'The request could be read in more than one way' },
  invalid_path: { status: 400, title: 'The path is not acceptable' },
  invalid_context: { status: 400, title: 'The context header is not valid' },
  length_required: { status: 411, title: 'The request needs a length' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  request_incomplete: { status: 400, title: 'The request body ended early' },
  header_too_large: { status: 431, title: 'The headers are too large' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  upgrade_unsupported: { status: 501, title: 'The protocol that the connection should change to is not supported' },
  // administration
  unauthenticated: { status: 401, title: 'Credentials are missing or not valid' },
  forbidden: { status: 403, title: 'These credentials may not do this' },
  conflict: { status: 409, title: 'The state of the resource does not allow this' },
  name_taken: { status: 409, title: 'The name is already in use' },
  in_use: { status: 409, title: 'The resource is in use' },
  credential_bound_to_hosts: { status: 409, title: 'The sealed credential is bound to the present hosts' },
  idempotency_key_reused: { status: 422, title: 'The idempotency key was used with another request' },
  precondition_required: { status: 428, title: 'If-Match is required' },
  precondition_failed: { status: 412, title: 'The resource has changed since it was read' },
  policy_invalid: { status: 422, title: 'The policy is not valid' },
  target_refused: { status: 422, title: 'The target is not acceptable' },
  too_costly: { status: 422, title: 'The request takes too long to compute' },
  // token exchange and grants
  token_missing: { status: 401, title: 'A token is required' },
  token_malformed: { status: 401, title: 'The token cannot be parsed' },
  token_algorithm_refused: { status: 401, title: 'The token is signed with an algorithm that is not accepted' },
  token_issuer_unknown: { status: 401, title: 'No identity provider is registered for the token issuer' },
  token_audience_mismatch: { status: 401, title: 'The token is meant for another audience' },
  token_expired: { status: 401, title: 'The token has expired' },
  token_not_yet_valid: { status: 401, title: 'The token is not valid yet' },
  token_too_old: { status: 401, title: 'The token was issued too long ago' },
  token_signature_invalid: { status: 401, title: 'The token signature is not valid' },
  token_key_unknown: { status: 401, title: 'The token names a key that the issuer does not publish' },
  token_key_ambiguous: { status: 401, title: 'More than one key of the issuer could verify the token' },
  token_claim_missing: { status: 401, title: 'The token lacks a required claim' },
  token_revoked: { status: 401, title: 'The grant was revoked' },
  grant_outdated: { status: 401, title: 'The policy reads a claim that the grant does not carry' },
  identity_unmatched: { status: 403, title: 'No identity matches the claims of the token' },
  identity_ambiguous: { status: 403, title: 'More than one identity matches the claims of the token' },
  identity_disabled: { status: 403, title: 'The identity is disabled' },
  provider_disabled: { status: 403, title: 'The identity provider is disabled' },
  provider_unavailable: { status: 503, title: 'The keys of the identity provider cannot be obtained' },
  too_many_connections: { status: 400, title: 'A grant cannot be for so many connections' },
  unsupported_grant_type: { status: 400, title: 'The grant type is not supported' },
  // the data path
  connection_unknown: { status: 404, title: 'There is no such connection for this identity' },
  destination_unknown: { status: 403, title: 'No connection of this identity is for the destination' },
  connection_ambiguous: { status: 403, title: 'Several connections of this identity are for the destination' },
  policy_denied: { status: 403, title: 'The policy does not allow this call' },
  context_required: { status: 403, title: 'The call needs more context' },
  approval_pending: { status: 403, title: 'The call waits for an approval' },
  approval_denied: { status: 403, title: 'The approval was denied' },
  approval_expired: { status: 403, title: 'The approval expired' },
  approval_withdrawn: { status: 403, title: 'The approval was withdrawn' },
  approval_voided: { status: 409, title: 'The approval was voided' },
  outcome_unknown: { status: sentStatus, title: 'It is not known whether the call was carried out', isSent: true },
  approval_decided: { status: 409, title: 'The approval is decided already' },
  too_many_approvals: { status: 429, title: 'Too many calls of this identity wait' },
  approval_digest_mismatch: { status: 409, title: 'The approval is for another request' },
  reviewer_not_allowed: { status: 403, title: 'This person may not review the request' },
  review_repeated: { status: 409, title: 'This person has reviewed the request already' },
  review_comment_required: { status: 422, title: 'The review needs a comment' },
  review_validity_refused: { status: 422, title: 'The rule does not allow this validity' },
  // a body that has to be seen before it is sent
  body_not_inspectable: { status: 415, title: 'The body has to be seen before it is sent, and is of a type that cannot be read' },
  body_malformed: { status: 400, title: 'The body has to be seen before it is sent, and is not what its content type says' },
  body_ambiguous: { status: 422, title: 'The body has to be seen before it is sent, and servers could read its names differently' },
  body_number_inexact: { status: 403, title: 'The policy compares a number of the body that servers read differently' },
  body_too_complex: { status: 422, title: 'The body has to be seen before it is sent, and is too deep or has too many members' },
  body_too_large: { status: 413, title: 'The body has to be seen before it is sent, and is too large' },
  snapshot_stale: { status: 503, title: 'The configuration of the relay is stale' },
  recorder_unavailable: { status: 503, title: 'The call cannot be recorded' },
  outcome_not_recorded: { status: sentStatus, title: 'The call was sent, and its outcome could not be recorded', isSent: true },
  credential_unavailable: { status: 503, title: 'The credential for the target cannot be obtained' },
  credential_not_openable: { status: 503, title: 'The sealed credential cannot be opened for this connection' },
  relay_overloaded: { status: 503, title: 'The relay is at its limit' },
  caller_overloaded: { status: 429, title: 'The identity holds as much of the relay as it may' },
  connection_overloaded: { status: 503, title: 'The connection holds as much of the relay as it may' },
  too_many_requests: { status: 429, title: 'The address or the connection holds as much of the relay as it may' },
  target_busy: { status: 503, title: 'No connection to the target was free in time' },
  relay_draining: { status: 503, title: 'The relay is shutting down' },
  call_revoked: { status: 403, title: 'The identity, grant or connection was revoked during the call' },
  target_address_refused: { status: 502, title: 'The target resolves to an address that is not allowed' },
  target_unreachable: { status: 502, title: 'The target cannot be reached' },
  target_reset: { status: 502, title: 'The target broke the connection' },
  target_invalid_response: { status: sentStatus, title: 'The target sent an invalid response', isSent: true },
  target_timeout: { status: 504, title: 'The target did not answer in time' },
  unmaskable_response: { status: sentStatus, title: 'The response cannot be masked and was blocked', isSent: true },
  location_withheld: { status: sentStatus, title: 'The target redirects out of the connection', isSent: true },
  response_too_large: { status: sentStatus, title: 'The response is over the limit', isSent: true },
  // ours
  row_not_authentic: { status: 503, title: 'A row of the database is not what Hoop wrote' },
  unavailable: { status: 503, title: 'A part of Hoop that is needed is not available' },
  internal: { status: 500, title: 'Something went wrong in Hoop' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** `application/problem+json` as Hoop sends it. */
export interface Problem {
  readonly type: string;
  readonly code: ErrorCode;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** The request was sent: the target may have acted on it. */
  readonly sent?: true;
  readonly [extra: string]: unknown;
}

export interface AppErrorOptions {
  /** Further public members of the problem document, e.g. `rule`, `allowedBy`, `errors`. */
  readonly extras?: Readonly<Record<string, unknown>>;
  /** Further response headers, lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The target may have acted on the request: the status becomes `sentStatus`. @default as the table says for the code */
  readonly isSent?: true;
  /** Asked by a proxy (RFC 9110 §15.5.8): 407 in place of 401. @default as the table says for the code */
  readonly isOfProxy?: boolean;
  /** Internal; logged, never sent. */
  readonly cause?: unknown;
}

/** An error that may be shown: `detail` is a full sentence that says what to do. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  /** The target may have acted on the request. */
  readonly isSent: boolean;
  readonly extras: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, detail: string, options: AppErrorOptions = {}) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    const kind: ErrorKind = errorKinds[code];
    this.isSent = options.isSent ?? kind.isSent ?? false;
    this.status = this.isSent ? sentStatus : kind.status === 401 && options.isOfProxy === true ? 407 : kind.status;
    this.detail = detail;
    this.extras = options.extras ?? {};
    this.headers = options.headers ?? {};
  }
}

export const problemType = (code: ErrorCode): string => `urn:hoop:error:${code}`;

/** The public document for any thrown value. What is not an `AppError` becomes `internal` without a detail. */
export function toProblem(error: unknown, requestId: string): Problem {
  if (error instanceof AppError) {
    return {
      ...error.extras,
      type: problemType(error.code),
      code: error.code,
      title: errorKinds[error.code].title,
      status: error.status,
      detail: error.detail,
      ...(error.isSent ? { sent: true as const } : {}),
      requestId,
    };
  }
  return { type: problemType('internal'), code: 'internal', title: errorKinds.internal.title, status: 500, requestId };
}
