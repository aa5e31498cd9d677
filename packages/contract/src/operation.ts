/** An operation of the REST API as one value; routes, openapi.json and clients derive from it. */
import type { z } from 'zod';

import type { ErrorCode } from './errors.ts';
import type { ResponseHeader } from './response-headers.ts';
import type { Tag } from './operations/tags.ts';

export type Role = 'admin' | 'operator' | 'approver' | 'auditor' | 'break_glass';

/** Who may call: anybody, a relay (its token), or an admin token with one of these roles. */
export type Audience = 'public' | 'relay' | readonly Role[];

export interface Operation {
  /** camelCase, unique: `createConnection`. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** OpenAPI form: `/v1/connections/{connectionId}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: Tag;
  readonly audience: Audience;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** `application/json` unless said. */
  readonly bodyType?: string;
  readonly status: number;
  /** Absent: no content. */
  readonly response?: z.ZodType;
  /** `application/json` unless said. */
  readonly responseType?: string;
  /** `If-Match` is required, and the response carries an `ETag`. */
  readonly conditional?: boolean;
  /** `If-None-Match` is honoured: 304 where the ETag is still that of the response. */
  readonly revalidated?: boolean;
  /** `Idempotency-Key` is honoured. */
  readonly idempotent?: boolean;
  /** Headers of its response, beside those that follow from the shape. @default none */
  readonly returns?: readonly ResponseHeader[];
  /** Beside those that follow from the audience and the shape. */
  readonly errors: readonly ErrorCode[];
}

export const defineOperation = <const O extends Operation>(operation: O): O => operation;
