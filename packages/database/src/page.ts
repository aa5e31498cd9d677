import type { Transaction } from './database.ts';
import { guardOf } from './row-signatures/guard.ts';
import type { RowKind } from './row-signatures/kinds.ts';

/** Where a list goes on, and how far. Lists are ordered by id, newest first. */
export interface PageRequest {
  readonly limit: number;
  /** Only rows before this id. */
  readonly before?: string | undefined;
}

export interface Page<T> {
  readonly items: T[];
  /** Id of the last item where there are more. */
  readonly last: string | null;
}

/** Prisma's arguments for a page; one row more than wanted tells whether there is a next page. */
export const pageArguments = (page: PageRequest) =>
  ({
    take: page.limit + 1,
    orderBy: { id: 'desc' },
  }) as const;

export const beforeCursor = (page: PageRequest) => (page.before === undefined ? {} : { lt: page.before });

export function toPage<Row extends { id: string }, T>(rows: readonly Row[], page: PageRequest, map: (row: Row) => T): Page<T> {
  const kept = rows.slice(0, page.limit);
  return { items: kept.map(map), last: rows.length > page.limit ? kept.at(-1)!.id : null };
}

/** A `where` for a thing meant by id or name. An id is tried first, so that nobody can shadow it by a name. */
export const isIdOf = (prefix: string, reference: string): boolean => new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`).test(reference);

/** As `toPage`, without the rows that must not be used: those are reported. A page may so have fewer items than asked for. */
export async function toAuthenticPage<Row extends { id: string; signature: string | null }, T>(
  tx: Transaction,
  kind: RowKind,
  rows: readonly Row[],
  page: PageRequest,
  map: (row: Row) => T,
): Promise<Page<T>> {
  const { items, last } = toPage(rows, page, (row) => row);
  return { items: (await guardOf(tx).authentic(kind, items)).map(map), last };
}
