import pg from 'pg';

const attempts = 5;

/** Runs `fn` in a transaction, again from its start where Postgres broke a deadlock or a serialisation conflict (class 40). */
export async function withTransaction<T>(pool: pg.Pool, fn: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const client = await pool.connect();
    let broken: Error | undefined;
    // A connection that is lost between two statements says so by an event; the next statement fails by it anyway.
    client.on('error', ignore);
    try {
      await client.query('BEGIN');
      const result = await fn(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      broken = await client.query('ROLLBACK').then(
        () => undefined,
        (cause: Error) => cause,
      );
      if (attempt === attempts || !(error instanceof pg.DatabaseError && error.code?.startsWith('40'))) throw error;
    } finally {
      client.off('error', ignore);
      // A connection that cannot even roll back is not handed to anybody else.
      client.release(broken);
    }
  }
}

const ignore = (): void => undefined;
