export { createRowGuard, guardOf, RowGuard } from './guard.ts';
export type { RowFault, WrittenRow } from './guard.ts';
export type { RowJwk, RowJwkSet, RowKeys } from './keys.ts';
export { allRowKinds } from './kinds.ts';
export type { RowKind } from './kinds.ts';
export { signRows } from './sign-rows.ts';
export type { SignRowsOptions } from './sign-rows.ts';
