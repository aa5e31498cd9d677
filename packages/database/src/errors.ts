interface Facts {
  /** Prisma's, e.g. `P1001`. */
  readonly code: string;
  /** Postgres' SQLSTATE, or Node's `ECONNREFUSED`. */
  readonly cause: string;
  readonly kind: string;
  readonly message: string;
}

function factsOf(error: unknown): Facts {
  const { code, message, meta } = (error ?? {}) as {
    code?: unknown;
    message?: unknown;
    meta?: { driverAdapterError?: { cause?: Record<string, unknown> } };
  };
  const cause = meta?.driverAdapterError?.cause ?? {};
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    code: text(code),
    cause: text(cause['originalCode']) || text(cause['code']) || text(code),
    kind: text(cause['kind']),
    message: text(message),
  };
}

/** Not reachable (P1001), no such database now (P1003), closed (P1017), no connection or transaction in time (P2024, P2028). */
const awayCodes = new Set(['P1000', 'P1001', 'P1002', 'P1003', 'P1008', 'P1017', 'P2024', 'P2028', '3D000']);
/** Connection exceptions (08), shutting down (57P), out of resources (53). */
const awayStates = /^(?:08|57P|53)|^E(?:CONN|PIPE|TIMEDOUT|HOSTUNREACH|NOTFOUND)/;
const awayMessages =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Query read timeout|Cannot use a pool after)/;

/** Whether an error means that the database does not answer, rather than that something is wrong with what was asked. */
export function isDatabaseAway(error: unknown): boolean {
  const { code, cause, kind, message } = factsOf(error);
  return (
    awayCodes.has(code) ||
    awayCodes.has(cause) ||
    awayStates.test(cause) ||
    kind === 'DatabaseNotReachable' ||
    awayMessages.test(message.trim())
  );
}

/** Whether one of Hoop's time limits ended the database's work. A transaction is rolled back then. */
export function isDatabaseSlow(error: unknown): boolean {
  const { code, message } = factsOf(error);
  return code === 'P2024' || code === 'P2028' || /^(?:timeout exceeded when trying to connect|Query read timeout)/.test(message.trim());
}

/** Whether Postgres broke a deadlock or a serialisation conflict: the same transaction may go through next time. */
export function isTransactionConflict(error: unknown): boolean {
  const { code, cause, kind } = factsOf(error);
  return code === 'P2034' || cause === '40001' || cause === '40P01' || kind === 'TransactionWriteConflict';
}
