/** Leaves of the tamper-evident log: which record, and the digest of its canonical form. */
import { leafHash } from '../merkle/tree.ts';
import type { Hash } from '../merkle/tree.ts';

export type LogLeafKind = 'audit_event' | 'call';

export interface LogLeaf {
  readonly kind: LogLeafKind;
  /** Id of the record. A call that was closed as unknown and turned out otherwise has two leaves; the later one holds. */
  readonly refId: string;
  /** SHA-256 of the record's canonical form, 32 bytes. */
  readonly digest: Uint8Array;
}

/** The bytes of a log entry: `hoop-log-leaf/1`, kind, id and digest (hex), a line each. */
export const leafEntry = (leaf: LogLeaf): Uint8Array =>
  Buffer.from(`hoop-log-leaf/1\n${leaf.kind}\n${leaf.refId}\n${Buffer.from(leaf.digest).toString('hex')}\n`);

/** RFC 9162 leaf hash of the entry. */
export const logLeafHash = (kind: LogLeafKind, refId: string, digest: Uint8Array): Hash => leafHash(leafEntry({ kind, refId, digest }));
