/**
 * What comes behind the relay: how many calls of 1 KB a worker drains from a full queue into the embedded Postgres
 * (fsync on), the log included, on the cores that both share; and the CPU time that a call costs there: of Postgres while
 * the queue is filled as a shipper fills it, of worker and Postgres while it is drained. `--calls N` (60000) changes the size.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { newId, queueNames } from '@hoop/contract';
import { migrateDatabase } from '@hoop/database';
import { startPostgres } from '@hoop/embedded-postgres';
import { openQueue, prepareQueueSchema } from '@hoop/queue';
import { bodyMembers, intentMembers, joinGroups, outcomeMembers, packRecords, timingMembers } from '@hoop/recording';
import type { PackedEntry, SealedGroup } from '@hoop/recording';
import pg from 'pg';

import { sampleCall } from '../packages/database/test/sample-entries.ts';
import { openBench, treeCpuMs } from './measure.ts';
import { startBenchWorker } from './worker.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    calls: { type: 'string', default: '60000' },
    workers: { type: 'string', default: '1' },
  },
});
const calls = Number(values.calls);
const callsPerSession = 20;
/** As a relay at load syncs its journal, and as the shipper hands it over. */
const entriesPerGroup = 128;
const groupsPerBatch = 4;

const bench = openBench('ingest');
const folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-bench-ingest-'));
const postgres = await startPostgres({ folder: path.join(folder, 'data'), port: 0, password: 'bench' });
try {
  await migrateDatabase(postgres.url);
  await prepareQueueSchema({ ownerUrl: postgres.url, role: 'hoop_bench_relay', password: 'a-password-for-a-benchmark' });
  await drain();
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}

/** A call as a relay writes it into its journal: values in a list, and what many calls share apart from them. */
function packed(sessionId: string): [intent: PackedEntry, outcome: PackedEntry] {
  const { intent, outcome } = sampleCall({ sessionId });
  const rest = (whole: object, members: readonly string[]): string =>
    JSON.stringify(Object.fromEntries(Object.entries(whole).filter(([name]) => name !== 'type' && !members.includes(name))));
  const body = outcome.responseBody!;
  const values: Record<string, unknown> = {
    ...outcome,
    responseBody: bodyMembers
      .slice(0, 6)
      .map((name) => (name === 'sealed' ? `@${Buffer.from(body.sealed!, 'base64').length}` : body[name])),
    timings: timingMembers.map((_, index) => index + 0.25),
  };
  return [
    {
      line: JSON.stringify(['i', ...intentMembers.map((name) => intent.head[name] ?? null)]),
      shared: [rest(intent.head, intentMembers)],
      sealed: [],
    },
    {
      line: JSON.stringify(['o', ...outcomeMembers.map((name) => values[name])]),
      shared: [rest(outcome, outcomeMembers)],
      sealed: [Buffer.from(body.sealed!, 'base64')],
    },
  ];
}

function groupOf(entries: readonly PackedEntry[]): SealedGroup {
  const { packed: base64, ...head } = packRecords('rly_bench', entries);
  const bytes = Buffer.from(base64, 'base64');
  const textEnd = 4 + bytes.readUInt32BE(0);
  return { head, text: bytes.subarray(0, textEnd), bodies: [bytes.subarray(textEnd)], bytes: bytes.length };
}

async function fill(): Promise<void> {
  const url = new URL(postgres.url);
  url.username = 'hoop_bench_relay';
  url.password = 'a-password-for-a-benchmark';
  const queue = openQueue(queueNames.recordings, { kind: 'postgres', url: url.href });
  let sessionId = newId('session');
  let entries: PackedEntry[] = [];
  let groups: SealedGroup[] = [];
  for (let index = 0; index < calls; index++) {
    if (index % callsPerSession === 0) sessionId = newId('session');
    entries.push(...packed(sessionId));
    const isLast = index === calls - 1;
    if (entries.length < entriesPerGroup && !isLast) continue;
    groups.push(groupOf(entries));
    entries = [];
    if (groups.length < groupsPerBatch && !isLast) continue;
    const { head, bytes } = joinGroups(groups);
    await queue.addBytes(newId('call'), head, 'packed', bytes);
    groups = [];
  }
  await queue.close();
}

async function drain(): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  const one = async (sql: string): Promise<number> => Number(Object.values((await client.query<Record<string, string>>(sql)).rows[0]!)[0]);
  const beforeFill = treeCpuMs(postgres.pid);
  await fill();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const filledMs = treeCpuMs(postgres.pid) - beforeFill;
  const stored = () => one('SELECT pg_database_size(current_database())');
  const sizeBefore = await stored();
  const workers = await Promise.all(Array.from({ length: Number(values.workers) }, () => startBenchWorker(postgres.url, null)));
  const from = performance.now();
  const [workerBefore, postgresBefore] = [workers.reduce((sum, worker) => sum + worker.cpuMs(), 0), treeCpuMs(postgres.pid)];
  let recordsAtMs = 0;
  let waitingLeaves = 0;
  // Counting the calls would cost Postgres more than it is measured for.
  for (let leaves = 0; leaves < calls; leaves = await one('SELECT size FROM log_state')) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (recordsAtMs > 0 || (await one('SELECT count(*) FROM bullmq.job')) > 0) continue;
    recordsAtMs = performance.now() - from;
    waitingLeaves = await one('SELECT count(*) FROM log_pending');
  }
  const leavesAtMs = performance.now() - from;
  recordsAtMs ||= leavesAtMs;
  const workerMs = workers.reduce((sum, worker) => sum + worker.cpuMs(), 0) - workerBefore;
  const postgresMs = treeCpuMs(postgres.pid) - postgresBefore;
  const records = await one(`SELECT count(*) FROM calls WHERE state = 'completed'`);
  const us = (ms: number): number => (ms * 1000) / calls;
  bench.report({
    case: 'drained into Postgres',
    value: (calls / recordsAtMs) * 1000,
    unit: 'calls/s',
    goal: 6000,
    calls,
    records,
    waitingLeaves,
  });
  bench.report({ case: 'drained and in the log', value: (calls / leavesAtMs) * 1000, unit: 'calls/s' });
  bench.report({
    case: 'CPU of worker, Postgres and queue',
    value: us(workerMs + postgresMs + filledMs),
    unit: 'us/call',
    goal: 250,
    lowerIsBetter: true,
    worker: us(workerMs),
    postgres: us(postgresMs),
    queueAdd: us(filledMs),
  });
  bench.report({ case: 'stored', value: ((await stored()) - sizeBefore) / calls, unit: 'bytes/call' });
  for (const worker of workers) await worker.close();
  await client.end();
}
