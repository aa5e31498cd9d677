/** The signed message of a row: which key, which kind of row and every signed column, in one canonical form. */
import { hash } from 'node:crypto';

import { canonicalJson } from '@hoop/recording';

import { rowKinds, type RowKind, type RowKindDefinition } from './kinds.ts';

/** A row as Prisma gives it, or as it is about to be written. */
export type Row = Readonly<Record<string, unknown>>;

export const definitionOf = (kind: RowKind): RowKindDefinition => rowKinds[kind];

/** The row's id: of several columns, with spaces between. */
export const idOfRow = (kind: RowKind, row: Row): string =>
  definitionOf(kind)
    .key.map((column) => String(row[column]))
    .join(' ');

function valueOf(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return { sha256: hash('sha256', value, 'hex') };
  return typeof value === 'bigint' ? String(value) : value;
}

/**
 * The signed columns as JSON (RFC 8785): times in ISO 8601, bytes by their SHA-256.
 *
 * @throws Error where a column is missing, TypeError or RangeError where a value cannot be what was signed
 */
export function formOfRow(kind: RowKind, row: Row): string {
  const { signed, later, parts } = definitionOf(kind);
  const form: Record<string, unknown> = { ...parts?.(row) };
  for (const column of signed) {
    const value = row[column];
    if (value === undefined) throw new Error(`A row of the kind ${kind} is signed with its ${column}, which is missing.`);
    if (value !== null || later?.includes(column) !== true) form[column] = valueOf(value);
  }
  return canonicalJson([kind, form]);
}

/** SHA-256 of the form, hex: by this the audit trail names what a row said. */
export const digestOfForm = (form: string): string => hash('sha256', `hoop-row/1\n${form}`, 'hex');

/** The bytes under the signature. No checkpoint of the log looks like it: its second line is a number. */
export const messageOf = (kid: string, form: string): Buffer => Buffer.from(`hoop-row/1\n${JSON.stringify(kid)}\n${form}`);
