import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { newId } from '@hoop/contract';
import { findIdentityProvider, openDatabase } from '@hoop/database';
import type { Database } from '@hoop/database';
import { generateLogKeys } from '@hoop/recording';
import { createTestDatabase, type TestDatabase } from '@hoop/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { runCommand } from './command.ts';

const keys = generateLogKeys();
let testDatabase: TestDatabase;
let database: Database;
let folder: string;
let keyFile: string;

beforeAll(async () => {
  [testDatabase, folder] = await Promise.all([createTestDatabase(), mkdtemp(path.join(tmpdir(), 'hoop-rows-'))]);
  database = openDatabase(testDatabase.url, { rows: { controlPlane: keys.publicJwks } });
  keyFile = path.join(folder, 'rows.json');
  await writeFile(keyFile, JSON.stringify(keys.privateJwks), { mode: 0o600 });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
  await rm(folder, { recursive: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string[]; said: string[] }> {
  const [out, said]: [string[], string[]] = [[], []];
  const io = {
    env: { DATABASE_URL: testDatabase.url },
    out: (line: string) => void out.push(line),
    say: (line: string) => void said.push(line),
    stop: new AbortController().signal,
  };
  const code = await runCommand(['rows', ...args, '--key-file', keyFile], io as unknown as Parameters<typeof runCommand>[1]);
  return { code, out, said };
}

test('rows from before they were signed are of no use until somebody who has the key signs them', async () => {
  const [one, two] = [newId('identity_provider'), newId('identity_provider')];
  const at = new Date();
  for (const id of [one, two]) {
    const settings = { issuer: `https://${id}.example`, audiences: ['hoop'] };
    await database.prisma.identityProvider.create({
      data: { id, name: id, issuer: settings.issuer, settings, revision: 1, createdAt: at, updatedAt: at },
    });
  }
  await database.pool.query(
    `INSERT INTO audit_events (id, at, actor_id, actor_name, actor_role, action, target_type, target_id, change, request_id, remote)
     VALUES ('aud_old', now(), 'x', 'x', 'admin', 'x.y', 'x', 'x', '{}', 'r', '')`,
  );
  await expect(findIdentityProvider(database.prisma, one)).rejects.toMatchObject({ code: 'row_not_authentic' });
  const listed = await run('list', '--kind', 'identity_provider');
  expect(listed).toMatchObject({ code: 1, said: ['2 rows do not hold.'] });
  expect(listed.out.toSorted()).toEqual([one, two].map((id) => `identity_provider  ${id}`).toSorted());
  // Naming them signs nothing.
  await expect(run('sign')).rejects.toThrow('--yes');
  await expect(findIdentityProvider(database.prisma, one)).rejects.toMatchObject({ code: 'row_not_authentic' });

  expect(await run('sign', '--id', one, '--yes')).toMatchObject({ code: 0, said: ['1 rows were signed.'] });
  expect((await findIdentityProvider(database.prisma, one))?.id).toBe(one);
  await expect(findIdentityProvider(database.prisma, two)).rejects.toMatchObject({ code: 'row_not_authentic' });
  expect((await run('sign', '--yes')).out.toSorted()).toEqual(['audit_event  aud_old', `identity_provider  ${two}`].toSorted());
  expect(await run('list', '--json')).toEqual({ code: 0, out: [], said: ['0 rows do not hold.'] });

  // Told of in the audit trail, event by event; and the old event gets its leaf.
  const events = await database.prisma.auditEvent.findMany({ where: { action: 'rows.sign' } });
  expect(events.flatMap((event) => (event.change as { after: { ids: string[] } }).after.ids).toSorted()).toEqual(
    ['aud_old', one, two].toSorted(),
  );
  expect(await database.prisma.logPending.count({ where: { refId: 'aud_old' } })).toBe(1);
});

test('what is missing or not known is said in a sentence', async () => {
  await expect(run('check')).rejects.toThrow('list and sign');
  await expect(run('list', '--kind', 'nothing')).rejects.toThrow('no rows of the kind');
  await expect(run('list', '--what')).rejects.toThrow('hoop help rows');
  await writeFile(keyFile, 'no key');
  await expect(run('list')).rejects.toThrow('cannot be read as JSON');
});
