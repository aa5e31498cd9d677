/** Rows of any signed kind, read in the order of their keys. */
import type { Transaction } from '../database.ts';
import type { RowKind } from './kinds.ts';
import { definitionOf, type Row } from './message.ts';

export type StoredRow = Row & { readonly signature: string | null };

interface Delegate {
  findMany(query: object): Promise<StoredRow[]>;
  updateMany(query: object): Promise<{ count: number }>;
}

const delegateOf = (tx: Transaction, kind: RowKind): Delegate =>
  (tx as unknown as Readonly<Record<string, Delegate>>)[definitionOf(kind).model]!;

/** The columns that name a row, as a `where`. */
export const keyOf = (kind: RowKind, row: Row): Readonly<Record<string, unknown>> =>
  Object.fromEntries(definitionOf(kind).key.map((column) => [column, row[column]]));

const readWith = (kind: RowKind): object => {
  const { include } = definitionOf(kind);
  return include === undefined ? {} : { include };
};

/** The next rows after `after`; null: from the first. */
export function readRowsAfter(tx: Transaction, kind: RowKind, after: Row | null, limit: number): Promise<StoredRow[]> {
  const { key } = definitionOf(kind);
  const orderBy = key.map((column) => ({ [column]: 'asc' }));
  const position = after === null ? null : keyOf(kind, after);
  const cursor = position === null ? {} : { skip: 1, cursor: key.length === 1 ? position : { [key.join('_')]: position } };
  return delegateOf(tx, kind).findMany({ orderBy, take: limit, ...cursor, ...readWith(kind) });
}

/** The rows of these ids, as `idOfRow` writes them, of those that there are. */
export async function readRowsById(tx: Transaction, kind: RowKind, ids: readonly string[]): Promise<StoredRow[]> {
  const { key } = definitionOf(kind);
  const wheres = ids.flatMap((id) => {
    const parts = key.length === 1 ? [id] : id.split(' ');
    if (parts.length !== key.length) return [];
    return [Object.fromEntries(key.map((column, i) => [column, isNumber(kind, column) ? Number(parts[i]) : parts[i]]))];
  });
  return wheres.length === 0 ? [] : delegateOf(tx, kind).findMany({ where: { OR: wheres }, ...readWith(kind) });
}

const isNumber = (kind: RowKind, column: string): boolean =>
  (kind === 'policy_revision' && column === 'revision') || (kind === 'retention_settings' && column === 'id');

/** Stores a signature, and nothing else of the row. */
export async function writeSignature(tx: Transaction, kind: RowKind, row: Row, signature: string): Promise<void> {
  await delegateOf(tx, kind).updateMany({ where: keyOf(kind, row), data: { signature } });
}
