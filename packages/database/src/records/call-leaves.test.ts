import type { OutcomeEntry, RecordEntry } from '@hoop/contract';
import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { sampleBody, sampleCall } from '../../test/sample-entries.ts';
import { openSignedDatabase } from '../../test/row-keys.ts';
import type { Database } from '../database.ts';
import { readLoggedRecords } from '../log/logged-records.ts';
import { recordEntries } from './record-entries.ts';

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

interface Waiting {
  readonly ref_id: string;
  readonly leaf_kind: string | null;
  readonly digest: Buffer | null;
}

async function waiting(...ids: string[]): Promise<Waiting[]> {
  const { rows } = await db.pool.query<Waiting>('SELECT * FROM log_pending WHERE ref_id = ANY($1::text[]) ORDER BY id', [ids]);
  return rows;
}

async function readBack(...ids: string[]): Promise<Map<string, [kind: string, digest: string]>> {
  const records = await readLoggedRecords(db.pool, { calls: ids, auditEvents: [] });
  return new Map([...records.values()].map((record) => [record.id, [record.kind, Buffer.from(record.digest).toString('hex')]]));
}

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom('a\0b', '\ud800', '\\u0000', '"', '\\', '{}', 'NULL', ''),
);
const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(-0, 1e-7, 1e21, 1e300, 5e-324, 0.1 + 0.2));
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value')),
    fc.dictionary(text, tie('value')),
  ),
})).value;
const headers = fc.array(fc.tuple(text, text), { maxLength: 4 });
const int = fc.integer({ min: 0, max: 2 ** 31 - 1 });

const anyCall = fc.record({
  at: fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 11, 31) }),
  claims: fc.option(fc.dictionary(text, json, { maxKeys: 3 }), { nil: null }),
  context: fc.option(fc.dictionary(text, json, { maxKeys: 3 }), { nil: null }),
  url: text,
  path: text,
  method: text,
  subject: fc.option(text, { nil: null }),
  reason: text,
  requestHeaders: headers,
  responseHeaders: fc.option(headers, { nil: null }),
  errorDetail: fc.option(text, { nil: null }),
  timings: fc.dictionary(text, number, { maxKeys: 4 }),
  bodies: fc.tuple(fc.nat(40), fc.nat(40)),
  status: fc.option(int, { nil: null }),
  state: fc.constantFrom('completed' as const, 'failed' as const, 'unknown' as const, 'refused' as const),
});
type AnyCall = typeof anyCall extends fc.Arbitrary<infer T> ? T : never;

/** With ids of its own each time: a property is run again while it is shrunk. */
function entriesOf(any: AnyCall): RecordEntry[] {
  const { intent, outcome } = sampleCall({ at: any.at });
  const { head } = intent;
  const decision = { ...head.decision!, reason: any.reason };
  const { url, path, method, requestHeaders } = any;
  const [claims, context] = [any.claims, any.context] as [null, null];
  return [
    {
      type: 'intent',
      head: { ...head, claims, context, url, path, method, requestHeaders, decision, subject: { ...head.subject, subject: any.subject } },
    },
    {
      ...outcome,
      state: any.state,
      status: any.status,
      responseHeaders: any.responseHeaders,
      errorDetail: any.errorDetail,
      timings: any.timings,
      requestBody: any.bodies[0] === 0 ? null : sampleBody(any.bodies[0]),
      responseBody: any.bodies[1] === 0 ? null : sampleBody(any.bodies[1]),
      dataKey: any.bodies[1] === 0 ? null : outcome.dataKey,
    } as OutcomeEntry,
  ];
}

describe('the digest of a call that was written whole', () => {
  test('is that of the row as it is read again, whatever the call holds (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCall, { minLength: 1, maxLength: 8 }), async (any) => {
        const calls = any.map(entriesOf);
        const entries = calls.flat();
        expect(await recordEntries(db.pool, entries)).toEqual([]);
        const ids = calls.map(([intent]) => (intent as RecordEntry & { type: 'intent' }).head.callId);
        const rows = await waiting(...ids);
        expect(new Map(rows.map((row) => [row.ref_id, [row.leaf_kind, row.digest?.toString('hex')]]))).toEqual(await readBack(...ids));
        expect(rows).toHaveLength(ids.length);
      }),
      { numRuns: 100 },
    );
  });

  test('tells of claims as the exchange recorded them', async () => {
    const { intent, outcome } = sampleCall({ head: { claims: { repository: 'acme/billing' } } });
    const { grantId, identityId, issuer, subject } = intent.head.subject;
    await db.pool.query(
      `INSERT INTO grants (id, identity_id, issuer, subject, claims, connection_ids, issued_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, '{}', now(), now())`,
      [grantId, identityId, issuer, subject, { repository: 'acme/billing', actor: 'ada' }],
    );
    await recordEntries(db.pool, [intent, outcome]);
    const [row] = await waiting(outcome.callId);
    expect((await readBack(outcome.callId)).get(outcome.callId)).toEqual(['call', row!.digest!.toString('hex')]);
    expect(await db.prisma.call.findUniqueOrThrow({ where: { id: outcome.callId } })).toMatchObject({
      claims: { repository: 'acme/billing', actor: 'ada' },
    });
  });

  test('tells of the data key that was there before, not of another of its id', async () => {
    const first = sampleCall();
    await recordEntries(db.pool, [first.intent, first.outcome]);
    const second = sampleCall({
      sessionId: first.outcome.sessionId,
      outcome: { dataKey: { ...first.outcome.dataKey!, wrapped: 'another' } },
    });
    await recordEntries(db.pool, [second.intent, second.outcome]);
    const [row] = await waiting(second.outcome.callId);
    expect((await readBack(second.outcome.callId)).get(second.outcome.callId)).toEqual(['call', row!.digest!.toString('hex')]);
  });

  test('is left to the sequencer where the row, or a body, was there before', async () => {
    const inTwo = sampleCall();
    await recordEntries(db.pool, [inTwo.intent]);
    await recordEntries(db.pool, [inTwo.outcome]);
    const planted = sampleCall();
    await db.pool.query(`INSERT INTO call_bodies (call_id, side, sealed) VALUES ($1, 'response', 'planted')`, [planted.outcome.callId]);
    await recordEntries(db.pool, [planted.intent, planted.outcome]);
    expect(await waiting(inTwo.outcome.callId, planted.outcome.callId)).toMatchObject([{ digest: null }, { digest: null }]);
  });
});
