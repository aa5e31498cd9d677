import type { Transaction } from '../database.ts';
import type { IngestClient } from '../records/ingest-client.ts';

/** Runs one statement: on Prisma's transaction or on plain `pg`, whichever the caller has. 64-bit integers come as bigint or text. */
export type Query = <T extends object>(text: string, values: unknown[]) => Promise<T[]>;

export const queryOf =
  (tx: Transaction): Query =>
  (text, values) =>
    tx.$queryRawUnsafe(text, ...values);

export const queryOfClient =
  (client: IngestClient): Query =>
  async <T extends object>(text: string, values: unknown[]) =>
    (await client.query(text, values)).rows as T[];
