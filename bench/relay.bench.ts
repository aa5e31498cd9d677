/**
 * Calls per second of one relay process with all ten steps on, over a bare undici dispatch proxy: 1 KB of JSON, 128
 * connections, every call with its grant, its decision, its injected credential, its intent and its outcome durable in
 * the queue (Postgres, fsync on) before its last byte. The process under test has one core; load, target, database and,
 * afterwards, the worker have the other. Beside it the bare proxy with nothing but that record (recording-proxy.ts): what
 * any relay pays that makes intent and outcome durable through the queue, so the most that the relay could reach.
 */
import path from 'node:path';

import { relayNodeFlags } from '@hoop/relay/node-flags';
import { findProgram, startTestRedis } from '@hoop/testkit';
import pg from 'pg';

import { openBench, pinSelf, startProcess } from './measure.ts';
import type { BenchProcess, Sample } from './measure.ts';
import { load, startCannedTarget } from './relay/load.ts';
import { startStage } from './relay/stage.ts';
import type { Stage } from './relay/stage.ts';
import { startBenchWorker } from './worker.ts';

const connections = 128;
const forMs = 4000;

const bench = openBench('relay');
const pinned = pinSelf();
const customers = Array.from({ length: 8 }, (_, id) => ({
  id,
  name: `Customer ${id}`,
  email: `c${id}@example.com`,
  city: 'Springfield',
  note: 'x'.repeat(30),
}));
const target = await startCannedTarget('application/json', JSON.stringify({ data: customers }).padEnd(1024, ' '));
const stage = await startStage([
  { name: 'plain', target: target.url },
  { name: 'heads', target: target.url, recording: { capture: 'heads' } },
  { name: 'masked', target: target.url, mask: [{ path: '$.data[*].email', action: 'partial' }] },
]);
const proxy = startProcess(path.join(import.meta.dirname, 'relay/bare-proxy.ts'), {
  args: [target.url],
  // The same heap for both.
  execArgv: ['--conditions=@hoop/source', ...relayNodeFlags],
});
const proxyUrl = await proxy.listening();
const startRecording = (capture: 'full' | 'heads'): BenchProcess =>
  startProcess(path.join(import.meta.dirname, 'relay/recording-proxy.ts'), {
    args: [target.url, stage.queueUrl, capture],
    execArgv: ['--conditions=@hoop/source', ...relayNodeFlags],
  });
let calls = 0;
let failures = 0;

const head =
  (requestPath: string, grants: readonly string[]) =>
  (index: number): string =>
    `GET ${requestPath} HTTP/1.1\r\naccept: application/json\r\nuser-agent: bench\r\nauthorization: Bearer ${grants[index]}`;

interface Side {
  readonly url: string;
  readonly path: string;
  readonly process: BenchProcess;
  /** Whose grants are sent. @default stage */
  readonly grantsOf?: Stage;
}

async function turn({ url, path: requestPath, process: side, grantsOf = stage }: Side): Promise<Sample> {
  // Fresh grants for every turn: each connection is a function's invocation of its own.
  const grants = await Promise.all(Array.from({ length: connections }, () => grantsOf.grant()));
  const cpuBefore = side.cpuMs();
  const result = await load({ url, connections, forMs, head: head(requestPath, grants) });
  failures += result.failures;
  if (side === stage.relay) calls += result.responses;
  return { ...result, extra: { cpuUsPerCall: ((side.cpuMs() - cpuBefore) * 1000) / result.responses } };
}

const bare: Side = { url: proxyUrl, path: '/v1/customers', process: proxy };

for (const [what, name, goal] of [
  ['1 KB, all steps', 'plain', 0.7],
  // As the line above says it: intent and outcome with their heads, bodies digested and not kept.
  ['1 KB, all steps, bodies not kept', 'heads', 0.7],
  ['1 KB, all steps, a masking rule', 'masked', 0.5],
] as const) {
  await bench.compare({
    case: what,
    unit: 'req/s',
    goal,
    candidate: () => turn({ url: stage.relayUrl, path: `/${name}/v1/customers`, process: stage.relay }),
    baseline: () => turn(bare),
    extra: { pinned, connections },
  });
}
for (const [what, capture] of [
  ['1 KB, the record alone, no relay', 'full'],
  ['1 KB, the record alone, bodies not kept', 'heads'],
] as const) {
  const recording = startRecording(capture);
  const url = await recording.listening();
  await bench.compare({
    case: what,
    unit: 'req/s',
    candidate: () => turn({ url, path: '/v1/customers', process: recording }),
    baseline: () => turn(bare),
    extra: { pinned, connections },
  });
  await recording.close();
}
// Where installed, the queue of production: Redis with an append-only file that is synced before every answer.
if (findProgram('redis-server') !== null) {
  const redis = await startTestRedis();
  const onRedis = await startStage([{ name: 'plain', target: target.url }], { redisUrl: redis.url });
  await bench.compare({
    case: '1 KB, all steps, queue on Redis',
    unit: 'req/s',
    goal: 0.7,
    candidate: () => turn({ url: onRedis.relayUrl, path: '/plain/v1/customers', process: onRedis.relay, grantsOf: onRedis }),
    baseline: () => turn(bare),
    extra: { pinned, connections },
  });
  await onRedis.close();
  await redis.stop();
}
await proxy.close();

// The worker now moves into the records the entries that the relay wrote while it was away.
const database = new pg.Client({ connectionString: stage.databaseUrl });
await database.connect();
const count = async (): Promise<number> =>
  Number((await database.query<{ n: string }>(`select count(*) as n from calls where state = 'completed'`)).rows[0]!.n);
const worker = await startBenchWorker(stage.databaseUrl, 0);
const startedAt = performance.now();
let records = 0;
for (let last = performance.now(); records < calls && performance.now() - last < 20_000;) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  const now = await count();
  if (now > records) last = performance.now();
  records = now;
}
const drainedPerSecond = records / ((performance.now() - startedAt) / 1000);
bench.report({
  case: 'worker drains into Postgres',
  value: drainedPerSecond,
  unit: 'calls/s',
  calls,
  records,
  recordsEqualCalls: records === calls,
  failures,
});
await worker.close();
await database.end();
await stage.close();
target.close();
