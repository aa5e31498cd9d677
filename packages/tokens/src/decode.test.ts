import { expect, test } from 'vitest';

import { decodeToken } from './decode.ts';

const part = (text: string): string => Buffer.from(text).toString('base64url');
const claimsOf = (payload: string): unknown => decodeToken(`${part('{"alg":"RS256"}')}.${part(payload)}.AA`).claims;

test('claims have the names that the token gives them, whatever token was read before', () => {
  for (let i = 0; i < 3; i++) claimsOf(String.raw`{"iss":"a","\\u0067":1}`);
  expect(claimsOf(String.raw`{"iss":"a","\u0067roups":["contractors"]}`)).toEqual({ iss: 'a', groups: ['contractors'] });
});
