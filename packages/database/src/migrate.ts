import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import pg from 'pg';

/** The advisory lock that Prisma's own engine takes, so that the two never migrate at once. */
const migrationLock = 72_707_369;

const migrationsFolder = new URL('../../../prisma/migrations/', import.meta.url);

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256, hex: what Prisma writes to `_prisma_migrations.checksum`. */
  readonly checksum: string;
}

/** The migrations in `folder` (Prisma's layout), in their order. */
export async function readMigrations(folder: URL = migrationsFolder): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const file = new URL(`${name}/migration.sql`, folder);
      const bytes = await readFile(file).catch((cause: unknown) => {
        throw new MigrationError(`The migration ${fileURLToPath(file)} cannot be read.`, { cause });
      });
      return { name, sql: bytes.toString('utf8'), checksum: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}

interface AppliedRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
}

/**
 * Brings the database to the newest migration, each in one transaction with its row in `_prisma_migrations`, so that
 * `prisma migrate status` and `deploy` accept the result. Safe to call from several processes at once.
 *
 * @returns the names that this call applied.
 * @throws MigrationError where an applied migration was changed, failed earlier, or fails now.
 */
export async function migrateDatabase(url: string, migrations?: readonly Migration[]): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations());
  const client = new pg.Client({ connectionString: url, application_name: 'hoop-migrate' });
  // Where the connection drops, the statement under way is rejected.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    await client.query(
      `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
        "id" VARCHAR(36) PRIMARY KEY NOT NULL, "checksum" VARCHAR(64) NOT NULL, "finished_at" TIMESTAMPTZ,
        "migration_name" VARCHAR(255) NOT NULL, "logs" TEXT, "rolled_back_at" TIMESTAMPTZ,
        "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(), "applied_steps_count" INTEGER NOT NULL DEFAULT 0)`,
    );
    const { rows } = await client.query<AppliedRow>(
      'SELECT migration_name, checksum, finished_at FROM "_prisma_migrations" WHERE rolled_back_at IS NULL',
    );
    const applied = new Map(rows.map((row) => [row.migration_name, row]));
    const done: string[] = [];
    for (const migration of wanted) {
      const earlier = applied.get(migration.name);
      if (earlier === undefined) {
        await apply(client, migration);
        done.push(migration.name);
      } else if (earlier.finished_at === null) {
        throw new MigrationError(`The migration ${migration.name} failed earlier: repair it, then mark it with "prisma migrate resolve".`);
      } else if (earlier.checksum !== migration.checksum) {
        throw new MigrationError(`The migration ${migration.name} was changed after it had been applied to this database.`);
      }
    }
    return done;
  } finally {
    await client.end();
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(migration.sql);
    await client.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new MigrationError(`The migration ${migration.name} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
