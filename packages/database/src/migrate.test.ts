import { createHash } from 'node:crypto';

import { createTestDatabase, type TestDatabase } from '@hoop/testkit';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { MigrationError, migrateDatabase, readMigrations, type Migration } from './migrate.ts';

let database: TestDatabase;
let client: pg.Client;
beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  client = new pg.Client(database.url);
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await database.drop();
});

const migration = (name: string, sql: string): Migration => ({ name, sql, checksum: createHash('sha256').update(sql).digest('hex') });
const rows = async () => (await client.query('SELECT * FROM _prisma_migrations ORDER BY migration_name')).rows;

describe('migrateDatabase', () => {
  it('applies every migration of the repository in order, once, also when several processes start at once', async () => {
    const all = (await readMigrations()).map(({ name }) => name);
    const applied = await Promise.all([1, 2, 3].map(() => migrateDatabase(database.url)));
    expect(applied.flat()).toEqual(all);
    expect(all).toEqual(all.toSorted());
    expect(await migrateDatabase(database.url)).toEqual([]);
  });

  it('writes what prisma writes: the checksum of the file, and one finished step', async () => {
    await migrateDatabase(database.url, [migration('1_a', 'CREATE TABLE a (x int)')]);
    expect(await rows()).toMatchObject([
      {
        migration_name: '1_a',
        checksum: createHash('sha256').update('CREATE TABLE a (x int)').digest('hex'),
        applied_steps_count: 1,
        rolled_back_at: null,
      },
    ]);
    expect((await rows())[0].finished_at).toBeInstanceOf(Date);
  });

  it('leaves nothing of a migration that fails, and keeps what went before', async () => {
    const list = [migration('1_a', 'CREATE TABLE a (x int)'), migration('2_b', 'CREATE TABLE b (x int); SELECT nonsense')];
    await expect(migrateDatabase(database.url, list)).rejects.toThrow(/The migration 2_b failed: .*nonsense/);
    expect((await rows()).map((row) => row.migration_name)).toEqual(['1_a']);
    expect((await client.query("SELECT to_regclass('b') AS b")).rows[0].b).toBeNull();
    expect(await migrateDatabase(database.url, [list[0]!, migration('2_b', 'CREATE TABLE b (x int)')])).toEqual(['2_b']);
  });

  it('refuses a migration that was changed after it had been applied', async () => {
    await migrateDatabase(database.url, [migration('1_a', 'CREATE TABLE a (x int)')]);
    await expect(migrateDatabase(database.url, [migration('1_a', 'CREATE TABLE a (y int)')])).rejects.toThrow(MigrationError);
  });

  it('refuses to go on after one that prisma left half done, and accepts one that was rolled back', async () => {
    await migrateDatabase(database.url, [migration('1_a', 'CREATE TABLE a (x int)')]);
    await client.query("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'x', '2_b')");
    const next = [migration('1_a', 'CREATE TABLE a (x int)'), migration('2_b', 'CREATE TABLE b (x int)')];
    await expect(migrateDatabase(database.url, next)).rejects.toThrow(/failed earlier/);
    await client.query("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = 'x'");
    expect(await migrateDatabase(database.url, next)).toEqual(['2_b']);
  });

  it('waits for the lock that prisma takes', async () => {
    await client.query('SELECT pg_advisory_lock(72707369)');
    const migrating = migrateDatabase(database.url, [migration('1_a', 'CREATE TABLE a (x int)')]);
    await expect
      .poll(async () => (await client.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).rowCount)
      .toBe(1);
    expect((await client.query("SELECT to_regclass('a') AS a")).rows[0].a).toBeNull();
    await client.query('SELECT pg_advisory_unlock(72707369)');
    expect(await migrating).toEqual(['1_a']);
  });
});

describe('the schema', () => {
  it('makes partitions by month of the time in the ids, and keeps what has none', async () => {
    await migrateDatabase(database.url);
    await client.query("SELECT ensure_record_partitions('2031-05-20', 2)");
    await client.query("SELECT ensure_record_partitions('2031-05-20', 2)");
    const { newId } = await import('@hoop/contract');
    const at = (iso: string): string => newId('call', Date.parse(iso));
    const partitionOf = async (id: string): Promise<string> => {
      await client.query("INSERT INTO calls (id, session_id, at) VALUES ($1, 's', now())", [id]);
      return (await client.query('SELECT tableoid::regclass::text AS name FROM calls WHERE id = $1', [id])).rows[0].name;
    };
    expect(await partitionOf(at('2031-05-01T00:00:00.000Z'))).toBe('calls_2031_05');
    expect(await partitionOf(at('2031-05-31T23:59:59.999Z'))).toBe('calls_2031_05');
    expect(await partitionOf(at('2031-06-01T00:00:00.000Z'))).toBe('calls_2031_06');
    expect(await partitionOf(at('2031-07-01T00:00:00.000Z'))).toBe('calls_default');
    // A month that the default partition already holds rows of stays there; nothing fails, nothing is lost.
    await client.query("SELECT ensure_record_partitions('2031-07-01', 1)");
    expect((await client.query('SELECT count(*)::int AS n FROM calls')).rows[0].n).toBe(4);
  });

  it('reads one partition for a call that is looked up by its id', async () => {
    await migrateDatabase(database.url);
    const { newId } = await import('@hoop/contract');
    const { rows: plan } = await client.query(`EXPLAIN SELECT * FROM calls WHERE id = '${newId('call')}'`);
    const text = JSON.stringify(plan);
    expect(text.match(/calls_\d{4}_\d{2}_pkey/g)).toHaveLength(1);
    expect(text).not.toContain('calls_default');
  });

  it('keeps audit events and policy revisions as they are', async () => {
    await migrateDatabase(database.url);
    await client.query(
      `INSERT INTO audit_events (id, at, actor_id, actor_name, actor_role, action, target_type, target_id, change, request_id, remote)
       VALUES ('a', now(), 'x', 'x', 'admin', 'x.y', 'x', 'x', '{}', 'r', '')`,
    );
    for (const statement of [
      "UPDATE audit_events SET action = 'z'",
      'DELETE FROM audit_events',
      'TRUNCATE audit_events',
      'TRUNCATE policy_revisions',
    ]) {
      await expect(client.query(statement)).rejects.toThrow(/immutable/);
    }
  });
});
