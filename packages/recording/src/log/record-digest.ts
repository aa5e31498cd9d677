/**
 * Canonical forms of the records that are leaves of the log, and their digests. A form is a JSON object; its digest is
 * SHA-256 over a line that names the form and its version, a line feed, and the object's canonical JSON (RFC 8785).
 */
import { hash } from 'node:crypto';

import type { AuditEvent } from '@hoop/contract';

import { callForm } from '../call-digest.ts';
import type { StoredCall } from '../call-digest.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { LogLeafKind } from './leaf.ts';

const formNames: Readonly<Record<LogLeafKind, string>> = {
  audit_event: 'hoop-audit-event/1',
  call: 'hoop-call/1',
  call_unknown: 'hoop-call/1',
  call_purge: 'hoop-call-purge/1',
};

export interface LoggedRecord {
  readonly kind: LogLeafKind;
  readonly id: string;
  /** The digested members; see the top of this file. */
  readonly form: Readonly<Record<string, unknown>>;
}

export const auditEventRecord = (event: AuditEvent): LoggedRecord => ({ kind: 'audit_event', id: event.id, form: { ...event } });

export function callRecord(stored: StoredCall): LoggedRecord {
  const { id, state, purgedAt } = stored.call;
  return { kind: purgedAt !== null ? 'call_purge' : state === 'unknown' ? 'call_unknown' : 'call', id, form: callForm(stored) };
}

/** 32 bytes. */
export const formDigest = (kind: LogLeafKind, form: Readonly<Record<string, unknown>>): Buffer =>
  hash('sha256', `${formNames[kind]}\n${canonicalJson(form)}`, 'buffer');

/** Stands in for the digest of a record that was gone before it was sequenced: nobody can make a record for it. */
export const absentDigest = (kind: LogLeafKind, id: string): Buffer => hash('sha256', `hoop-absent/1\n${kind}\n${id}\n`, 'buffer');
