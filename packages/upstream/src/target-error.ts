/** Failures on the way to a target, as error codes of the contract. */
import { AppError } from '@hoop/contract';
import type { ErrorCode } from '@hoop/contract';

interface Explained {
  readonly code: ErrorCode;
  readonly detail: string;
}

const byCode: Readonly<Record<string, Explained>> = {
  UND_ERR_CONNECT_TIMEOUT: { code: 'target_timeout', detail: 'The target could not be connected to within the time limit.' },
  ETIMEDOUT: { code: 'target_timeout', detail: 'The target could not be connected to within the time limit.' },
  UND_ERR_HEADERS_TIMEOUT: { code: 'target_timeout', detail: 'The target did not start to answer within the time limit.' },
  UND_ERR_BODY_TIMEOUT: {
    code: 'target_timeout',
    detail: 'The target stopped in the middle of its answer for longer than the time limit.',
  },
  UND_ERR_HEADERS_OVERFLOW: { code: 'target_invalid_response', detail: 'The headers of the target are too large.' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: {
    code: 'target_invalid_response',
    detail: 'The body of the target has another length than it announced.',
  },
  UND_ERR_RES_EXCEEDED_MAX_SIZE: { code: 'response_too_large', detail: 'The response of the target is over the limit of the connection.' },
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: {
    code: 'request_incomplete',
    detail: 'The body of the request has another length than it announced.',
  },
  UND_ERR_SOCKET: { code: 'target_reset', detail: 'The target closed the connection before its answer was complete.' },
  UND_ERR_DESTROYED: { code: 'call_revoked', detail: 'The connection was closed before the call was sent.' },
  UND_ERR_CLOSED: { code: 'call_revoked', detail: 'The connection was closed before the call was sent.' },
  ECONNRESET: { code: 'target_reset', detail: 'The target reset the connection.' },
  EPIPE: { code: 'target_reset', detail: 'The target closed the connection while the request was being sent.' },
  ECONNREFUSED: { code: 'target_unreachable', detail: 'The target refused the connection.' },
  ENOTFOUND: { code: 'target_unreachable', detail: 'The name of the target does not exist in DNS.' },
  EAI_AGAIN: { code: 'target_unreachable', detail: 'The name of the target cannot be resolved at present.' },
  EHOSTUNREACH: { code: 'target_unreachable', detail: 'There is no route to the target.' },
  ENETUNREACH: { code: 'target_unreachable', detail: 'There is no route to the target.' },
  ERR_TLS_CERT_ALTNAME_INVALID: { code: 'target_unreachable', detail: 'The certificate of the target is for another host name.' },
  CERT_HAS_EXPIRED: { code: 'target_unreachable', detail: 'The certificate of the target has expired.' },
};

const certificateCode = /^(?:CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|ERR_TLS_|INVALID_CA|HOSTNAME_MISMATCH)/;
const tlsCode = /^(?:ERR_SSL_|EPROTO)/;

/**
 * The AppError for what undici, DNS, TCP or TLS reported. An AppError (a refused address, a revocation) stays itself.
 * No address and nothing of the request is in `detail`.
 */
export function toTargetError(error: unknown): AppError {
  const inner = findAppError(error);
  if (inner !== undefined) return inner;
  const code = codeOf(error);
  const known = byCode[code];
  if (known !== undefined) return new AppError(known.code, known.detail, { cause: error });
  if (certificateCode.test(code))
    return new AppError('target_unreachable', `The certificate of the target cannot be verified (${code}).`, { cause: error });
  if (tlsCode.test(code)) return new AppError('target_unreachable', 'The target does not speak TLS as this relay does.', { cause: error });
  // llhttp's code is not always carried over, so the name counts as well.
  if (code.startsWith('HPE_') || (error instanceof Error && error.name === 'HTTPParserError'))
    return new AppError('target_invalid_response', 'The answer of the target is not valid HTTP/1.1.', { cause: error });
  return new AppError('target_unreachable', 'The target cannot be reached.', { cause: error });
}

function findAppError(error: unknown): AppError | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof AppError) return at;
  }
  return undefined;
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  const code: unknown = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
