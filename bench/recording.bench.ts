/**
 * Measures the recording: calls a second from a relay's recorder through the queue into an embedded Postgres (fsync on)
 * on the same two cores, with every call counted; how long the queue takes to acknowledge; bytes stored per call;
 * the time that strict durability adds to a call over relaxed; and how long finding one session among many calls takes.
 * `--calls N` (60000), `--rows N` (1000000) change the sizes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { newId, queueNames } from '@hoop/contract';
import { listCalls, listSessions, migrateDatabase, openDatabase } from '@hoop/database';
import type { Database } from '@hoop/database';
import { startPostgres } from '@hoop/embedded-postgres';
import { openQueue, prepareQueueSchema } from '@hoop/queue';
import { createRecorder, packBatch } from '@hoop/recording';

import { selectCallIds } from '../packages/database/src/records/read-calls.ts';
import { selectSessionIds } from '../packages/database/src/records/read-sessions.ts';
import { sampleCall } from '../packages/database/test/sample-entries.ts';
import { openBench, recordLatencies } from './measure.ts';
import { measureStrictAndRelaxed } from './recording/strict-relaxed.ts';
import { startBenchWorker } from './worker.ts';

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, calls: { type: 'string', default: '60000' }, rows: { type: 'string', default: '1000000' } },
});
const calls = Number(values.calls);
const rows = Number(values.rows);
const callsPerSession = 20;
/** Calls that a relay would have under way at once. */
const concurrency = 256;

const bench = openBench('recording');
const folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-bench-recording-'));
const postgres = await startPostgres({ folder: path.join(folder, 'data'), port: 0, password: 'bench' });
try {
  await migrateDatabase(postgres.url);
  await prepareQueueSchema({ ownerUrl: postgres.url, role: 'hoop_bench_relay', password: 'a-password-for-a-benchmark' });
  const db = openDatabase(postgres.url);
  await throughput(db);
  await find(db);
  await db.close();
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
for (const atOnce of [1, 32]) {
  const { strict, relaxed } = await measureStrictAndRelaxed(2000, atOnce);
  const [addedP50Ms, addedP99Ms] = [strict.p50Ms - relaxed.p50Ms, strict.p99Ms - relaxed.p99Ms];
  bench.report({
    case: `strict adds over relaxed, ${atOnce} at once`,
    value: addedP50Ms,
    unit: 'ms p50',
    addedP99Ms,
    strictP50Ms: strict.p50Ms,
    relaxedP50Ms: relaxed.p50Ms,
    strictP99Ms: strict.p99Ms,
    relaxedP99Ms: relaxed.p99Ms,
  });
}

async function throughput(db: Database): Promise<void> {
  const relayUrl = new URL(postgres.url);
  relayUrl.username = 'hoop_bench_relay';
  relayUrl.password = 'a-password-for-a-benchmark';
  // Not pinned to one core: with Postgres and the producer it shares both.
  const worker = await startBenchWorker(postgres.url, null);
  const queue = openQueue(queueNames.recordings, { kind: 'postgres', url: relayUrl.href });
  const recorder = createRecorder({
    relayId: newId('relay'),
    pack: packBatch,
    send: (jobId, { head, bytes }) => queue.addBytes(jobId, head, 'packed', bytes),
    timeoutMs: 10_000,
  });
  const acknowledged = recordLatencies();
  const samples = Array.from({ length: 2000 }, () => sampleCall());
  const ids: string[] = [];
  const before = await bytesStored(db);

  async function one(index: number, sessionId: string): Promise<void> {
    const { intent, outcome } = samples[index % samples.length]!;
    const callId = newId('call');
    ids.push(callId);
    const at = Date.now();
    const from = performance.now();
    await recorder.intent({
      ...intent.head,
      callId,
      sessionId,
      at,
      url: `${intent.head.url}/${index}`,
      path: `${intent.head.path}/${index}`,
    });
    acknowledged.add(performance.now() - from);
    await recorder.conclude({ ...outcome, callId, sessionId, at, dataKey: { ...outcome.dataKey!, id: `key_${sessionId}` } });
  }

  const from = performance.now();
  let next = 0;
  let sessionId = newId('session');
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < calls) {
        const index = next++;
        if (index % callsPerSession === 0) sessionId = newId('session');
        await one(index, sessionId);
      }
    }),
  );
  const sentMs = performance.now() - from;
  for (;;) {
    const counts = await queue.counts();
    if (counts.failed > 0) throw new Error(`${counts.failed} batches could not be written.`);
    if (counts.waiting + counts.active + counts.delayed === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const drainedMs = performance.now() - from;
  const [stored] = await db.prisma.$queryRaw<
    { concluded: number }[]
  >`SELECT count(*)::int AS concluded FROM calls WHERE state = 'completed' AND has_head`;
  const lost = ids.length - stored!.concluded;
  const bytes = (await bytesStored(db)) - before;
  await recorder.close(1000);
  await queue.close();
  await worker.close();

  const rate = (calls / drainedMs) * 1000;
  bench.report({
    case: 'calls into Postgres, sustained',
    value: rate,
    unit: 'calls/s',
    ratio: rate / 4000,
    goal: 1,
    calls,
    lost,
    takenByQueue: (calls / sentMs) * 1000,
    queue: 'postgres',
  });
  bench.report({
    case: 'intent acknowledged by the queue',
    value: acknowledged.p50Ms,
    unit: 'ms p50',
    p50Ms: acknowledged.p50Ms,
    p99Ms: acknowledged.p99Ms,
    concurrency,
  });
  bench.report({ case: 'stored per call with a 1 KB body', value: bytes / calls, unit: 'bytes', indexes: 'included' });
  if (lost !== 0) process.exitCode = 1;
}

async function bytesStored(db: Database): Promise<number> {
  const [row] = await db.prisma.$queryRaw<{ bytes: bigint }[]>`
    SELECT sum(pg_total_relation_size(oid))::bigint AS bytes FROM pg_class
     WHERE relkind = 'r' AND relname ~ '^(calls|call_bodies|sessions|data_keys|log_pending)' AND relnamespace = 'public'::regnamespace`;
  return Number(row!.bytes);
}

/** Finds sessions by each kind of question, in a record that was filled by SQL. */
async function find(db: Database): Promise<void> {
  const end = Date.now();
  const identityId = newId('identity');
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  // A piece at a time: no statement may take longer than thirty seconds.
  const piece = 100_000;
  for (let from = 0; from < rows; from += piece)
    await db.prisma.$executeRaw`
    INSERT INTO calls (id, session_id, at, state, has_head, identity_id, connection_id, decision, rule, method, path, status, trace_id)
    SELECT left(id_floor('call', at), 15) || lpad(n::text, 16, '0'), 'ses_filled' || n / ${callsPerSession}, at, 'completed', true,
           CASE WHEN n / ${callsPerSession} % 50000 = 7 THEN ${identityId} ELSE 'idn_' || n / ${callsPerSession} % 100 END, 'con_' || n % 50, 'allow', 'rule ' || n % 20,
           'GET', '/v1/customers/' || n, CASE WHEN n % 10000 = 77 THEN 502 ELSE 200 END, CASE WHEN n = ${rows >> 1} THEN ${traceId} END
      FROM (SELECT n, to_timestamp(${end} / 1000.0) - (${rows} - n) * interval '50 milliseconds' AS at FROM generate_series(${from + 1}::int, ${Math.min(from + piece, rows)}::int) AS n) AS made`;
  await db.prisma.$executeRaw`
    INSERT INTO sessions (id, started_at, last_call_at, identity_id, call_count)
    SELECT session_id, min(at), max(at), min(identity_id), count(*) FROM calls WHERE session_id LIKE 'ses_filled%' GROUP BY session_id`;
  await db.pool.query('VACUUM ANALYZE calls');
  await db.pool.query('ANALYZE sessions');
  const questions = {
    'by trace id': { traceId },
    'by identity': { identityId },
    'by status': { status: 502 },
    'by path': { path: `/v1/customers/${rows >> 2}` },
    'by connection and period': { connectionId: 'con_7', until: new Date(end - rows * 25) },
  };
  const lists = { session: [listSessions, selectSessionIds], call: [listCalls, selectCallIds] } as const;
  for (const [name, filter] of Object.entries(questions)) {
    for (const [what, [list, select]] of Object.entries(lists)) {
      const latencies = recordLatencies();
      for (let i = 0; i < 20; i++) {
        const from = performance.now();
        const page = await list(db.prisma, filter, { limit: 1 });
        latencies.add(performance.now() - from);
        if (page.items.length !== 1) throw new Error(`No ${what} was found ${name}.`);
      }
      const sql = select(filter, { limit: 1 });
      const [answer] = await db.prisma.$queryRawUnsafe<{ 'QUERY PLAN': { Plan: Plan }[] }[]>(
        `EXPLAIN (ANALYZE, FORMAT JSON) ${sql.text}`,
        ...sql.values,
      );
      bench.report({
        case: `find a ${what} ${name}`,
        value: latencies.p50Ms,
        unit: 'ms',
        ratio: latencies.p50Ms / 50,
        goal: 1,
        lowerIsBetter: true,
        p99Ms: latencies.p99Ms,
        rows,
        ...readBy(answer!['QUERY PLAN'][0]!.Plan),
      });
    }
  }
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

/** What a statement reads: indexes, or whole tables, and rows of them. */
function readBy(plan: Plan): { by: string; rowsRead: number } {
  const by = new Set<string>();
  let rowsRead = 0;
  const visit = (node: Plan): void => {
    if (node['Node Type'].includes('Scan')) {
      if (node['Actual Loops'] > 0) by.add(node['Index Name'] ?? `all of ${node['Relation Name']}`);
      rowsRead += (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    }
    node.Plans?.forEach(visit);
  };
  visit(plan);
  return { by: [...by].join(' '), rowsRead: Math.round(rowsRead) };
}
