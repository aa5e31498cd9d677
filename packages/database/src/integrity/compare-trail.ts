/** Whether signed rows are what the audit trail last said of them: a row that is set back carries a signature too. */
import type { Transaction } from '../database.ts';
import type { RecordFinding } from '../records/check-records.ts';
import { isTrailed } from '../row-signatures/guard.ts';
import type { RowKind } from '../row-signatures/kinds.ts';
import { definitionOf, digestOfForm, formOfRow, idOfRow } from '../row-signatures/message.ts';
import { readRowsById, type StoredRow } from '../row-signatures/rows.ts';

interface Mention {
  readonly id: string;
  readonly event: string;
  /** Null: the row was removed. */
  readonly digest: string | null;
}

/**
 * Reads the events about these rows, newest first. Their order is that of the log, in which they wait in the order of
 * the transactions that wrote the row one after the other: no clock is asked.
 */
async function mentionsOf(tx: Transaction, kind: RowKind, ids: readonly string[]): Promise<Map<string, Mention[]>> {
  const rows = await tx.$queryRaw<Mention[]>`
    SELECT w.id, e.id AS event, x.digest
      FROM unnest(${[...ids]}::text[]) AS w(id)
      JOIN audit_events e ON e.rows @> jsonb_build_array(jsonb_build_object('kind', ${kind}::text, 'id', w.id))
      CROSS JOIN LATERAL jsonb_to_recordset(e.rows) AS x(kind text, id text, digest text)
     WHERE x.kind = ${kind} AND x.id = w.id
     ORDER BY (SELECT min(p.id) FROM log_pending p WHERE p.ref_id = e.id) DESC NULLS LAST,
              (SELECT min(l.index) FROM log_leaves l WHERE l.ref_id = e.id) DESC NULLS LAST`;
  return Map.groupBy(rows, (row) => row.id);
}

function digestOf(kind: RowKind, row: StoredRow): string | null {
  try {
    return digestOfForm(formOfRow(kind, row));
  } catch {
    return null;
  }
}

/**
 * Compares rows of one kind with the audit trail; rows that are gone are found where retention does not remove them.
 *
 * @param rows those of `ids` that there are, if they were read already in the same snapshot
 */
export async function compareWithTrail(
  tx: Transaction,
  kind: RowKind,
  ids: readonly string[],
  rows?: readonly StoredRow[],
): Promise<RecordFinding[]> {
  if (!isTrailed(kind) || ids.length === 0) return [];
  const stored = new Map((rows ?? (await readRowsById(tx, kind, ids))).map((row) => [idOfRow(kind, row), row]));
  const mentions = await mentionsOf(tx, kind, ids);
  const findings: RecordFinding[] = [];
  const add = (kindOfFinding: RecordFinding['kind'], id: string, detail: string): void =>
    void findings.push({ kind: kindOfFinding, id, detail, repaired: false });
  for (const id of ids) {
    const row = stored.get(id);
    const said = mentions.get(id) ?? [];
    const [newest] = said;
    if (row === undefined) {
      const isLost = newest !== undefined && newest.digest !== null && definitionOf(kind).mayExpire !== true;
      if (isLost)
        add(
          'row_missing',
          id,
          `The row ${id} (${kind}) is gone, and no audit event says that it was removed; the last one that names it is ${newest.event}.`,
        );
    } else if (newest === undefined) {
      // The settings of retention are there from the first migration on.
      if (kind !== 'retention_settings' || row.signature !== null)
        add('row_not_in_trail', id, `The row ${id} (${kind}) is signed, and no audit event tells of it: the event was removed.`);
    } else if (newest.digest !== digestOf(kind, row)) {
      add(
        'row_set_back',
        id,
        `The row ${id} (${kind}) is not as the audit event ${newest.event} left it: an earlier state of it was put back.`,
      );
    }
  }
  return findings;
}
