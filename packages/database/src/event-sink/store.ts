/** Event sinks: where the log's events go, and how far each has come. */
import type { Transaction } from '../database.ts';
import { beforeCursor, pageArguments, toAuthenticPage, type Page, type PageRequest } from '../page.ts';
import { guardOf } from '../row-signatures/guard.ts';
import type { EventSinkModel } from '../generated/models.ts';

/** The Postgres channel that announces changed sinks. */
export const eventSinkChannel = 'hoop_event_sinks';

export interface EventSinkRecord {
  readonly id: string;
  readonly name: string;
  readonly kind: 'webhook' | 'file';
  readonly url: string | null;
  readonly allowedCidrs: string[];
  readonly file: string | null;
  /** Empty: all. */
  readonly types: string[];
  readonly maxBatch: number;
  /** Only the worker opens the secret; empty where the sink has none. */
  readonly sealed: string;
  readonly paused: boolean;
  /** Index of the next leaf of the log that it has not taken. */
  readonly cursor: number;
  /** Failures since the last success. */
  readonly failures: number;
  readonly lastError: string | null;
  readonly lastAttemptAt: Date | null;
  readonly lastDeliveredAt: Date | null;
  readonly nextAttemptAt: Date | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const toSink = ({ signature: _, ...row }: EventSinkModel): EventSinkRecord => ({
  ...row,
  kind: row.kind as EventSinkRecord['kind'],
  cursor: Number(row.cursor),
});

type Given = Pick<EventSinkRecord, 'name' | 'url' | 'allowedCidrs' | 'file' | 'types' | 'maxBatch' | 'sealed' | 'paused'>;

const tell = (tx: Transaction): Promise<unknown> => tx.$queryRaw`SELECT pg_notify(${eventSinkChannel}, '')::text`;

export async function createSink(
  tx: Transaction,
  sink: Given & Pick<EventSinkRecord, 'id' | 'kind' | 'cursor'>,
  now: Date,
): Promise<EventSinkRecord> {
  const data = { ...sink, version: 1, createdAt: now, updatedAt: now };
  const signature = guardOf(tx).sign('event_sink', data);
  const row = await tx.eventSink.create({ data: { ...data, cursor: BigInt(sink.cursor), signature } });
  await tell(tx);
  return toSink(row);
}

export async function findSink(tx: Transaction, id: string): Promise<EventSinkRecord | null> {
  const row = await tx.eventSink.findUnique({ where: { id } });
  return row === null ? null : toSink(guardOf(tx).require('event_sink', row));
}

/** Locks the row until the transaction ends. */
export async function lockSink(tx: Transaction, id: string): Promise<EventSinkRecord | null> {
  await tx.$queryRaw`SELECT id FROM event_sinks WHERE id = ${id} FOR UPDATE`;
  return findSink(tx, id);
}

export async function sinkNamed(tx: Transaction, name: string): Promise<EventSinkRecord | null> {
  const row = await tx.eventSink.findUnique({ where: { name } });
  return row === null ? null : toSink(guardOf(tx).require('event_sink', row));
}

export async function sinkOfFile(tx: Transaction, file: string): Promise<EventSinkRecord | null> {
  const row = await tx.eventSink.findFirst({ where: { kind: 'file', file } });
  return row === null ? null : toSink(guardOf(tx).require('event_sink', row));
}

/** A change also ends what is being waited for after a failure: it is tried at once. */
export async function updateSink(tx: Transaction, id: string, change: Partial<Given>, now: Date): Promise<EventSinkRecord> {
  const guard = guardOf(tx);
  const before = guard.require('event_sink', await tx.eventSink.findUniqueOrThrow({ where: { id } }));
  const next = { ...before, ...change, version: before.version + 1, updatedAt: now };
  const { name, kind, url, allowedCidrs, file, types, maxBatch, sealed, paused, version, createdAt } = next;
  const data = { name, kind, url, allowedCidrs, file, types, maxBatch, sealed, paused, version, createdAt, updatedAt: now };
  const signature = guard.sign('event_sink', { id, ...data });
  // The worker moves the cursor at the same time, so what is its stays as it is.
  const row = await tx.eventSink.update({ where: { id }, data: { ...data, signature, nextAttemptAt: null } });
  await tell(tx);
  return toSink(row);
}

export async function deleteSink(tx: Transaction, id: string): Promise<void> {
  await tx.eventSink.delete({ where: { id } });
  guardOf(tx).remove('event_sink', id);
  await tell(tx);
}

export async function listSinks(tx: Transaction, page: PageRequest): Promise<Page<EventSinkRecord>> {
  const rows = await tx.eventSink.findMany({ where: { id: beforeCursor(page) }, ...pageArguments(page) });
  return toAuthenticPage(tx, 'event_sink', rows, page, toSink);
}

/** Every sink that is not paused. */
export async function runningSinks(tx: Transaction): Promise<EventSinkRecord[]> {
  const rows = await tx.eventSink.findMany({ where: { paused: false }, orderBy: { id: 'asc' } });
  return (await guardOf(tx).authentic('event_sink', rows)).map(toSink);
}

/** Moves a cursor on. False where somebody else did, or the sink is gone: then what was read is stale. */
export async function advanceSink(
  tx: Transaction,
  id: string,
  from: number,
  to: number,
  now: Date,
  hasDelivered: boolean,
): Promise<boolean> {
  const { count } = await tx.eventSink.updateMany({
    where: { id, cursor: BigInt(from) },
    data: {
      cursor: BigInt(to),
      failures: 0,
      lastError: null,
      nextAttemptAt: null,
      ...(hasDelivered ? { lastAttemptAt: now, lastDeliveredAt: now } : {}),
    },
  });
  return count > 0;
}

export async function noteSinkFailure(tx: Transaction, id: string, error: string, now: Date, nextAttemptAt: Date): Promise<void> {
  await tx.eventSink.updateMany({
    where: { id },
    data: { failures: { increment: 1 }, lastError: error, lastAttemptAt: now, nextAttemptAt },
  });
}
