/** Queries of a large record read an index, few partitions, and no more rows than needed. */
import { newId } from '@hoop/contract';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '../database.ts';
import type { Prisma } from '../generated/client.ts';
import type { CallFilter } from './call-filter.ts';
import { selectCallIds } from './read-calls.ts';
import { selectSessionIds } from './read-sessions.ts';
import { openSignedDatabase } from '../../test/row-keys.ts';

const rows = 40_000;
const perSession = 20;
const end = Date.now();
const identityId = newId('identity');
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openSignedDatabase(database.url);
  // PUT is one call in a hundred of its partition, whichever day it is: of one in ten the planner expects to meet some soon, and walks.
  await db.prisma.$executeRaw`
    INSERT INTO calls (id, session_id, at, state, has_head, identity_id, connection_id, decision, rule, method, path, status, error, trace_id, credential_reflected)
    SELECT left(id_floor('call', at), 15) || lpad(n::text, 16, '0'), 'ses_filled' || n / ${perSession}, at,
           CASE WHEN n % 5000 = 1 THEN 'failed' ELSE 'completed' END, true,
           CASE WHEN n / ${perSession} = 700 THEN ${identityId} ELSE 'idn_' || n / ${perSession} % 100 END, 'con_' || n % 50,
           CASE WHEN n % 4000 = 3 THEN 'deny' ELSE 'allow' END, 'rule ' || n % 20, CASE WHEN n % 3000 = 5 THEN 'DELETE' WHEN n <= 200 THEN 'PUT' ELSE 'GET' END,
           '/v1/customers/' || n, CASE WHEN n % 5000 = 1 THEN 502 ELSE 200 END, CASE WHEN n % 5000 = 1 THEN 'target_reset' END,
           CASE WHEN n = ${rows >> 1} THEN ${traceId} END, n % 5000 = 7
      FROM (SELECT n, to_timestamp(${end} / 1000.0) - (${rows} - n) * interval '2 minutes' AS at FROM generate_series(1, ${rows}) AS n) AS made`;
  await db.prisma.$executeRaw`
    INSERT INTO sessions (id, started_at, last_call_at, identity_id, call_count)
    SELECT session_id, min(at), max(at), min(identity_id), count(*) FROM calls GROUP BY session_id`;
  await db.pool.query('VACUUM ANALYZE calls');
  await db.pool.query('ANALYZE sessions');
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Plan[];
}

/** Rows that were read of tables and indexes, those that a filter threw away included; and scans of whole tables. */
async function read(sql: Prisma.Sql): Promise<{ rows: number; whole: string[]; found: number }> {
  const [answer] = await db.prisma.$queryRawUnsafe<{ 'QUERY PLAN': { Plan: Plan }[] }[]>(
    `EXPLAIN (ANALYZE, FORMAT JSON) ${sql.text}`,
    ...sql.values,
  );
  const whole: string[] = [];
  let count = 0;
  const visit = (plan: Plan): void => {
    // What is read of a part that was computed before is in memory.
    if (plan['Node Type'].includes('Scan') && plan['Node Type'] !== 'CTE Scan')
      count += (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
    if (plan['Node Type'] === 'Seq Scan' && plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0) > 1000)
      whole.push(plan['Relation Name']!);
    plan.Plans?.forEach(visit);
  };
  const top = answer!['QUERY PLAN'][0]!.Plan;
  visit(top);
  return { rows: count, whole, found: top['Actual Rows'] };
}

const questions: [string, CallFilter][] = [
  ['nothing in particular', {}],
  ['the identity', { identityId }],
  ['the connection', { connectionId: 'con_7' }],
  ['a decision', { decision: 'deny' }],
  ['a rule', { rule: 'rule 3' }],
  ['a state', { state: 'failed' }],
  ['a status', { status: 502 }],
  ['an error', { error: 'target_reset' }],
  ['a method', { method: 'DELETE' }],
  ['a method that was used long ago', { method: 'PUT' }],
  ['nearly every call', { decision: 'allow' }],
  ['a path', { path: '/v1/customers/10000' }],
  ['the start of a path', { path: '/v1/customers/1000*' }],
  ['the trace', { traceId }],
  ['a reflected credential', { credentialReflected: true }],
  ['a period', { since: new Date(end - 2 * 86_400_000), until: new Date(end - 86_400_000) }],
  ['the connection in a period', { connectionId: 'con_7', since: new Date(end - 20 * 86_400_000), until: new Date(end - 10 * 86_400_000) }],
];

describe(`of ${rows} calls over eight weeks`, () => {
  test.each(questions)('a page by %s reads few of them', async (_name, filter) => {
    const plan = await read(selectCallIds(filter, { limit: 20 }));
    expect(plan.found).toBeGreaterThan(0);
    expect(plan.whole).toEqual([]);
    expect(plan.rows).toBeLessThan(1000);
  });

  test('a page deep in the list reads few of them, not all that come before it', async () => {
    const first = await read(selectCallIds({ connectionId: 'con_7' }, { limit: 20 }));
    const [row] = await db.prisma.$queryRaw<{ id: string }[]>`SELECT id FROM calls ORDER BY id OFFSET 5000 LIMIT 1`;
    const deep = await read(selectCallIds({ connectionId: 'con_7' }, { limit: 20, before: row!.id }));
    expect(deep.found).toBe(first.found);
    expect(deep.rows).toBeLessThan(2000);
  });

  test.each(questions.filter(([, filter]) => filter.rule === undefined))(
    'a page of sessions by %s reads few of them',
    async (_name, filter) => {
      const plan = await read(selectSessionIds(filter, { limit: 20 }));
      expect(plan.found).toBeGreaterThan(0);
      expect(plan.rows).toBeLessThan(rows / 4);
    },
  );

  test('sessions of few calls and of many are the same as one by one', async () => {
    const since = new Date(end - 20 * 86_400_000);
    const until = new Date(end - 3 * 86_400_000);
    const cases: [CallFilter, Prisma.CallWhereInput][] = [
      [{ status: 502 }, { status: 502 }],
      [{ method: 'PUT' }, { method: 'PUT' }],
      [{ decision: 'allow' }, { decision: 'allow' }],
      [
        { connectionId: 'con_7', since },
        { connectionId: 'con_7', at: { gte: since } },
      ],
    ];
    for (const [filter, matches] of cases) {
      const found = await db.prisma.$queryRaw<{ id: string }[]>(selectSessionIds(filter, { limit: 30, before: `${until.getTime()}_0` }));
      const matching = await db.prisma.call.findMany({ where: matches, select: { sessionId: true }, distinct: ['sessionId'] });
      const sessions = await db.prisma.session.findMany({
        where: {
          id: { in: matching.map(({ sessionId }) => sessionId) },
          startedAt: { lt: until, ...(filter.since === undefined ? {} : { gte: filter.since }) },
        },
        orderBy: [{ startedAt: 'desc' }, { id: 'desc' }],
        take: 31,
      });
      expect(found.length).toBeGreaterThan(0);
      expect(found.map(({ id }) => id)).toEqual(sessions.map(({ id }) => id));
    }
  });

  test('a session is walked through along its own index', async () => {
    const plan = await read(selectCallIds({ sessionId: 'ses_filled1000' }, { limit: 50 }));
    expect([plan.found, plan.whole]).toEqual([perSession, []]);
    expect(plan.rows).toBeLessThan(200);
  });
});
