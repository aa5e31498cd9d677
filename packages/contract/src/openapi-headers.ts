/** Which headers a response has. */
import type { Operation } from './operation.ts';
import type { ResponseHeader } from './response-headers.ts';

/** Headers of a successful response of the operation: those that it names, and those that follow from its shape. */
export function headersOf(operation: Operation): ResponseHeader[] {
  const names = new Set<ResponseHeader>(['Request-Id', ...(operation.returns ?? [])]);
  if (operation.conditional === true && operation.response !== undefined) names.add('ETag');
  if (operation.idempotent === true) names.add('Idempotency-Replayed');
  return [...names];
}

/** Headers of the operation's refusals with this status. */
export function headersOfRefusal(operation: Operation, status: number): ResponseHeader[] {
  const names: ResponseHeader[] = ['Request-Id'];
  // Slack's requests are signed, and no challenge asks for that.
  if (status === 401 && operation.audience !== 'public') names.push('WWW-Authenticate');
  if (status === 429 || status === 503) names.push('Retry-After');
  return names;
}

export const refer = (names: readonly ResponseHeader[]): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
