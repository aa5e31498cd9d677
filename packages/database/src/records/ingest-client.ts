import type pg from 'pg';

/** A connection within a transaction; plain `pg`, because these statements carry megabytes. */
export type IngestClient = Pick<pg.ClientBase, 'query'>;
