/** Signing of rows that are there already, by somebody who has the control plane's key and has looked at them. */
import { newId } from '@hoop/contract';

import { insertAuditEvent } from '../audit-event/store.ts';
import type { Database, Transaction } from '../database.ts';
import { guardOf, type RowFault } from './guard.ts';
import { allRowKinds, type RowKind } from './kinds.ts';
import type { Row } from './message.ts';
import { readRowsAfter, writeSignature } from './rows.ts';

export interface SignRowsOptions {
  /** @default every kind */
  readonly kinds?: readonly RowKind[];
  /** Only rows of these ids. @default all */
  readonly ids?: readonly string[];
  /** False: only say which rows would be signed. */
  readonly write: boolean;
}

const batch = 200;

/**
 * Signs every row whose signature does not hold, as the row stands: of a database from before rows were signed, or where
 * the key was lost. One audit event a batch names them. Resolves to what was wrong with each.
 */
export async function signRows(database: Database, { kinds = allRowKinds, ids, write }: SignRowsOptions): Promise<RowFault[]> {
  const faults: RowFault[] = [];
  for (const kind of kinds) {
    let after: Row | null = null as Row | null;
    for (;;) {
      const position: Row | null = after;
      const part = await database.inTransaction((tx) => signPart(tx, kind, position, ids, write));
      faults.push(...part.faults);
      if (part.last === null) break;
      after = part.last;
    }
  }
  return faults;
}

async function signPart(
  tx: Transaction,
  kind: RowKind,
  after: Row | null,
  ids: readonly string[] | undefined,
  write: boolean,
): Promise<{ faults: RowFault[]; last: Row | null }> {
  const guard = guardOf(tx);
  const faults: RowFault[] = [];
  const rows = await readRowsAfter(tx, kind, after, batch);
  for (const row of rows) {
    const fault = guard.faultOf(kind, row);
    if (fault === null || (ids !== undefined && !ids.includes(fault.id))) continue;
    faults.push(fault);
    if (write) await writeSignature(tx, kind, row, guard.sign(kind, row));
  }
  if (write && faults.length > 0) {
    if (kind === 'audit_event') await enqueue(tx, faults);
    const at = new Date();
    await insertAuditEvent(tx, {
      id: newId('audit_event', at.getTime()),
      at,
      actor: { id: 'system', name: 'rows sign', role: 'system' },
      action: 'rows.sign',
      target: { type: 'rows', id: kind, name: null },
      change: { after: { ids: faults.map((fault) => fault.id) } },
      requestId: newId('request', at.getTime()),
      remote: '',
    });
  }
  return { faults, last: rows.length < batch ? null : rows.at(-1)! };
}

/** Events that the sequencer refused get their leaf now. */
async function enqueue(tx: Transaction, faults: readonly RowFault[]): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO log_pending (kind, ref_id) SELECT 'audit_event', id FROM unnest(${faults.map((fault) => fault.id)}::text[]) AS r(id)
     WHERE NOT EXISTS (SELECT 1 FROM log_leaves l WHERE l.ref_id = r.id) AND NOT EXISTS (SELECT 1 FROM log_pending p WHERE p.ref_id = r.id)`;
}
