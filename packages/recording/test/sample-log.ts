/** A log in memory with its export, for tests of the verifier. */
import { newId } from '@hoop/contract';
import type { AuditEvent } from '@hoop/contract';

import { checkpointLine, headerLine, leafLine, tileLeaves, tileLine } from '../src/log/export-lines.ts';
import type { ExportedLeaf } from '../src/log/export-lines.ts';
import { logLeafHash } from '../src/log/leaf.ts';
import { generateLogKeys, logSigner } from '../src/log/log-keys.ts';
import { auditEventRecord, callRecord, formDigest } from '../src/log/record-digest.ts';
import type { LoggedRecord } from '../src/log/record-digest.ts';
import { createCompactRange } from '../src/merkle/compact-range.ts';
import type { Hash } from '../src/merkle/tree.ts';
import { sampleStoredCall } from './sample-call.ts';

export const signer = logSigner(generateLogKeys().privateJwks, 'hoop.example/audit');

export const sampleAuditEvent = (changes: Partial<AuditEvent> = {}): AuditEvent => ({
  id: newId('audit_event'),
  at: '2026-11-24T07:00:00.123Z',
  actor: { id: newId('admin_token'), name: 'ops', role: 'operator' },
  action: 'connection.update',
  target: { type: 'connection', id: newId('connection'), name: 'payments' },
  change: { before: { disabled: false }, after: { disabled: true } },
  rows: [],
  requestId: newId('request'),
  remote: '127.0.0.1',
  ...changes,
});

export interface SampleLog {
  readonly leaves: ExportedLeaf[];
  /** Signed notes by size. */
  readonly notes: Map<number, string>;
}

/** Audit events and calls in turn; every fifth call was unknown at first, every seventh was purged in the end. */
export function sampleLog(records: number, batch = 3): SampleLog {
  const wanted: LoggedRecord[] = [];
  const later: LoggedRecord[] = [];
  for (let i = 0; i < records; i++) {
    if (i % 2 === 1) wanted.push(auditEventRecord(sampleAuditEvent()));
    else {
      const stored = sampleStoredCall();
      if (i % 5 === 0) wanted.push(callRecord({ ...stored, previous: null, call: { ...stored.call, state: 'unknown', status: null } }));
      (i % 5 === 0 ? later : wanted).push(callRecord(stored));
      if (i % 7 === 0)
        later.push(
          callRecord({
            ...stored,
            sealed: { request: null, response: null },
            call: { ...stored.call, url: null, path: null, purgedAt: '2027-01-01T00:00:00.000Z' },
          }),
        );
    }
  }
  const all = [...wanted, ...later];
  const lastOf = new Map(all.map((record, index) => [record.id, index]));
  const leaves = all.map(({ kind, id, form }, index): ExportedLeaf => {
    const digest = formDigest(kind, form).toString('hex');
    const last = lastOf.get(id)!;
    if (last === index) return { index, kind, id, digest, content: 'here', record: form };
    const next = all.findIndex((record, i) => i > index && record.id === id);
    return { index, kind, id, digest, content: all[next]!.kind === 'call_purge' ? 'purged' : 'superseded' };
  });
  const notes = new Map<number, string>();
  const range = createCompactRange();
  for (const leaf of leaves) {
    range.append(hashOf(leaf));
    if (range.size() % batch === 0 || range.size() === leaves.length)
      notes.set(range.size(), signer.sign({ size: range.size(), root: range.root() }));
  }
  return { leaves, notes };
}

export const hashOf = (leaf: ExportedLeaf): Hash => logLeafHash(leaf.kind, leaf.id, Buffer.from(leaf.digest, 'hex'));

/** The export of the first `size` leaves; `stored`: leaf rows as somebody left them in the database, roots of tiles as they were. */
export function exportOf({ leaves, notes }: SampleLog, stored: readonly ExportedLeaf[] = leaves): string[] {
  const size = leaves.length;
  const lines = [headerLine(notes.get(size)!, signer.verifierKey)];
  let tile: Hash[] = [];
  stored.forEach((leaf, at) => {
    lines.push(leafLine(leaf));
    if (notes.has(leaf.index + 1) && leaf.index + 1 < size) lines.push(checkpointLine(notes.get(leaf.index + 1)!));
    tile.push(hashOf(leaf));
    if ((leaf.index + 1) % tileLeaves !== 0 && at !== stored.length - 1) return;
    const number = Math.floor(leaf.index / tileLeaves);
    const range = createCompactRange();
    for (const one of leaves.slice(number * tileLeaves, (number + 1) * tileLeaves)) range.append(hashOf(one));
    lines.push(tileLine(number, tile, range.size() === tileLeaves ? range.root() : null));
    tile = [];
  });
  return lines;
}
