import { setTimeout as delay } from 'node:timers/promises';

import { PrismaPg } from '@prisma/adapter-pg';
import { parseJson } from '@hoop/contract';
import pg from 'pg';

import { isTransactionConflict } from './errors.ts';
import { PrismaClient, type Prisma } from './generated/client.ts';
import { createListener, type Listen } from './listen.ts';
import { bindGuard, createRowGuard, type RowFault, type RowGuard } from './row-signatures/guard.ts';
import type { RowKeys } from './row-signatures/keys.ts';

/** A transaction: what a store function takes. */
export type Transaction = Prisma.TransactionClient;

export interface Database {
  /** For reads outside a transaction. */
  readonly prisma: PrismaClient;
  /** The same connections, for hand-written SQL (bulk inserts). */
  readonly pool: pg.Pool;
  /**
   * Runs `fn` in one transaction (READ COMMITTED), again from its start where Postgres broke a deadlock or a
   * serialisation conflict. So `fn` must not do anything but talk to `tx`.
   */
  readonly inTransaction: <T>(fn: (tx: Transaction) => Promise<T>) => Promise<T>;
  readonly listen: Listen;
  /** Signs and checks rows, for what runs outside of Prisma; null where the process was given no keys. */
  readonly rows: RowGuard | null;
  readonly close: () => Promise<void>;
}

export interface DatabaseOptions {
  /** Connections of the pool. @default 10 */
  readonly maxConnections?: number;
  /** Postgres ends a statement that takes longer, and the client stops waiting shortly after, even if the network hangs. @default 30000 */
  readonly statementTimeoutMs?: number;
  /** Told of errors on idle connections, which need no action: the pool replaces them. */
  readonly onError?: (error: Error) => void;
  /** Without them no row that is signed can be read or written. */
  readonly rows?: RowKeys;
  /** Told of rows that were changed or made outside of Hoop: of each once in ten minutes. */
  readonly onRowFault?: (fault: RowFault) => void;
}

const attempts = 5;

const jsonTypes: ReadonlySet<number> = new Set([pg.types.builtins.JSON, pg.types.builtins.JSONB]);

/** Of what plain `pg` reads; Prisma reads by itself. */
const parserOf: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary'): any =>
  jsonTypes.has(oid) && format !== 'binary' ? parseJson : pg.types.getTypeParser(oid, format as 'text');

/** Opens a pool on a migrated database; connects with the first query. */
export function openDatabase(url: string, options: DatabaseOptions = {}): Database {
  const onError = options.onError ?? (() => undefined);
  const rows = options.rows === undefined ? null : createRowGuard(options.rows, options.onRowFault ?? (() => undefined));
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: 5000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 5000,
    keepAlive: true,
    application_name: 'hoop',
    types: { getTypeParser: parserOf },
  });
  pool.on('error', onError);
  // The pool does not listen to a connection that is handed out. Where that one drops, its statements are rejected; nobody need end.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { onPoolError: onError, onConnectionError: onError }) });
  const listener = createListener(url, onError);
  bindGuard(prisma, rows);
  const bound =
    <T>(fn: (tx: Transaction) => Promise<T>) =>
    (tx: Transaction): Promise<T> => {
      bindGuard(tx, rows?.forTransaction() ?? null);
      return fn(tx);
    };

  return {
    prisma,
    pool,
    async inTransaction(fn) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await prisma.$transaction(bound(fn), { maxWait: 5000, timeout: 15_000 });
        } catch (error) {
          if (attempt === attempts || !isTransactionConflict(error)) throw error;
          await delay(Math.random() * 10 * 2 ** attempt);
        }
      }
    },
    listen: listener.listen,
    rows,
    async close() {
      await listener.close();
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
