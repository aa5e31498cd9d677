import type { AuditEvent } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import type { AuditEventModel } from '../generated/models.ts';
import { beforeCursor, pageArguments, toPage, type Page, type PageRequest } from '../page.ts';

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
    requestId: row.requestId,
    remote: row.remote,
  };
}

export async function insertAuditEvent(tx: Transaction, event: AuditEventWrite): Promise<void> {
  const { actor, target, change, ...rest } = event;
  await tx.auditEvent.create({
    data: {
      ...rest,
      actorId: actor.id,
      actorName: actor.name,
      actorRole: actor.role,
      targetType: target.type,
      targetId: target.id,
      targetName: target.name,
      change: change as object,
    },
  });
}

export async function findAuditEvent(tx: Transaction, id: string): Promise<AuditEvent | null> {
  const row = await tx.auditEvent.findUnique({ where: { id } });
  return row === null ? null : toAuditEvent(row);
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
  return toPage(await tx.auditEvent.findMany({ where, ...pageArguments(page) }), page, toAuditEvent);
}

const exactly = <T extends object>(filter: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as never;
