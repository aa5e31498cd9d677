import { createTestDatabase, type TestDatabase } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Database } from './database.ts';
import { isDatabaseAway, isTransactionConflict } from './errors.ts';
import { openSignedDatabase } from '../test/row-keys.ts';

let server: TestDatabase;
let database: Database;
beforeAll(async () => {
  server = await createTestDatabase();
  database = openSignedDatabase(server.url);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const cutListeners = () =>
  database.pool.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hoop-listen' AND datname = current_database()",
  );
const notify = (channel: string, payload: string) => database.pool.query('SELECT pg_notify($1, $2)', [channel, payload]);

describe('inTransaction', () => {
  it('keeps nothing of what throws', async () => {
    await expect(
      database.inTransaction(async (tx) => {
        await tx.tombstone.create({ data: { id: 'x', revision: 1 } });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await database.prisma.tombstone.count({ where: { id: 'x' } })).toBe(0);
  });

  it('starts over where Postgres breaks a deadlock', async () => {
    await database.prisma.tombstone.createMany({
      data: [
        { id: 'a', revision: 0 },
        { id: 'b', revision: 0 },
      ],
    });
    let runs = 0;
    const meet = Promise.withResolvers<void>();
    let arrived = 0;
    const both = (first: string, second: string) =>
      database.inTransaction(async (tx) => {
        const isFirstRun = ++runs <= 2;
        await tx.$executeRaw`UPDATE tombstones SET revision = revision + 1 WHERE id = ${first}`;
        if (isFirstRun) {
          if (++arrived === 2) meet.resolve();
          await meet.promise;
        }
        await tx.$executeRaw`UPDATE tombstones SET revision = revision + 1 WHERE id = ${second}`;
      });
    await Promise.all([both('a', 'b'), both('b', 'a')]);
    expect(runs).toBe(3);
    expect(
      (await database.prisma.tombstone.findMany({ where: { id: { not: 'none' } }, orderBy: { id: 'asc' } })).map((row) => row.revision),
    ).toEqual([2, 2]);
  });
});

describe('listen', () => {
  it('hears what a transaction tells when it commits, and nothing of one that does not', async () => {
    const heard: (string | null)[] = [];
    const stop = await database.listen('news', (payload) => heard.push(payload));
    await database
      .inTransaction(async (tx) => tx.$executeRaw`SELECT pg_notify('news', 'lost')`.then(() => Promise.reject(new Error('rolled back'))))
      .catch(() => undefined);
    await database.inTransaction(async (tx) => tx.$executeRaw`SELECT pg_notify('news', 'kept')`);
    await expect.poll(() => heard).toEqual(['kept']);
    await stop();
  });

  it('comes back when its connection is cut, and says that something may have been missed', async () => {
    const heard: (string | null)[] = [];
    const stop = await database.listen('news', (payload) => heard.push(payload));
    for (let i = 1; i <= 3; i++) {
      await cutListeners();
      await expect.poll(() => heard.filter((one) => one === null).length).toBe(i);
      await notify('news', `after ${i}`);
      await expect.poll(() => heard.at(-1)).toBe(`after ${i}`);
    }
    await stop();
  });

  it('stops when it is told, and leaves other listeners alone', async () => {
    const one: unknown[] = [];
    const other: unknown[] = [];
    const stopOne = await database.listen('shared', (payload) => one.push(payload));
    const stopOther = await database.listen('shared', (payload) => other.push(payload));
    await stopOne();
    await notify('shared', 'x');
    await expect.poll(() => other).toEqual(['x']);
    expect(one).toEqual([]);
    await stopOther();
  });

  it('subscribes to many channels at once', async () => {
    const heard = new Set<string>();
    const stops = await Promise.all(['a', 'b', 'c', 'd'].map((channel) => database.listen(channel, () => heard.add(channel))));
    for (const channel of ['a', 'b', 'c', 'd']) await notify(channel, '');
    await expect.poll(() => heard.size).toBe(4);
    await Promise.all(stops.map((stop) => stop()));
  });
});

describe('an error of the database', () => {
  it('is told apart: away, in conflict, or of what was asked', async () => {
    const away = openSignedDatabase(server.url.replace(/:\d+\//, ':1/'));
    const nowhere = openSignedDatabase(server.url.replace(/\/[^/]+$/, '/nothing_of_the_kind'));
    for (const one of [away, nowhere]) {
      for (const attempt of [
        () => one.prisma.tombstone.count(),
        () => one.prisma.$queryRaw`SELECT 1`,
        () => one.inTransaction((tx) => tx.tombstone.count()),
      ]) {
        const error = await (attempt() as Promise<unknown>).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(isDatabaseAway(error)).toBe(true);
        expect(isTransactionConflict(error)).toBe(false);
      }
      await one.close();
    }
    const wrong = await database.prisma.$queryRaw`SELECT 1 / 0`.catch((thrown: unknown) => thrown);
    expect(isDatabaseAway(wrong)).toBe(false);
    expect(isDatabaseAway(new Error('x'))).toBe(false);
    expect(isDatabaseAway(null)).toBe(false);
  });
});
