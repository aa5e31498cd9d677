import { newId, type SecurityEvent } from '@hoop/contract';

import type { Transaction } from '../database.ts';
import { Prisma } from '../generated/client.ts';
import type { SecurityEventModel } from '../generated/models.ts';
import { beforeCursor, pageArguments, toPage, type Page, type PageRequest } from '../page.ts';

export type SecurityEventWrite = Omit<SecurityEvent, 'at'> & { readonly at: Date };

function toSecurityEvent(row: SecurityEventModel): SecurityEvent {
  return {
    id: row.id,
    at: row.at.toISOString(),
    kind: row.kind as SecurityEvent['kind'],
    code: row.code,
    detail: row.detail,
    verified: row.verified,
    issuer: row.issuer,
    subject: row.subject,
    claims: row.claims as SecurityEvent['claims'],
    nearest: row.nearest as SecurityEvent['nearest'],
    count: row.count,
    remote: row.remote,
    requestId: row.requestId,
  };
}

export async function insertSecurityEvent(tx: Transaction, event: SecurityEventWrite): Promise<void> {
  await tx.securityEvent.create({
    data: {
      ...event,
      claims: (event.claims as object | null) ?? Prisma.DbNull,
      nearest: (event.nearest as object | null) ?? Prisma.DbNull,
    },
  });
}

export async function findSecurityEvent(tx: Transaction, id: string): Promise<SecurityEvent | null> {
  const row = await tx.securityEvent.findUnique({ where: { id } });
  return row === null ? null : toSecurityEvent(row);
}

export interface SecurityEventFilter {
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly kind?: string | undefined;
  readonly code?: string | undefined;
  readonly issuer?: string | undefined;
}

export async function listSecurityEvents(tx: Transaction, filter: SecurityEventFilter, page: PageRequest): Promise<Page<SecurityEvent>> {
  const { since, until, kind, code, issuer } = filter;
  const where = {
    id: beforeCursor(page),
    at: { ...(since === undefined ? {} : { gte: since }), ...(until === undefined ? {} : { lt: until }) },
    ...(kind === undefined ? {} : { kind }),
    ...(code === undefined ? {} : { code }),
    ...(issuer === undefined ? {} : { issuer }),
  };
  return toPage(await tx.securityEvent.findMany({ where, ...pageArguments(page) }), page, toSecurityEvent);
}

/** Deletes events from before `before`, oldest first. Returns how many: `limit` where there may be more. */
export async function purgeSecurityEvents(tx: Transaction, before: Date, limit: number): Promise<number> {
  // Ids begin with the time.
  return tx.$executeRaw`
    DELETE FROM security_events WHERE id IN (SELECT id FROM security_events WHERE id < ${newId('security_event', before.getTime())} ORDER BY id LIMIT ${limit})`;
}
