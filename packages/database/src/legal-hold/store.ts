/** Legal holds: what they name is left alone by retention until they are lifted. */
import type { Transaction } from '../database.ts';
import { beforeCursor, pageArguments, toAuthenticPage, type Page, type PageRequest } from '../page.ts';
import { guardOf } from '../row-signatures/guard.ts';

export type HoldKind = 'session' | 'connection' | 'identity';

export interface LegalHoldRecord {
  readonly id: string;
  readonly kind: HoldKind;
  readonly subjectId: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: Date;
  readonly liftedBy: string | null;
  readonly liftedAt: Date | null;
}

type Row = Omit<LegalHoldRecord, 'kind'> & { readonly kind: string; readonly signature: string | null };
const toHold = ({ signature: _, ...row }: Row): LegalHoldRecord => ({ ...row, kind: row.kind as HoldKind });

/** Waits for a purge that is under way: what it has not removed by then stays. */
export async function placeHold(tx: Transaction, hold: Omit<LegalHoldRecord, 'liftedBy' | 'liftedAt'>): Promise<LegalHoldRecord> {
  const data = { ...hold, liftedBy: null, liftedAt: null };
  return toHold(await tx.legalHold.create({ data: { ...data, signature: guardOf(tx).sign('legal_hold', data) } }));
}

export async function findHold(tx: Transaction, id: string): Promise<LegalHoldRecord | null> {
  const row = await tx.legalHold.findUnique({ where: { id } });
  return row === null ? null : toHold(guardOf(tx).require('legal_hold', row));
}

/** Locks the row until the transaction ends. */
export async function lockHold(tx: Transaction, id: string): Promise<LegalHoldRecord | null> {
  await tx.$queryRaw`SELECT id FROM legal_holds WHERE id = ${id} FOR UPDATE`;
  return findHold(tx, id);
}

export async function activeHoldOn(tx: Transaction, kind: HoldKind, subjectId: string): Promise<LegalHoldRecord | null> {
  const row = await tx.legalHold.findFirst({ where: { kind, subjectId, liftedAt: null } });
  return row === null ? null : toHold(guardOf(tx).require('legal_hold', row));
}

/** Lifts a hold, and has retention look again at what it kept. */
export async function liftHold(tx: Transaction, hold: LegalHoldRecord, by: string, now: Date): Promise<LegalHoldRecord> {
  const lifted = { ...hold, liftedBy: by, liftedAt: now };
  const signature = guardOf(tx).sign('legal_hold', lifted);
  const row = await tx.legalHold.update({ where: { id: hold.id }, data: { liftedBy: by, liftedAt: now, signature } });
  // Retention of a held connection has not moved on; of the others it has, past what was held.
  if (hold.kind === 'session') {
    await tx.$executeRaw`
      UPDATE retention_state r SET purged_below = LEAST(r.purged_below, kept.first)
        FROM (SELECT COALESCE(connection_id, '') AS connection_id, min(id) AS first FROM calls
               WHERE session_id = ${hold.subjectId} AND purged_at IS NULL GROUP BY 1) AS kept
       WHERE r.connection_id = kept.connection_id`;
  } else if (hold.kind === 'identity') {
    await tx.$executeRaw`
      UPDATE retention_state r SET purged_below = LEAST(r.purged_below, kept.first)
        FROM (SELECT COALESCE(connection_id, '') AS connection_id, min(id) AS first FROM calls
               WHERE identity_id = ${hold.subjectId} AND purged_at IS NULL GROUP BY 1) AS kept
       WHERE r.connection_id = kept.connection_id`;
  }
  return toHold(row);
}

export interface HoldFilter {
  readonly kind?: HoldKind | undefined;
  readonly subjectId?: string | undefined;
  /** True: those that hold; false: those that were lifted. */
  readonly isActive?: boolean | undefined;
}

export async function listHolds(
  tx: Transaction,
  { kind, subjectId, isActive }: HoldFilter,
  page: PageRequest,
): Promise<Page<LegalHoldRecord>> {
  const where = {
    ...(kind === undefined ? {} : { kind }),
    ...(subjectId === undefined ? {} : { subjectId }),
    ...(isActive === undefined ? {} : { liftedAt: isActive ? null : { not: null } }),
    id: beforeCursor(page),
  };
  return toAuthenticPage(tx, 'legal_hold', await tx.legalHold.findMany({ where, ...pageArguments(page) }), page, toHold);
}

export interface HeldSubjects {
  readonly sessions: string[];
  readonly connections: string[];
  readonly identities: string[];
}

/** Reads the held subjects. Until the transaction ends no hold can be placed or lifted, so that a purge never crosses one. */
export async function freezeHolds(tx: Transaction): Promise<HeldSubjects> {
  await tx.$executeRaw`LOCK TABLE legal_holds IN SHARE MODE`;
  const guard = guardOf(tx);
  // A hold that was changed outside of Hoop stays in force: no authorised person has lifted it.
  const rows = (await tx.legalHold.findMany()).filter((row) => !guard.isAuthentic('legal_hold', row) || row.liftedAt === null);
  const of = (kind: HoldKind): string[] => rows.filter((row) => row.kind === kind).map((row) => row.subjectId);
  return { sessions: of('session'), connections: of('connection'), identities: of('identity') };
}
