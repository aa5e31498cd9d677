import type { PgPool } from 'bullmq';
import pg from 'pg';

/** The one schema that BullMQ uses when it is handed a pool. */
export const queueSchema = 'bullmq';

export interface PoolOptions {
  /** Connections at most. A worker's LISTEN connection comes out of these. */
  readonly max: number;
  /** Milliseconds that connecting, and each query, may take. */
  readonly timeoutMs: number;
  readonly applicationName: string;
}

/**
 * A pool whose every session resolves unqualified names in the queue's schema and nowhere else.
 * Native ESM cannot `require('pg')`, so BullMQ is handed this pool and does not end it: the owner does.
 */
export function createQueuePool(url: string, options: PoolOptions): PgPool {
  const pool = new QueuePool({
    connectionString: withPinned(url),
    max: options.max,
    connectionTimeoutMillis: options.timeoutMs,
    query_timeout: options.timeoutMs,
    statement_timeout: options.timeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: options.applicationName,
  });
  // An idle connection that drops is replaced when the next is needed; without a listener it would end the process.
  pool.on('error', () => undefined);
  // So would one that drops while it is handed out (BullMQ takes some and does not listen). Its statements are rejected all the same.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // The same methods; the declarations disagree about the argument of `release`.
  return pool as unknown as PgPool;
}

/**
 * The last of each wins, so a URL cannot point the queue elsewhere, and whatever the server's default is, what was
 * acknowledged is in its write-ahead log.
 */
function withPinned(url: string): string {
  const parsed = new URL(url);
  const own = parsed.searchParams.get('options');
  const pinned = `-c search_path=${queueSchema} -c synchronous_commit=on`;
  parsed.searchParams.set('options', own ? `${own} ${pinned}` : pinned);
  return parsed.href;
}

/**
 * BullMQ waits before it tries again only where it recognises a lost connection, which it does by `ECONNREFUSED`;
 * any other failure of an outage (57P01, a reset, a timeout) would have its worker spin. So all of them get that code.
 */
class QueuePool extends pg.Pool {
  // pg's own type is a dozen overloads; BullMQ uses the promise forms only.
  override query = (async (...args: unknown[]): Promise<unknown> => {
    try {
      return await (pg.Pool.prototype.query as (...args: unknown[]) => Promise<unknown>).apply(this, args);
    } catch (error) {
      throw isOutage(error) ? asConnectionError(error) : error;
    }
  }) as unknown as pg.Pool['query'];

  override connect = (async (...args: unknown[]): Promise<unknown> => {
    // pg's own `query` connects by callback, and its errors come through `query` above.
    if (args.length > 0) return (pg.Pool.prototype.connect as (...args: unknown[]) => unknown).apply(this, args);
    try {
      return await (pg.Pool.prototype.connect as () => Promise<unknown>).apply(this);
    } catch (error) {
      throw isOutage(error) ? asConnectionError(error) : error;
    }
  }) as unknown as pg.Pool['connect'];
}

const outageCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** Connection exceptions (08), insufficient resources (53), operator intervention (57), system errors (58), read-only (25006). */
const outageStates = /^(?:08|53|57|58)|^25006$/;
const outageMessages =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error/;

/** True where waiting and trying again may help: the server is away, starting, full or read-only. */
export function isOutage(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isOutage);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return outageCodes.has(code) || (code.length === 5 && outageStates.test(code)) || outageMessages.test(error.message);
}

function asConnectionError(cause: unknown): Error {
  const error = new Error('The queue cannot be reached (ECONNREFUSED)', { cause });
  return Object.assign(error, { code: 'ECONNREFUSED' });
}
