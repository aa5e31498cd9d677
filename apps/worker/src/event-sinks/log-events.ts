/** Events of the log as CloudEvents 1.0. */
import type { AuditEvent, CallResource, LogEventType } from '@hoop/contract';
import { readLoggedRecords, readStoredCalls } from '@hoop/database';
import type { Database, LeafRecord } from '@hoop/database';

const typeOf = {
  audit_event: 'hoop.audit_event.recorded',
  call: 'hoop.call.concluded',
  call_unknown: 'hoop.call.concluded',
  call_purge: 'hoop.call.purged',
} as const satisfies Record<LeafRecord['kind'], LogEventType>;

export interface LogEvent {
  readonly specversion: '1.0';
  /** Index in the log. */
  readonly id: string;
  readonly source: string;
  readonly type: LogEventType;
  /** Id of the call or audit event. */
  readonly subject: string;
  /** When it was sequenced. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** The index so that it sorts as text (the `sequence` extension). */
  readonly sequence: string;
  /** SHA-256, hex, that the log holds of the record. */
  readonly digest: string;
  /** The record as the REST API gives it at the moment of sending; bodies are not in it. Null: it is gone. */
  readonly data: CallResource | AuditEvent | null;
}

/** Events of leaves, in their order, without those of types that are not wanted. `types`: empty for all. */
export async function eventsOf(db: Database, leaves: readonly LeafRecord[], types: readonly string[], source: string): Promise<LogEvent[]> {
  const wanted = leaves.filter((leaf) => types.length === 0 || types.includes(typeOf[leaf.kind]));
  const idsOf = (isAudit: boolean): string[] =>
    wanted.filter((leaf) => (leaf.kind === 'audit_event') === isAudit).map((leaf) => leaf.refId);
  const data = new Map<string, CallResource | AuditEvent>();
  for (const { call } of await readStoredCalls(db.pool, idsOf(false))) data.set(call.id, call);
  for (const { id, form } of (await readLoggedRecords(db.pool, { calls: [], auditEvents: idsOf(true) })).values())
    data.set(id, form as unknown as AuditEvent);
  return wanted.map((leaf) => ({
    specversion: '1.0',
    id: String(leaf.index),
    source,
    type: typeOf[leaf.kind],
    subject: leaf.refId,
    time: new Date(leaf.at).toISOString(),
    datacontenttype: 'application/json',
    sequence: String(leaf.index).padStart(16, '0'),
    digest: Buffer.from(leaf.digest).toString('hex'),
    data: data.get(leaf.refId) ?? null,
  }));
}
