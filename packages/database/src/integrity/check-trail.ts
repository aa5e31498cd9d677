/** Audit events, each with its signature, its leaf in the log, and the rows that it names. */
import { formDigest, auditEventRecord } from '@hoop/recording';

import { toAuditEvent } from '../audit-event/store.ts';
import type { Transaction } from '../database.ts';
import type { AuditEventModel } from '../generated/models.ts';
import type { RecordCheck, RecordFinding } from '../records/check-records.ts';
import { guardOf, type WrittenRow } from '../row-signatures/guard.ts';
import { allRowKinds, type RowKind } from '../row-signatures/kinds.ts';
import { compareWithTrail } from './compare-trail.ts';

/** Younger events may not have their leaf yet. */
const settleMs = 60_000;

export async function checkTrail(tx: Transaction, after: string, limit: number): Promise<RecordCheck> {
  const rows = await tx.auditEvent.findMany({ where: { id: { gt: after } }, orderBy: { id: 'asc' }, take: limit });
  const guard = guardOf(tx);
  const findings: RecordFinding[] = [];
  const good: AuditEventModel[] = [];
  for (const row of rows) {
    const fault = guard.faultOf('audit_event', row);
    // Rows without a valid signature were reported with the other rows.
    if (fault === null) good.push(row);
  }
  findings.push(...(await compareWithLog(tx, good)));
  for (const [kind, ids] of namedRows(good)) findings.push(...(await compareWithTrail(tx, kind, ids)));
  return { checked: rows.length, findings, next: rows.length < limit ? 'leaves.0' : `trail.${rows.at(-1)!.id}` };
}

/** The rows that events say they left behind, by kind. */
function namedRows(events: readonly AuditEventModel[]): Map<RowKind, string[]> {
  const named = new Map<RowKind, Set<string>>();
  for (const { kind, id, digest } of events.flatMap((event) => event.rows as unknown as WrittenRow[])) {
    if (digest === null || !allRowKinds.includes(kind)) continue;
    const ids = named.get(kind) ?? new Set();
    named.set(kind, ids.add(id));
  }
  return new Map([...named].map(([kind, ids]) => [kind, [...ids]]));
}

async function compareWithLog(tx: Transaction, events: readonly AuditEventModel[]): Promise<RecordFinding[]> {
  const ids = events.map((event) => event.id);
  const leaves = await tx.logLeaf.findMany({ where: { refId: { in: ids } }, orderBy: { index: 'asc' } });
  const pending = await tx.logPending.findMany({ where: { refId: { in: ids } }, select: { refId: true } });
  const isPending = new Set(pending.map((row) => row.refId));
  const digests = new Map(leaves.map((leaf) => [leaf.refId, leaf.digest]));
  const findings: RecordFinding[] = [];
  for (const event of events) {
    const digest = digests.get(event.id);
    if (isPending.has(event.id)) continue;
    if (digest === undefined) {
      if (Date.now() - event.at.getTime() > settleMs)
        findings.push({
          kind: 'event_not_logged',
          id: event.id,
          detail: `${event.id} has no leaf in the log and is not queued for one: it was removed from the queue or the log.`,
          repaired: false,
        });
    } else if (Buffer.compare(digest, digestOf(event)) !== 0) {
      findings.push({
        kind: 'digest_mismatch',
        id: event.id,
        detail: `${event.id} is not what was signed: its row or its leaf was changed.`,
        repaired: false,
      });
    }
  }
  return findings;
}

const digestOf = (event: AuditEventModel): Buffer => formDigest('audit_event', auditEventRecord(toAuditEvent(event)).form);
