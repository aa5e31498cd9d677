import { createHash } from 'node:crypto';

import { newId } from '@hoop/contract';
import type { CallHead, OutcomeEntry, RecordEntry } from '@hoop/contract';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { sampleBody, sampleCall } from '../../test/sample-entries.ts';
import type { Database } from '../database.ts';
import type { Prisma } from '../generated/client.ts';
import type { CallFilter } from './call-filter.ts';
import { findCall, listCalls, listSessionCalls, readBodies, selectCallIds } from './read-calls.ts';
import { findSession, listSessions, selectSessionIds } from './read-sessions.ts';
import type { SessionFilter } from './read-sessions.ts';
import { recordEntries } from './record-entries.ts';
import { openSignedDatabase } from '../../test/row-keys.ts';

const start = Date.now() - 24 * 3_600_000;
const identities = Array.from({ length: 5 }, (_, i) => newId('identity', start + i));
const connections = Array.from({ length: 5 }, (_, i) => newId('connection', start + i));
const sessionIds = Array.from(
  { length: 300 },
  (_, i) =>
    `ses_${createHash('sha256')
      .update(`${i}`)
      .digest('hex')
      .replace(/[ilou]/g, '0')
      .slice(0, 26)}`,
);
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const perSession = 30;

interface Made {
  readonly head: CallHead;
  readonly outcome: OutcomeEntry | null;
}
const made: Made[] = [];

/** Some of everything that is looked for: rare things are rare, as they are in a real record. */
function make(index: number): Made {
  const session = Math.floor(index / perSession);
  const at = start + index * 1000;
  const isDenied = index % 200 === 7;
  const isError = index % 150 === 11;
  const { intent, outcome } = sampleCall({
    at,
    bodyBytes: 0,
    sessionId: sessionIds[session]!,
    head: {
      method: index % 500 === 3 ? 'DELETE' : 'GET',
      path: index % 400 === 5 ? '/v1/refunds' : `/v1/customers/${index}`,
      traceId: index === 4321 ? traceId : null,
      subject: {
        identityId: identities[session % 5]!,
        identityName: `function-${session % 5}`,
        issuer: 'https://issuer.example',
        subject: 's',
        grantId: null,
      },
      connectionId: connections[index % 5]!,
      ...(isDenied
        ? { decision: { effect: 'deny' as const, rule: 'nobody deletes', reason: 'r', policyId: null, policyRevision: null } }
        : {}),
    },
    outcome: isDenied
      ? { state: 'refused', status: 403, error: 'policy_denied', targetStatus: null }
      : isError
        ? { state: 'failed', status: 502, error: 'target_reset' }
        : {},
  });
  return { head: intent.head, outcome: index === 8888 ? null : outcome };
}

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openSignedDatabase(database.url);
  for (let index = 0; index < sessionIds.length * perSession; index++) made.push(make(index));
  for (let from = 0; from < made.length; from += 1500) {
    const entries = made
      .slice(from, from + 1500)
      .flatMap(({ head, outcome }): RecordEntry[] => [{ type: 'intent', head }, ...(outcome ? [outcome] : [])]);
    await recordEntries(db.pool, entries);
  }
  await db.pool.query('ANALYZE calls, sessions');
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

const stateOf = (call: Made): string => call.outcome?.state ?? 'pending';
const filters: readonly (readonly [name: string, filter: CallFilter, matches: (call: Made) => boolean])[] = [
  ['nothing', {}, () => true],
  ['session', { sessionId: sessionIds[17]! }, (call) => call.head.sessionId === sessionIds[17]],
  ['identity', { identityId: identities[2]! }, (call) => call.head.subject.identityId === identities[2]],
  ['connection', { connectionId: connections[3]! }, (call) => call.head.connectionId === connections[3]],
  ['decision', { decision: 'deny' }, (call) => call.head.decision?.effect === 'deny'],
  ['rule', { rule: 'nobody deletes' }, (call) => call.head.decision?.rule === 'nobody deletes'],
  ['state', { state: 'failed' }, (call) => stateOf(call) === 'failed'],
  ['pending', { state: 'pending' }, (call) => stateOf(call) === 'pending'],
  ['status', { status: 502 }, (call) => call.outcome?.status === 502],
  ['error', { error: 'target_reset' }, (call) => call.outcome?.error === 'target_reset'],
  ['method', { method: 'DELETE' }, (call) => call.head.method === 'DELETE'],
  ['path', { path: '/v1/refunds' }, (call) => call.head.path === '/v1/refunds'],
  ['start of a path', { path: '/v1/customers/77*' }, (call) => call.head.path.startsWith('/v1/customers/77')],
  ['trace id', { traceId }, (call) => call.head.traceId === traceId],
  [
    'period',
    { since: new Date(start + 100_000), until: new Date(start + 200_000) },
    (call) => call.head.at >= start + 100_000 && call.head.at < start + 200_000,
  ],
  [
    'several',
    { identityId: identities[1]!, decision: 'deny', connectionId: connections[2]! },
    (call) =>
      call.head.subject.identityId === identities[1] && call.head.decision?.effect === 'deny' && call.head.connectionId === connections[2],
  ],
];

interface Plan {
  'Node Type': string;
  'Rows Removed by Filter'?: number;
  'Actual Rows': number;
  'Actual Loops': number;
  Plans?: Plan[];
}

/** Rows that Postgres read to answer: what was passed on by scans, and what their filters threw away. */
async function rowsRead(query: Prisma.Sql): Promise<number> {
  const { rows } = await db.pool.query<{ 'QUERY PLAN': { Plan: Plan }[] }>({
    text: `EXPLAIN (ANALYZE, FORMAT JSON) ${query.text}`,
    values: [...query.values],
  });
  const visit = (plan: Plan): number => {
    const own = plan['Node Type'].includes('Scan')
      ? (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
      : 0;
    return own + (plan.Plans ?? []).reduce((sum, child) => sum + visit(child), 0);
  };
  return visit(rows[0]!['QUERY PLAN'][0]!.Plan);
}

describe('listing calls', () => {
  test.each(filters)('by %s gives those that match, newest first, page by page', async (_name, filter, matches) => {
    const expected = made
      .filter(matches)
      .map((call) => call.head.callId)
      .sort()
      .reverse();
    expect(expected.length).toBeGreaterThan(0);
    const found: string[] = [];
    let before: string | undefined;
    do {
      const page = await listCalls(db.prisma, filter, { limit: 200, before });
      found.push(...page.items.map((call) => call.id));
      before = page.last ?? undefined;
    } while (before !== undefined && found.length <= 1000);
    expect(found).toEqual(expected.slice(0, found.length));
    if (expected.length <= 1000) expect(found).toHaveLength(expected.length);
  });

  test.each(filters)('by %s reads about as many rows as it gives, far into the record too', async (_name, filter) => {
    const middle = made[made.length >> 1]!.head.callId;
    for (const before of [undefined, middle]) {
      const read = await rowsRead(selectCallIds(filter, { limit: 50, before }));
      expect(read).toBeLessThan(700);
    }
  });

  test('says in a summary who called what, with which decision and result', async () => {
    const denied = made.findLast((call) => call.head.decision?.effect === 'deny')!;
    const { items } = await listCalls(db.prisma, { decision: 'deny' }, { limit: 1 });
    expect(items[0]).toEqual({
      id: denied.head.callId,
      sessionId: denied.head.sessionId,
      at: new Date(denied.head.at).toISOString(),
      state: 'refused',
      identity: { id: denied.head.subject.identityId, name: denied.head.subject.identityName },
      connection: { id: denied.head.connectionId, name: 'payments' },
      method: denied.head.method,
      url: denied.head.url,
      path: denied.head.path,
      decision: denied.head.decision,
      status: 403,
      targetStatus: null,
      error: 'policy_denied',
      durationMs: null,
    });
  });
});

test('tells paths apart beyond what the index holds of them', async () => {
  const long = `/${'x'.repeat(300)}`;
  const at = start - 1_000_000;
  const [a, b] = ['a', 'b'].map((end, i) => sampleCall({ at: at + i, bodyBytes: 0, head: { path: `${long}${end}` } }));
  await recordEntries(db.pool, [a!.intent, b!.intent]);
  const found = async (path: string): Promise<string[]> =>
    (await listCalls(db.prisma, { path }, { limit: 10 })).items.map((call) => call.id);
  expect(await found(`${long}a`)).toEqual([a!.outcome.callId]);
  expect(await found(`${long}b*`)).toEqual([b!.outcome.callId]);
  expect(await found(`${long}*`)).toEqual([b!.outcome.callId, a!.outcome.callId]);
  expect(await found(`${long}`)).toEqual([]);
  await db.pool.query('DELETE FROM calls WHERE at < $1', [new Date(start)]);
  await db.pool.query('DELETE FROM sessions WHERE started_at < $1', [new Date(start)]);
});

describe('listing sessions', () => {
  const callsOf = (sessionId: string): Made[] => made.filter((call) => call.head.sessionId === sessionId);
  test.each(filters.filter(([name]) => name !== 'session'))(
    'by %s gives those with a call that matches, newest first, page by page',
    async (_name, filter, matches) => {
      const { since, until, ...rest } = filter as SessionFilter;
      const expected = sessionIds
        .filter((id) => {
          const first = made[sessionIds.indexOf(id) * perSession]!.head.at;
          return (
            (!since || first >= since.getTime()) &&
            (!until || first < until.getTime()) &&
            (Object.keys(rest).length === 0 || callsOf(id).some(matches))
          );
        })
        .reverse();
      expect(expected.length).toBeGreaterThan(0);
      const found: string[] = [];
      let before: string | undefined;
      do {
        const page = await listSessions(db.prisma, filter, { limit: 40, before });
        found.push(...page.items.map((session) => session.id));
        before = page.last ?? undefined;
        if (before !== undefined) expect(before).toMatch(/^[0-9a-z_]{1,100}$/);
      } while (before !== undefined);
      expect(found).toEqual(expected);
    },
  );

  test('goes on within sessions that began in the same millisecond', async () => {
    const at = start - 2_000_000;
    const ids = ['a', 'b', 'c'].map((end) => `ses_same${end}`);
    const same = ids.map((sessionId) => sampleCall({ at, sessionId, bodyBytes: 0, head: { traceId: 'same' } }).intent);
    await recordEntries(db.pool, same);
    const found: string[] = [];
    let before: string | undefined;
    do {
      const page = await listSessions(db.prisma, { traceId: 'same' }, { limit: 1, before });
      found.push(...page.items.map((session) => session.id));
      before = page.last ?? undefined;
    } while (before !== undefined);
    expect(found).toEqual([...ids].reverse());
    await db.pool.query('DELETE FROM calls WHERE at < $1', [new Date(start)]);
    await db.pool.query('DELETE FROM sessions WHERE started_at < $1', [new Date(start)]);
  });

  test('gives nothing for a cursor that nobody was given', async () => {
    expect(await listSessions(db.prisma, {}, { limit: 10, before: 'ses_x' })).toEqual({ items: [], last: null });
  });

  test('finds one, with the counts of its calls', async () => {
    const id = sessionIds[0]!;
    const calls = callsOf(id);
    expect(await findSession(db.prisma, id)).toMatchObject({
      id,
      startedAt: new Date(calls[0]!.head.at).toISOString(),
      lastCallAt: new Date(calls.at(-1)!.head.at).toISOString(),
      callCount: perSession,
      refusedCount: calls.filter((call) => stateOf(call) === 'refused').length,
      failedCount: calls.filter((call) => stateOf(call) === 'failed').length,
    });
    expect(await findSession(db.prisma, newId('session'))).toBeNull();
  });

  test('gives its calls in the order in which they began, in parts', async () => {
    const ids = callsOf(sessionIds[5]!)
      .map((call) => call.head.callId)
      .sort();
    const first = await listSessionCalls(db.prisma, sessionIds[5]!, { limit: 20 });
    const rest = await listSessionCalls(db.prisma, sessionIds[5]!, { limit: 20, after: first.at(-1)!.id });
    expect([...first, ...rest].map((call) => call.id)).toEqual(ids);
  });
});

test('gives a call whole, and its bodies as they were sealed, with the wrapped key of each', async () => {
  const { intent, outcome } = sampleCall({ head: { claims: { a: 1 } }, outcome: { requestBody: sampleBody(3) } });
  await recordEntries(db.pool, [intent, outcome]);
  const call = await findCall(db.prisma, outcome.callId);
  expect(call).toMatchObject({
    claims: { a: 1 },
    requestHeaders: intent.head.requestHeaders,
    responseHeaders: outcome.responseHeaders,
    timings: outcome.timings,
    purgedAt: null,
  });
  expect(call!.responseBody).toEqual({
    bytes: 1024,
    digest: outcome.responseBody!.digest,
    keptBytes: 1024,
    truncated: false,
    contentType: 'application/json',
  });
  const bodies = await readBodies(db.prisma, [outcome.callId], null);
  expect(bodies.map((body) => ({ ...body, sealed: Buffer.from(body.sealed).toString('base64') }))).toEqual([
    { callId: outcome.callId, side: 'request', sealed: outcome.requestBody!.sealed, wrappedKey: outcome.dataKey!.wrapped },
    { callId: outcome.callId, side: 'response', sealed: outcome.responseBody!.sealed, wrappedKey: outcome.dataKey!.wrapped },
  ]);
  expect(await findCall(db.prisma, newId('call'))).toBeNull();
  expect(await readBodies(db.prisma, [newId('call')], null)).toEqual([]);
});

describe('among thirty thousand sessions, listing', () => {
  beforeAll(async () => {
    await db.pool.query(
      `INSERT INTO sessions (id, started_at, last_call_at, identity_id, call_count)
       SELECT 'ses_older' || n, $1::timestamptz - n * interval '1 second', $1, ($2::text[])[1 + n % 5], 1 FROM generate_series(1, 30000) AS n`,
      [new Date(start - 1000), identities],
    );
    await db.pool.query('ANALYZE sessions');
  });

  test.each([
    ['nothing', {}],
    ['identity', { identityId: identities[2]! }],
    ['trace id', { traceId }],
  ] as const)('by %s reads about as many rows as it gives', async (_name, filter) => {
    expect(await rowsRead(selectSessionIds(filter, { limit: 20 }))).toBeLessThan(150);
  });
});
