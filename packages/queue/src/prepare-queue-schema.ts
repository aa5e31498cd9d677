import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { runMigrations } from 'bullmq';
import pg from 'pg';

import { queueSchema } from './postgres.ts';

export interface PrepareQueueSchemaOptions {
  /** Postgres URL of a role that may create schemas and roles. */
  readonly ownerUrl: string;
  /** The relay's role. Created, or brought to the state described below. */
  readonly role: string;
  /** ASCII, at least 16 characters. It reaches the server only as a SCRAM verifier, so no server log can show it. */
  readonly password: string;
}

/**
 * Brings BullMQ's schema up to date and gives `role` what a relay needs: log in, and read and write the rows of the
 * queue's schema. It may not change that schema, nor reach any other table, nor create anything anywhere; where the
 * database grants it more (to PUBLIC, say), this throws instead of handing out the role.
 * Can be run again, and by several processes at once.
 */
export async function prepareQueueSchema(options: PrepareQueueSchemaOptions): Promise<void> {
  const { role, password } = options;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(role)) throw new TypeError('A role name must be lower-case letters, digits or "_".');
  if (!/^[\x21-\x7e]{16,}$/.test(password)) throw new TypeError('A role password must be at least 16 printable ASCII characters.');
  const verifier = scramVerifier(password);
  const client = new pg.Client({ connectionString: options.ownerUrl, connectionTimeoutMillis: 10_000 });
  // Where the connection drops, the statement under way is rejected.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await runMigrations(client, queueSchema);
    for (let attempt = 1; ; attempt++) {
      try {
        await client.query('BEGIN');
        for (const statement of [...settings, ...grants(role, verifier)]) await client.query(statement);
        await refuseMore(client, role);
        await client.query('COMMIT');
        return;
      } catch (error) {
        await client.query('ROLLBACK');
        // Roles belong to the whole server, so another database's preparation may touch the same row: Postgres then
        // reports "tuple concurrently updated" (XX000), and no lock reaches across databases.
        if (attempt === 5 || !(error instanceof pg.DatabaseError && error.code === 'XX000')) throw error;
      }
    }
  } finally {
    await client.end();
  }
}

const job = `${queueSchema}.job`;

const settings: readonly string[] = [
  // Large payloads come compressed, so Postgres need not try again. Only when it is not so yet: the lock is exclusive.
  `DO $$ BEGIN
     IF (SELECT attstorage FROM pg_attribute WHERE attrelid = '${job}'::regclass AND attname = 'data') <> 'e' THEN
       ALTER TABLE ${job} ALTER COLUMN data SET STORAGE EXTERNAL;
     END IF;
   END $$`,
  // A queue's table is small and churns: a share of its size is the wrong measure for when to vacuum.
  `ALTER TABLE ${job} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
     toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 5000)`,
];

function grants(role: string, verifier: string): string[] {
  const name = pg.escapeIdentifier(role);
  return [
    `DO $$ BEGIN CREATE ROLE ${name} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
    `ALTER ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT PASSWORD ${pg.escapeLiteral(verifier)}`,
    `ALTER ROLE ${name} SET search_path TO ${queueSchema}`,
    `REVOKE ALL ON SCHEMA ${queueSchema} FROM PUBLIC`,
    `GRANT USAGE ON SCHEMA ${queueSchema} TO ${name}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${queueSchema} TO ${name}`,
    `REVOKE INSERT, UPDATE, DELETE ON ${queueSchema}.migration FROM ${name}`,
    `GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${queueSchema} TO ${name}`,
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${queueSchema} TO ${name}`,
  ];
}

/** Throws where the role can reach anything beyond the queue's schema, by any grant. */
async function refuseMore(client: pg.Client, role: string): Promise<void> {
  const { rows } = await client.query<{ reach: string }>(
    `SELECT format('%s %I.%I', 'relation', n.nspname, c.relname) AS reach
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname NOT IN ($2, 'pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
        AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND (has_table_privilege($1, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') OR has_any_column_privilege($1, c.oid, 'SELECT, INSERT, UPDATE'))
     UNION ALL
     SELECT format('creating in schema %I', nspname) FROM pg_namespace
      WHERE nspname !~ '^pg_' AND has_schema_privilege($1, oid, 'CREATE')
     UNION ALL
     SELECT format('the rights of role %I', r.rolname)
       FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid WHERE m.member = $1::regrole
     LIMIT 5`,
    [role, queueSchema],
  );
  if (rows.length > 0) {
    throw new Error(
      `The relay's role ${role} would reach more than the queue: ${rows.map((row) => row.reach).join(', ')}. Revoke that first.`,
    );
  }
}

/** RFC 5803 in Postgres' notation: what `CREATE ROLE … PASSWORD` stores for SCRAM-SHA-256. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16), iterations = 4096): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}
