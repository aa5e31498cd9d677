/**
 * Signs rows before they are written and checks them before they are used. A store function finds the guard of its
 * transaction by `guardOf`; where the process was given no keys there is none, and nothing can be read or written.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

import { AppError } from '@hoop/contract';

import { createRowSignatures, type RowKeys, type RowSignatures } from './keys.ts';
import { rowKinds, type RowKind } from './kinds.ts';
import { digestOfForm, formOfRow, idOfRow, type Row } from './message.ts';

/** A row that is not what the control plane wrote. */
export interface RowFault {
  readonly kind: RowKind;
  readonly id: string;
  /** A full sentence that names the row. */
  readonly detail: string;
}

/** A row that a transaction wrote or removed (`digest` null), for the audit event. */
export interface WrittenRow {
  readonly kind: RowKind;
  readonly id: string;
  /** SHA-256 of the row's signed form, hex. */
  readonly digest: string | null;
}

type SignedRow = Row & { readonly signature: string | null };

export class RowGuard {
  readonly #signatures: RowSignatures;
  readonly #onFault: (fault: RowFault) => void;
  readonly #verified: VerifiedSignatures;
  /** Of this transaction, in order; null outside of one, where nothing would ever take them. */
  readonly #written: WrittenRow[] | null;

  constructor(
    signatures: RowSignatures,
    onFault: (fault: RowFault) => void,
    verified: VerifiedSignatures,
    written: WrittenRow[] | null = null,
  ) {
    this.#written = written;
    this.#signatures = signatures;
    this.#onFault = onFault;
    this.#verified = verified;
  }

  /** A guard for one transaction: with the same keys, and a list of its own of what is written. */
  forTransaction(): RowGuard {
    return new RowGuard(this.#signatures, this.#onFault, this.#verified, []);
  }

  /** The signature of a row that is about to be written with exactly these values. */
  sign(kind: RowKind, row: Row): string {
    const form = formOfRow(kind, row);
    if (isTrailed(kind)) this.#written?.push({ kind, id: idOfRow(kind, row), digest: digestOfForm(form) });
    return this.#signatures.sign(kind, row, form);
  }

  /** Notes that a row is removed. */
  remove(kind: RowKind, id: string): void {
    if (isTrailed(kind)) this.#written?.push({ kind, id, digest: null });
  }

  /** Takes the rows written since the last call, each in its last state. */
  takeWritten(): WrittenRow[] {
    const last = new Map((this.#written?.splice(0) ?? []).map((row) => [`${row.kind} ${row.id}`, row]));
    return [...last.values()];
  }

  /** Why a row must not be used; null: it is what the control plane wrote. Reports nothing. */
  faultOf(kind: RowKind, row: SignedRow): RowFault | null {
    if (isAsMigrated(kind, row)) return null;
    const id = idOfRow(kind, row);
    const fault = (what: string): RowFault => ({
      kind,
      id,
      detail: `The row ${id} (${kind}) in the database ${what}: it was changed or created outside of Hoop, and is not used.`,
    });
    let form: string;
    try {
      form = formOfRow(kind, row);
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) return fault('holds what no such row can hold');
      throw error;
    }
    const { signature } = row;
    const digest = digestOfForm(form);
    if (signature !== null && this.#verified.has(signature, digest)) return null;
    const why = this.#signatures.faultOf(kind, row, form, signature);
    if (why !== null) return fault(why);
    this.#verified.add(signature!, digest);
    return null;
  }

  /** Whether a row may be used. One that may not is reported. */
  isAuthentic(kind: RowKind, row: SignedRow): boolean {
    const fault = this.faultOf(kind, row);
    if (fault !== null) this.#onFault(fault);
    return fault === null;
  }

  /** @throws AppError `row_not_authentic` where the row must not be used; it is reported too */
  require<T extends SignedRow>(kind: RowKind, row: T): T {
    const fault = this.faultOf(kind, row);
    if (fault === null) return row;
    this.#onFault(fault);
    throw new AppError('row_not_authentic', fault.detail);
  }

  /** Those of many rows that may be used; the others are reported. Lets other work in between. */
  async authentic<T extends SignedRow>(kind: RowKind, rows: readonly T[]): Promise<T[]> {
    const good: T[] = [];
    let since = performance.now();
    for (const row of rows) {
      if (this.isAuthentic(kind, row)) good.push(row);
      if (performance.now() - since < sliceMs) continue;
      await nextTurn();
      since = performance.now();
    }
    return good;
  }

  report(fault: RowFault): void {
    this.#onFault(fault);
  }
}

/** The one row that a migration makes: the settings of retention as they are before anybody sets anything. */
const isAsMigrated = (kind: RowKind, row: SignedRow): boolean =>
  kind === 'retention_settings' &&
  row.signature === null &&
  row['version'] === 1 &&
  row['unattributed'] === '90d' &&
  row['maximum'] === null;

/** The event loop is held no longer than this by a verification of many rows. */
const sliceMs = 5;

/** Kinds that audit events do not name: those that functions and repeated requests write all the time, and audit events. */
const untrailed: ReadonlySet<RowKind> = new Set(['audit_event', 'idempotency_key', 'deferred_call', 'grant']);
export const isTrailed = (kind: RowKind): boolean => !untrailed.has(kind) && kind in rowKinds;

/** Signatures that were verified, with the digest of what they are of: a row that has not changed costs one hash. */
class VerifiedSignatures {
  readonly #max: number;
  #recent = new Map<string, string>();
  #older = new Map<string, string>();

  constructor(max: number) {
    this.#max = max;
  }

  has(signature: string, digest: string): boolean {
    if (this.#recent.get(signature) === digest) return true;
    if (this.#older.get(signature) !== digest) return false;
    this.add(signature, digest);
    return true;
  }

  add(signature: string, digest: string): void {
    if (this.#recent.size >= this.#max / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(signature, digest);
  }
}

/** Verified signatures that are remembered: about 300 bytes each. */
const maxVerified = 200_000;
/** The same fault is reported once in this time. */
const repeatMs = 600_000;
const maxReported = 1000;

/** Every use of a faulty row finds the fault; it is reported once, and again after a while. */
function reportOnce(onFault: (fault: RowFault) => void): (fault: RowFault) => void {
  const reported = new Map<string, number>();
  return (fault) => {
    const now = performance.now();
    const last = reported.get(fault.detail);
    if (last !== undefined && now - last < repeatMs) return;
    if (reported.size >= maxReported) reported.delete(reported.keys().next().value!);
    reported.set(fault.detail, now);
    onFault(fault);
  };
}

/** @throws Error with a sentence where the keys are unusable */
export function createRowGuard(keys: RowKeys, onFault: (fault: RowFault) => void): RowGuard {
  return new RowGuard(createRowSignatures(keys), reportOnce(onFault), new VerifiedSignatures(maxVerified));
}

const guards = new WeakMap<object, RowGuard>();

/** Gives a client or a transaction its guard. */
export function bindGuard(client: object, guard: RowGuard | null): void {
  if (guard !== null) guards.set(client, guard);
}

/** @throws Error where the process was given no keys, or the transaction was not begun by `inTransaction` */
export function guardOf(client: object): RowGuard {
  const guard = guards.get(client);
  if (guard === undefined) throw new Error('There are no keys to check the rows of this database with.');
  return guard;
}
