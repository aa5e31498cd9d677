import { AppError } from '@hoop/contract';

/** The condition that a request sets on the current state (RFC 9110 §13). */
export interface Precondition {
  /** Throws unless the version is one that the caller has seen; null: there is no such resource yet. */
  check(version: number | null): void;
}

export const etagOf = (version: number): string => `"${version}"`;

const tagList = /^\s*(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*\s*$/;

/** Strong comparison: a weak tag never matches (RFC 9110 §13.1.1). */
export function readPrecondition(
  method: string,
  headers: { 'if-match'?: string | undefined; 'if-none-match'?: string | undefined },
): Precondition {
  const ifMatch = headers['if-match']?.trim();
  const ifNoneMatch = headers['if-none-match']?.trim();
  if (ifMatch !== undefined) {
    if (ifMatch !== '*' && !tagList.test(ifMatch))
      throw new AppError('invalid_request', 'If-Match must be an entity tag such as "3", or *.');
    const tags = ifMatch.split(',').map((tag) => tag.trim());
    return {
      check(version) {
        if (version !== null && (ifMatch === '*' || tags.includes(etagOf(version)))) return;
        throw new AppError(
          'precondition_failed',
          'The resource has changed since it was read, or no longer exists. Get it again and repeat the change.',
        );
      },
    };
  }
  if (ifNoneMatch === '*' && method === 'PUT') {
    return {
      check(version) {
        if (version === null) return;
        throw new AppError('precondition_failed', 'The resource exists already. Get it, and send its ETag in If-Match.');
      },
    };
  }
  throw new AppError(
    'precondition_required',
    method === 'PUT'
      ? 'Send If-Match with the ETag that was read, or If-None-Match: * for the first one.'
      : 'Send If-Match with the ETag that was read.',
  );
}
