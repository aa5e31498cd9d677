/** Checks docs/conditions.md on bodies and codes against the contract. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { errorKinds } from '@hoop/contract';
import { expect, test } from 'vitest';

const page = readFileSync(path.join(import.meta.dirname, '../../docs/conditions.md'), 'utf8');

test('every code of a body that cannot be read is on the page of conditions, with its status', () => {
  const onPage = [...page.matchAll(/\| (\d{3}) `(body_[a-z_]+)` \|/g)].map(([, status, code]) => [code, Number(status)]);
  const inContract = Object.entries(errorKinds).filter(([code]) => code.startsWith('body_'));
  expect(Object.fromEntries(onPage)).toEqual(Object.fromEntries(inContract.map(([code, { status }]) => [code, status])));
});

test('413 is for size only', () => {
  const codes = Object.entries(errorKinds).filter(([, { status }]) => status === 413);
  expect(codes.map(([code]) => code).toSorted()).toEqual(['body_too_large', 'payload_too_large']);
});
