/** Headers of responses, as `components.headers` of `openapi.json` has them. */
const text = { type: 'string' };

export const responseHeaders = {
  'Request-Id': { required: true, description: 'Id of the request, as logs and audit events have it.', schema: text },
  ETag: { required: true, description: 'Version of the resource, for `If-Match` (RFC 9110 §8.8.3).', schema: text, example: '"3"' },
  Location: {
    required: true,
    description: 'Path of the new resource (RFC 9110 §10.2.2).',
    schema: { type: 'string', format: 'uri-reference' },
  },
  'Idempotency-Replayed': {
    description: '`true` where this is the kept response of an earlier request with the same `Idempotency-Key`.',
    schema: { type: 'string', enum: ['true'] },
  },
  'Retry-After': {
    description: 'Seconds after which the request may succeed (RFC 9110 §10.2.3).',
    schema: { type: 'integer', minimum: 0 },
  },
  'WWW-Authenticate': {
    required: true,
    description: 'The scheme that is needed (RFC 9110 §11.6.1), and in `error` why the token was not accepted (RFC 6750 §3).',
    schema: text,
    example: 'Bearer realm="hoop", error="invalid_token"',
  },
  'Content-Disposition': { required: true, description: 'A name for the file (RFC 6266).', schema: text },
} as const satisfies Record<string, Record<string, unknown>>;

export type ResponseHeader = keyof typeof responseHeaders;
