import type { CallResource, CallSummary } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { Prisma } from '../generated/client.ts';
import type { Page, PageRequest } from '../page.ts';
import { callConditions, where } from './call-filter.ts';
import type { CallFilter } from './call-filter.ts';
import { summaryColumns, toCall, toCallSummary } from './call-resource.ts';

/** Ids of a page, and one more. */
export function selectCallIds(filter: CallFilter, page: PageRequest): Prisma.Sql {
  const conditions = callConditions(filter);
  if (page.before !== undefined) conditions.push(Prisma.sql`c.id < ${page.before}`);
  return Prisma.sql`SELECT c.id FROM calls c ${where(conditions)} ORDER BY c.id DESC LIMIT ${page.limit + 1}`;
}

/** A page of the calls that match, newest first. */
export async function listCalls(tx: Transaction, filter: CallFilter, page: PageRequest): Promise<Page<CallSummary>> {
  const found = await tx.$queryRaw<{ id: string }[]>(selectCallIds(filter, page));
  const ids = found.slice(0, page.limit).map((row) => row.id);
  const rows = await tx.call.findMany({ where: { id: { in: ids } }, select: summaryColumns, orderBy: { id: 'desc' } });
  return { items: rows.map(toCallSummary), last: found.length > page.limit ? ids.at(-1)! : null };
}

/** A call without the content of its bodies. */
export async function findCall(tx: Transaction, id: string): Promise<CallResource | null> {
  const row = await tx.call.findUnique({ where: { id } });
  return row === null ? null : toCall(row);
}

/** Calls of a session in the order in which they began, after the call `after`, at most `limit`. */
export async function listSessionCalls(
  tx: Transaction,
  sessionId: string,
  options: { after?: string | undefined; limit: number },
): Promise<CallResource[]> {
  const rows = await tx.call.findMany({
    where: { sessionId, ...(options.after === undefined ? {} : { id: { gt: options.after } }) },
    orderBy: { id: 'asc' },
    take: options.limit,
  });
  return rows.map(toCall);
}

/** A recorded body as it lies there, with what its opener needs. */
export interface SealedBody {
  readonly callId: string;
  readonly side: 'request' | 'response';
  /** nonce(12) ‖ ciphertext ‖ tag(16). */
  readonly sealed: Uint8Array;
  /** Compact JWE: the data key, wrapped to the recording key. */
  readonly wrappedKey: string;
}

/** Where large bodies lie. Rejects where it is away; null where it has no such blob. */
export interface BlobReader {
  get(key: string): Promise<Uint8Array | null>;
}

/**
 * The kept bodies of calls; none for those that recorded none, or whose content retention removed. One whose blob is gone, or
 * cannot be looked for as there is no store, has no bytes, so that it cannot be opened.
 */
export async function readBodies(tx: Transaction, callIds: readonly string[], blobs: BlobReader | null): Promise<SealedBody[]> {
  const rows = await tx.$queryRaw<
    { call_id: string; side: 'request' | 'response'; sealed: Uint8Array | null; blob: string | null; wrapped: string }[]
  >`
    SELECT b.call_id, b.side, b.sealed, b.blob, k.wrapped
      FROM call_bodies b JOIN calls c ON c.id = b.call_id JOIN data_keys k ON k.id = c.data_key_id
     WHERE b.call_id = ANY(${[...callIds]}::text[]) AND c.id = ANY(${[...callIds]}::text[])
     ORDER BY b.call_id, b.side`;
  const bodies: SealedBody[] = [];
  for (const row of rows) {
    const sealed = row.sealed ?? (row.blob === null ? null : await blobs?.get(row.blob)) ?? nothing;
    bodies.push({ callId: row.call_id, side: row.side, sealed, wrappedKey: row.wrapped });
  }
  return bodies;
}

const nothing = new Uint8Array(0);
