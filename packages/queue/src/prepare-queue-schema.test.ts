import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openQueue, prepareQueueSchema } from './index.ts';
import { scramVerifier } from './prepare-queue-schema.ts';

const role = 'hoop_relay_role_test';
const password = 'sixteen-characters-or-more';

describe("the relay's role", () => {
  let database: TestDatabase;
  let relay: pg.Client;
  let owner: pg.Client;

  function asRelay(withPassword = password): string {
    const url = new URL(database.url);
    url.username = role;
    url.password = withPassword;
    return url.href;
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    await prepareQueueSchema({ ownerUrl: database.url, role, password });
    owner = new pg.Client(database.url);
    relay = new pg.Client(asRelay());
    await Promise.all([owner.connect(), relay.connect()]);
  });
  afterAll(async () => {
    await relay?.end();
    await owner?.query(`DROP OWNED BY ${role}`);
    await owner?.query(`DROP ROLE ${role}`);
    await owner?.end();
    await database?.drop();
  });

  test('puts jobs into the queue', async () => {
    const queue = openQueue<string>('recordings', { kind: 'postgres', url: asRelay() });
    await queue.add('batch-1', 'payload');
    expect(await queue.counts()).toMatchObject({ waiting: 1 });
    await queue.close();
  });

  test('cannot log in with another password', async () => {
    const stranger = new pg.Client(asRelay('another-password-than-that'));
    await expect(stranger.connect()).rejects.toMatchObject({ code: '28P01' });
  });

  test('can read no table outside the schema of the queue', async () => {
    const { rows } = await owner.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('bullmq', 'pg_catalog', 'information_schema')`,
    );
    const names = rows.map((row) => row.name);
    expect(names).toEqual(expect.arrayContaining(['public.calls', 'public.credential_sources', 'public.admin_tokens']));
    for (const name of names) {
      await expect(relay.query(`SELECT * FROM ${name} LIMIT 1`), name).rejects.toMatchObject({ code: '42501' });
      await expect(relay.query(`DELETE FROM ${name}`), name).rejects.toMatchObject({ code: '42501' });
    }
    await expect(relay.query('SELECT * FROM pg_authid')).rejects.toMatchObject({ code: '42501' });
  });

  test.each([
    'CREATE TABLE public.mine (a int)',
    'CREATE TABLE bullmq.mine (a int)',
    'CREATE SCHEMA mine',
    'ALTER TABLE bullmq.job DISABLE TRIGGER ALL',
    'DROP TABLE bullmq.job',
    'UPDATE bullmq.migration SET min_client_version = 99',
    'CREATE ROLE other',
    'SET ROLE hoop',
    "COPY bullmq.job TO PROGRAM 'true'",
    "SELECT pg_read_file('PG_VERSION')",
  ])('cannot do %s', async (statement) => {
    await expect(relay.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  test('is not handed out when the database grants it more', async () => {
    await owner.query('CREATE TABLE left_open (a int)');
    await owner.query('GRANT SELECT ON left_open TO PUBLIC');
    await expect(prepareQueueSchema({ ownerUrl: database.url, role, password })).rejects.toThrow('relation public.left_open');
    await owner.query('DROP TABLE left_open');
    await prepareQueueSchema({ ownerUrl: database.url, role, password });
  });

  test('can be prepared by several processes at once, and gets the new password', async () => {
    await Promise.all(
      Array.from({ length: 4 }, () => prepareQueueSchema({ ownerUrl: database.url, role, password: 'the-next-password-of-it' })),
    );
    const again = new pg.Client(asRelay('the-next-password-of-it'));
    await again.connect();
    expect((await again.query('SELECT current_user AS name')).rows).toEqual([{ name: role }]);
    await again.end();
  });

  test('refuses a name or a password that is not safe', async () => {
    await expect(prepareQueueSchema({ ownerUrl: database.url, role: 'a"; DROP', password })).rejects.toThrow(TypeError);
    await expect(prepareQueueSchema({ ownerUrl: database.url, role, password: 'short' })).rejects.toThrow(TypeError);
  });
});

test('computes the SCRAM verifier that Postgres documents', () => {
  // RFC 7677 §3: user "user", password "pencil".
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  expect(scramVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});
