import { readRequest } from '@hoop/upstream';
import { expect, it } from 'vitest';

import { mayResend } from './forward.ts';

it.each([
  ['GET', [], null, true],
  ['DELETE', [], null, true],
  ['GET', [], 'apr_1', false],
  ['POST', [], null, false],
  ['PATCH', [], null, false],
  ['PUT', ['content-length', '3'], null, false],
  ['PUT', ['transfer-encoding', 'chunked'], null, false],
])('only what is idempotent, has no body and used up no approval may be sent again: %s %j %s', (method, headers, approvalId, wanted) => {
  const request = readRequest({ method, url: '/payments/x', rawHeaders: ['host', 'relay', ...headers] });
  expect(mayResend({ request, approvalId })).toBe(wanted);
});
