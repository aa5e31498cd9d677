import { newId, parseJson } from '@hoop/contract';
import type { OutcomeEntry, RecordEntry } from '@hoop/contract';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { sampleBody, sampleCall } from '../../test/sample-entries.ts';
import type { Database } from '../database.ts';
import { jsonForPostgres } from './json-for-postgres.ts';
import { recordEntries } from './record-entries.ts';
import { openSignedDatabase } from '../../test/row-keys.ts';

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openSignedDatabase(database.url);
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

const record = (...entries: RecordEntry[]): ReturnType<typeof recordEntries> => recordEntries(db.pool, entries);
const callOf = (id: string) => db.prisma.call.findUniqueOrThrow({ where: { id } });
const countersOf = (id: string) =>
  db.prisma.session.findUniqueOrThrow({ where: { id }, select: { callCount: true, refusedCount: true, failedCount: true } });
const leavesPending = (refId: string): Promise<number> => db.prisma.logPending.count({ where: { refId } });

describe('recording a call', () => {
  test('writes every column of head and outcome, the body as bytes and its data key', async () => {
    const claims = { repository: 'acme/billing', nested: { list: [1, null, true] } };
    const { intent, outcome } = sampleCall({
      head: { claims, context: { ticket: 'OPS-12' }, traceId: '4bf92f3577b34da6a3ce929d0e0e4736', approvalId: newId('approval') },
      outcome: { requestBody: sampleBody(10) },
    });
    expect(await record(intent, outcome)).toEqual([]);
    const row = await callOf(outcome.callId);
    expect(row).toMatchObject({
      sessionId: outcome.sessionId,
      at: new Date(intent.head.at),
      state: 'completed',
      hasHead: true,
      previous: null,
      purgedAt: null,
      repeats: null,
      relayId: intent.head.relayId,
      remoteAddress: '127.0.0.1',
      identityId: intent.head.subject.identityId,
      identityName: 'nightly-billing',
      issuer: intent.head.subject.issuer,
      subject: intent.head.subject.subject,
      grantId: intent.head.subject.grantId,
      claims,
      connectionId: intent.head.connectionId,
      connectionName: 'payments',
      snapshotRevision: 17,
      decision: 'allow',
      rule: 'read customers',
      reason: intent.head.decision!.reason,
      policyId: intent.head.decision!.policyId,
      policyRevision: 3,
      approvalId: intent.head.approvalId,
      context: { ticket: 'OPS-12' },
      method: 'GET',
      url: intent.head.url,
      path: intent.head.path,
      requestHeaders: intent.head.requestHeaders,
      traceId: intent.head.traceId,
      concludedAt: new Date(outcome.at),
      status: 200,
      targetStatus: 200,
      error: null,
      errorDetail: null,
      responseHeaders: outcome.responseHeaders,
      leaseFingerprint: outcome.leaseFingerprint,
      targetAddress: outcome.targetAddress,
      maskedCount: 2,
      credentialReflected: false,
      timings: outcome.timings,
      dataKeyId: outcome.dataKey!.id,
    });
    const { sealed, ...facts } = outcome.responseBody!;
    expect(row.responseBody).toEqual(facts);
    expect(JSON.stringify(row)).not.toContain(sealed);
    const bodies = await db.prisma.callBody.findMany({ where: { callId: outcome.callId }, orderBy: { side: 'asc' } });
    expect(bodies.map((body) => [body.side, Buffer.from(body.sealed!).toString('base64')])).toEqual([
      ['request', outcome.requestBody!.sealed],
      ['response', sealed],
    ]);
    expect(await db.prisma.dataKey.findUnique({ where: { id: outcome.dataKey!.id } })).toMatchObject({
      wrapped: outcome.dataKey!.wrapped,
      sessionId: outcome.sessionId,
    });
    expect(await db.prisma.session.findUnique({ where: { id: outcome.sessionId } })).toMatchObject({
      claims,
      identityName: 'nightly-billing',
      callCount: 1,
    });
  });

  test('shows a call without an outcome as pending, and no leaf of the log', async () => {
    const { intent } = sampleCall();
    await record(intent);
    expect(await callOf(intent.head.callId)).toMatchObject({ state: 'pending', hasHead: true, status: null, concludedAt: null });
    expect(await leavesPending(intent.head.callId)).toBe(0);
  });

  test('keeps an outcome that comes before its intent, and completes it when that comes', async () => {
    const { intent, outcome } = sampleCall();
    await record(outcome);
    expect(await callOf(outcome.callId)).toMatchObject({ state: 'completed', hasHead: false, method: null });
    expect(await leavesPending(outcome.callId)).toBe(0);
    await record(intent);
    expect(await callOf(outcome.callId)).toMatchObject({
      state: 'completed',
      hasHead: true,
      method: 'GET',
      status: 200,
      at: new Date(intent.head.at),
    });
    expect(await leavesPending(outcome.callId)).toBe(1);
    expect(await countersOf(outcome.sessionId)).toEqual({ callCount: 1, refusedCount: 0, failedCount: 0 });
  });

  test('has a real outcome replace unknown, with its body and a second leaf, and never the other way round', async () => {
    const { intent, outcome } = sampleCall();
    const unknown: OutcomeEntry = { ...outcome, state: 'unknown', status: null, targetStatus: null, responseBody: null, dataKey: null };
    await record(intent, unknown);
    expect(await countersOf(outcome.sessionId)).toEqual({ callCount: 1, refusedCount: 0, failedCount: 1 });
    await record(outcome);
    await record(unknown);
    expect(await callOf(outcome.callId)).toMatchObject({ state: 'completed', status: 200 });
    expect(await db.prisma.callBody.count({ where: { callId: outcome.callId } })).toBe(1);
    expect(await countersOf(outcome.sessionId)).toEqual({ callCount: 1, refusedCount: 0, failedCount: 0 });
    expect(await leavesPending(outcome.callId)).toBe(2);
  });

  test('hands a call that is closed as unknown twice to the log once', async () => {
    const { intent, outcome } = sampleCall({ bodyBytes: 0 });
    const unknown: OutcomeEntry = { ...outcome, state: 'unknown' };
    await record(intent, unknown);
    await record(unknown);
    expect(await leavesPending(outcome.callId)).toBe(1);
  });

  test('keeps the first of two real outcomes', async () => {
    const { intent, outcome } = sampleCall();
    await record(intent, outcome);
    await record({ ...outcome, state: 'failed', status: 502 });
    expect(await callOf(outcome.callId)).toMatchObject({ state: 'completed', status: 200 });
    expect(await leavesPending(outcome.callId)).toBe(1);
  });

  test('keeps a refusal, and how many more like it there were', async () => {
    const { intent, outcome } = sampleCall({
      bodyBytes: 0,
      outcome: { state: 'refused', status: 403, targetStatus: null, error: 'policy_denied' },
    });
    await record({ type: 'refusal', head: intent.head, outcome, repeats: 41 });
    expect(await callOf(outcome.callId)).toMatchObject({ state: 'refused', error: 'policy_denied', repeats: 41 });
    expect(await countersOf(outcome.sessionId)).toEqual({ callCount: 1, refusedCount: 1, failedCount: 0 });
  });

  test('ends in the same rows, whatever the order, the repetitions and the cuts between transactions, two at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            state: fc.constantFrom('completed', 'failed', 'aborted', 'refused', 'none' as const),
            isUnknown: fc.boolean(),
            session: fc.nat({ max: 2 }),
          }),
          { minLength: 1, maxLength: 8 },
        ),
        fc.infiniteStream(fc.nat()),
        async (plans, numbers) => {
          const next = (below: number): number => (numbers.next().value as number) % below;
          const sessionIds = [0, 1, 2].map(() => newId('session'));
          const expected = new Map<string, { callCount: number; refusedCount: number; failedCount: number }>();
          const states = new Map<string, string>();
          const entries: RecordEntry[] = [];
          for (const plan of plans) {
            const { intent, outcome } = sampleCall({ sessionId: sessionIds[plan.session]!, bodyBytes: 8 });
            const real = plan.state === 'none' ? null : { ...outcome, state: plan.state };
            entries.push(intent);
            if (real) entries.push(real);
            if (plan.isUnknown) entries.push({ ...outcome, state: 'unknown', responseBody: null, dataKey: null });
            const state = real?.state ?? (plan.isUnknown ? 'unknown' : 'pending');
            states.set(outcome.callId, state);
            const counters = expected.get(outcome.sessionId) ?? { callCount: 0, refusedCount: 0, failedCount: 0 };
            counters.callCount += 1;
            if (state === 'refused') counters.refusedCount += 1;
            else if (state !== 'completed' && state !== 'pending') counters.failedCount += 1;
            expected.set(outcome.sessionId, counters);
          }
          const delivered = [...entries, ...entries.filter(() => next(2) === 0)];
          for (let i = delivered.length - 1; i > 0; i--) {
            const j = next(i + 1);
            [delivered[i], delivered[j]] = [delivered[j]!, delivered[i]!];
          }
          const batches: RecordEntry[][] = [[]];
          for (const entry of delivered) {
            if (next(3) === 0) batches.push([]);
            batches.at(-1)!.push(entry);
          }
          for (let i = 0; i < batches.length; i += 2) await Promise.all([record(...batches[i]!), record(...(batches[i + 1] ?? []))]);
          for (const [id, state] of states) {
            expect(await callOf(id)).toMatchObject({ state, hasHead: true, method: 'GET' });
            const isReal = !['pending', 'unknown'].includes(state);
            expect(await db.prisma.callBody.count({ where: { callId: id } })).toBe(isReal ? 1 : 0);
          }
          for (const [id, counters] of expected) expect(await countersOf(id)).toEqual(counters);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('writes the others when the database cannot hold one entry, and names that one', async () => {
    const good = Array.from({ length: 9 }, () => sampleCall());
    const bad = sampleCall({ head: { snapshotRevision: 2 ** 40 } });
    const noTime = sampleCall({ outcome: { at: 9e15 } });
    const rejected = await record(...good.flatMap((call) => [call.intent, call.outcome]), bad.intent, noTime.intent, noTime.outcome);
    expect(new Map(rejected.map((one) => [one.callId, one.reason]))).toEqual(
      new Map([
        [bad.outcome.callId, 'a number, time or length is out of range'],
        [noTime.outcome.callId, 'a number, time or length is out of range'],
      ]),
    );
    for (const call of good) expect(await callOf(call.outcome.callId)).toMatchObject({ state: 'completed' });
  });

  test('holds whatever text comes from outside: NUL, lone surrogates, paths longer than an index row', async () => {
    const text = 'a\0b\ud800c\\u0000\\\0"';
    const path = `/${Array.from({ length: 8000 }, () => String.fromCharCode(33 + Math.floor(Math.random() * 90))).join('')}`;
    const { intent, outcome } = sampleCall({ head: { path, url: text, claims: { [text]: text } }, outcome: { errorDetail: text } });
    expect(await record(intent, outcome)).toEqual([]);
    const held = 'a\ufffdb\ufffdc\\u0000\\\ufffd"';
    expect(await callOf(outcome.callId)).toMatchObject({ path, url: held, errorDetail: held, claims: { [held]: held } });
  });

  test('throws, and writes nothing, when the database is not the reason of one entry', async () => {
    const { intent, outcome } = sampleCall();
    const closed = openSignedDatabase('postgresql://nobody@127.0.0.1:1/none');
    await expect(recordEntries(closed.pool, [intent, outcome])).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await closed.close();
  });
});

test('makes any value JSON that says the same, but for what Postgres refuses', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (binary, plain) => {
      const value = { [plain]: binary, list: [`\\${binary}`, `${binary}\\u0000`, '\\\0'] };
      const text = jsonForPostgres(value);
      expect(text).not.toMatch(/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/);
      const clean = (one: string): string => one.toWellFormed().replaceAll('\0', '\ufffd');
      expect(parseJson(text)).toEqual({ [clean(plain)]: clean(binary), list: value.list.map(clean) });
    }),
  );
});
