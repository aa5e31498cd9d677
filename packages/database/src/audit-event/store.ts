import type { AuditEvent } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { AuditEventModel } from '../generated/models.ts';
import { beforeCursor, pageArguments, toAuthenticPage, type Page, type PageRequest } from '../page.ts';
import { guardOf, type RowGuard, type WrittenRow } from '../row-signatures/guard.ts';

export interface AuditEventWrite {
  readonly id: string;
  readonly at: Date;
  readonly actor: AuditEvent['actor'];
  readonly action: string;
  readonly target: AuditEvent['target'];
  readonly change: AuditEvent['change'];
  readonly requestId: string;
  readonly remote: string;
}

export function toAuditEvent(row: AuditEventModel): AuditEvent {
  return {
    id: row.id,
    at: row.at.toISOString(),
    actor: { id: row.actorId, name: row.actorName, role: row.actorRole },
    action: row.action,
    target: { type: row.targetType, id: row.targetId, name: row.targetName },
    change: row.change as AuditEvent['change'],
    rows: row.rows as AuditEvent['rows'],
    requestId: row.requestId,
    remote: row.remote,
  };
}

/** The columns of an event, signed. `rows`: the signed rows that its transaction wrote. */
export function signedAuditEvent(guard: RowGuard, event: AuditEventWrite, rows: readonly WrittenRow[]) {
  const { actor, target, change, ...rest } = event;
  const data = {
    ...rest,
    actorId: actor.id,
    actorName: actor.name,
    actorRole: actor.role,
    targetType: target.type,
    targetId: target.id,
    targetName: target.name,
    change: change as object,
    rows: rows.map((row) => ({ ...row })),
  };
  return { ...data, signature: guard.sign('audit_event', data) };
}

/** To be called after the writes that the event describes: it names every signed row that the transaction has written so far. */
export async function insertAuditEvent(tx: Transaction, event: AuditEventWrite): Promise<void> {
  const guard = guardOf(tx);
  await tx.auditEvent.create({ data: signedAuditEvent(guard, event, guard.takeWritten()) });
}

export async function findAuditEvent(tx: Transaction, id: string): Promise<AuditEvent | null> {
  const row = await tx.auditEvent.findUnique({ where: { id } });
  return row === null ? null : toAuditEvent(guardOf(tx).require('audit_event', row));
}

export interface AuditEventFilter {
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly actorId?: string | undefined;
  readonly action?: string | undefined;
  readonly targetId?: string | undefined;
}

export async function listAuditEvents(tx: Transaction, filter: AuditEventFilter, page: PageRequest): Promise<Page<AuditEvent>> {
  const { since, until, ...exact } = filter;
  const where = {
    ...exactly(exact),
    id: beforeCursor(page),
    at: { ...(since === undefined ? {} : { gte: since }), ...(until === undefined ? {} : { lt: until }) },
  };
  return toAuthenticPage(tx, 'audit_event', await tx.auditEvent.findMany({ where, ...pageArguments(page) }), page, toAuditEvent);
}

const exactly = <T extends object>(filter: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as never;
