/** Leaves of the tamper-evident log: which record, and the digest of its canonical form. */
import { leafHash } from '../merkle/tree.ts';
import type { Hash } from '../merkle/tree.ts';

/**
 * The kind of a leaf: its statement about its record. A call has one `call` leaf: its outcome is final. Before it there can be
 * `call_unknown` (closed without an outcome, which may still turn up), after it `call_purge` (retention removed the
 * content; what stays is digested anew).
 */
export type LogLeafKind = 'audit_event' | 'call' | 'call_unknown' | 'call_purge';

export const logLeafKinds: readonly LogLeafKind[] = ['audit_event', 'call', 'call_unknown', 'call_purge'];

export interface LogLeaf {
  readonly kind: LogLeafKind;
  /** Id of the record. */
  readonly refId: string;
  /** SHA-256 of the record's canonical form, 32 bytes. */
  readonly digest: Uint8Array;
}

/** The bytes of a log entry: `hoop-log-leaf/1`, kind, id and digest (hex), a line each. */
export const leafEntry = (leaf: LogLeaf): Uint8Array =>
  Buffer.from(`hoop-log-leaf/1\n${leaf.kind}\n${leaf.refId}\n${Buffer.from(leaf.digest).toString('hex')}\n`);

/** RFC 9162 leaf hash of the entry. */
export const logLeafHash = (kind: LogLeafKind, refId: string, digest: Uint8Array): Hash => leafHash(leafEntry({ kind, refId, digest }));

/** Whether a leaf of kind `next` may follow one of kind `previous` of the same record, and with another digest. */
export function mayFollow(previous: LogLeafKind, next: LogLeafKind): boolean {
  if (previous === 'call_unknown') return next !== 'audit_event';
  return previous === 'call' && next === 'call_purge';
}
