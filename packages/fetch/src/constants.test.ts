import {
  errorKinds,
  headers,
  hoopHeaderPrefix as contractPrefix,
  jwtTokenType as contractJwt,
  tokenExchangeGrantType as contractExchange,
} from '@hoop/contract';
import { expect, test } from 'vitest';

import { hoopHeaderPrefix, hoopHeaders, jwtTokenType, networkErrors, renewableErrors, tokenExchangeGrantType } from './constants.ts';

test("the copied constants are the contract's", () => {
  expect(headers).toMatchObject(hoopHeaders);
  expect(hoopHeaderPrefix).toBe(contractPrefix);
  expect(tokenExchangeGrantType).toBe(contractExchange);
  expect(jwtTokenType).toBe(contractJwt);
});

test('the error codes that are acted on are of the contract, with the status that is looked for', () => {
  const kinds: Record<string, { status: number }> = errorKinds;
  for (const code of renewableErrors) expect(kinds[code]).toMatchObject({ status: 401 });
  for (const code of networkErrors) expect([400, 502, 504]).toContain(kinds[code]?.status);
});
