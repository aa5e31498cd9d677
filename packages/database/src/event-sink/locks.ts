/** Which worker sends for which sink: advisory locks of one connection, which Postgres gives up when its worker dies. */
import type pg from 'pg';

/** First half of the lock's key; the second is made from the sink's id. */
const lockClass = 72_707_371;

export interface SinkLocks {
  /** True where this worker sends for the sink from now on. */
  tryTake(sinkId: string): Promise<boolean>;
  release(sinkId: string): Promise<void>;
  /** False once the connection is lost: then every lock is. */
  readonly isAlive: () => boolean;
  close(): Promise<void>;
}

/** Takes one connection of the pool until it is closed. */
export async function openSinkLocks(pool: pg.Pool): Promise<SinkLocks> {
  const client = await pool.connect();
  let lost: Error | undefined;
  const onLost = (error: Error): void => {
    lost ??= error;
  };
  client.on('error', onLost);
  const isAlive = (): boolean => lost === undefined;
  // A client runs one statement at a time.
  let last: Promise<unknown> = Promise.resolve();
  const run = (text: string, sinkId: string): Promise<pg.QueryResult<{ ok: boolean }>> => {
    const next = last
      .catch(() => undefined)
      .then(() => {
        if (lost) throw lost;
        return client.query<{ ok: boolean }>(text, [lockClass, sinkId]);
      });
    last = next;
    return next;
  };
  return {
    isAlive,
    async tryTake(sinkId) {
      return (await run('SELECT pg_try_advisory_lock($1, hashtext($2)) AS ok', sinkId)).rows[0]!.ok;
    },
    async release(sinkId) {
      if (isAlive()) await run('SELECT pg_advisory_unlock($1, hashtext($2)) AS ok', sinkId).catch(onLost);
    },
    async close() {
      await last.catch(() => undefined);
      // The session is not returned to the pool: its next user would hold these locks.
      client.release(new Error('closed'));
    },
  };
}
