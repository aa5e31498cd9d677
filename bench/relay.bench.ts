/**
 * What a call costs in one relay process with all ten steps on, over a bare undici dispatch proxy: JSON, 128 connections,
 * every call with its grant, its decision, its injected credential, its intent and its outcome durable before its last byte
 * (in the relay's journal; two cases in the queue). `ratio` is CPU time per call of the bare proxy over that of the relay's
 * process; `rateRatio` is calls per second; `shippedRatio` counts relay and shipper together. The process under test has one
 * core; shipper, load, target, database and, afterwards, the worker have the other. Beside it the bare proxy with nothing
 * but a record through the queue (recording-proxy.ts).
 */
import { writeSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { relayNodeFlags } from '@hoop/relay/node-flags';
import { findProgram, startTestRedis } from '@hoop/testkit';
import pg from 'pg';

import { cores, median, openBench, pinSelf, startProcess, treeCpuMs } from './measure.ts';
import type { BenchProcess, ChildUsage, Line, Sample } from './measure.ts';
import { firstByteMs, startEventTarget } from './relay/events.ts';
import { load, startCannedTarget } from './relay/load.ts';
import { startStage } from './relay/stage.ts';
import type { Stage } from './relay/stage.ts';
import { startBenchWorker } from './worker.ts';

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
const small = JSON.stringify({ data: customers }).padEnd(1024, ' ');
const large = JSON.stringify({ data: Array.from({ length: 800 }, (_, id) => ({ ...customers[id % 8], id })) }).slice(0, 102_400);
const target = await startCannedTarget('application/json', small);
const largeTarget = await startCannedTarget('application/json', large);
const streamTarget = await startCannedTarget('application/octet-stream', 'x'.repeat(10 * 1024 * 1024));
const eventTarget = await startEventTarget();
const stage = await startStage(
  [
    { name: 'plain', target: target.url },
    { name: 'heads', target: target.url, recording: { capture: 'heads' } },
    { name: 'masked', target: target.url, mask: [{ path: '$.data[*].email', action: 'partial' }] },
    { name: 'large', target: largeTarget.url },
    { name: 'stream', target: streamTarget.url },
    { name: 'events', target: eventTarget.url },
  ],
  { journal: true },
);
const [shipper] = stage.relay.children(cores.load);
const startProxy = (to: string): BenchProcess =>
  startProcess(path.join(import.meta.dirname, 'relay/bare-proxy.ts'), {
    args: [to],
    // The same heap for both.
    execArgv: ['--conditions=@hoop/source', ...relayNodeFlags],
  });
const startRecording = (queueUrl: string, capture: 'full' | 'heads'): BenchProcess =>
  startProcess(path.join(import.meta.dirname, 'relay/recording-proxy.ts'), {
    args: [target.url, queueUrl, capture],
    execArgv: ['--conditions=@hoop/source', ...relayNodeFlags],
  });
let calls = 0;
let failures = 0;

interface Side {
  readonly url: string;
  readonly process: BenchProcess;
  readonly shipper?: ChildUsage | undefined;
  /** Whose grants are sent. @default stage */
  readonly grantsOf?: Stage;
}

interface Request {
  /** The path at the target. */
  readonly path: string;
  /** @default no body, a GET */
  readonly body?: Uint8Array;
  /** @default 128 */
  readonly connections?: number;
  /** @default as many as go through */
  readonly callsPerSecond?: number;
}

/** `value` is calls in a second of CPU time of the process under test. */
async function turn(side: Side, prefix: string, { path: requestPath, body, connections = 128, callsPerSecond }: Request): Promise<Sample> {
  const { grantsOf = stage } = side;
  // Fresh grants for every turn: each connection is a function's invocation of its own.
  const grants = await Promise.all(Array.from({ length: connections }, () => grantsOf.grant()));
  const [cpu, shipping] = [side.process.cpuMs(), side.shipper?.cpuMs() ?? 0];
  const head = (index: number): string =>
    `${body === undefined ? 'GET' : 'POST'} ${prefix}${requestPath} HTTP/1.1\r\naccept: application/json\r\nuser-agent: bench\r\nauthorization: Bearer ${grants[index]}${body === undefined ? '' : '\r\ncontent-type: application/json'}`;
  const {
    value,
    responses,
    failures: failed,
    ...latencies
  } = await load({
    url: side.url,
    connections,
    forMs,
    callsPerSecond,
    // At a given rate the first call of each session, whose grant is verified and whose key is made, would be the slowest percent.
    warmUpMs: callsPerSecond === undefined ? 0 : 1000,
    head,
    ...(body === undefined ? {} : { body }),
  });
  failures += failed;
  if (side.process === stage.relay) calls += responses;
  const cpuUs = ((side.process.cpuMs() - cpu) * 1000) / responses;
  const shipperUs = (((side.shipper?.cpuMs() ?? 0) - shipping) * 1000) / responses;
  return {
    ...latencies,
    value: 1e6 / cpuUs,
    extra: { callsPerSecond: value, cpuUsPerCall: cpuUs, ...(side.shipper === undefined ? {} : { shipperUsPerCall: shipperUs }) },
  };
}

const figure = (name: string, of: Sample): number => of.extra![name] ?? 0;
const rateRatio = (candidate: Sample, baseline: Sample): number => figure('callsPerSecond', candidate) / figure('callsPerSecond', baseline);
const shippedRatio = (candidate: Sample, baseline: Sample): number =>
  figure('cpuUsPerCall', baseline) / (figure('cpuUsPerCall', candidate) + figure('shipperUsPerCall', candidate));

interface Case {
  readonly what: string;
  readonly side: Side;
  readonly prefix: string;
  readonly request: Request;
  readonly bare: Side;
  readonly goal?: number;
  /** @default 1 */
  readonly warmUpPairs?: number;
}

/** What is added to the latencies of the bare proxy, or to its CPU time, of turns at the same time: medians of five pairs. */
async function added(
  side: Side,
  prefix: string,
  on: Side,
  request: Request,
): Promise<Record<'p50Ms' | 'p99Ms', number> & { ownMs: number }> {
  const pairs: [Sample, Sample][] = [];
  for (let i = 0; i < 6; i++) pairs.push([await turn(side, prefix, request), await turn(on, '', request)]);
  const over = (name: 'p50Ms' | 'p99Ms'): number => median(pairs.slice(1).map(([own, its]) => own[name]! - its[name]!));
  return { p50Ms: over('p50Ms'), p99Ms: over('p99Ms'), ownMs: median(pairs.slice(1).map(([own]) => own.p50Ms!)) };
}

const compare = ({ what, side, prefix, request, bare, goal, warmUpPairs }: Case): Promise<Line> =>
  bench.compare({
    case: what,
    unit: 'calls/CPU s',
    ...(goal === undefined ? {} : { goal }),
    ...(warmUpPairs === undefined ? {} : { warmUpPairs }),
    candidate: () => turn(side, prefix, request),
    baseline: () => turn(bare, '', request),
    ratios: { rateRatio, ...(side.shipper === undefined ? {} : { shippedRatio }) },
    extra: { pinned, connections: request.connections ?? 128 },
  });

/** Of a write of 4 KiB into a preallocated file on the journal's disk, as the journal does it. */
async function medianSyncMs(): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hoop-bench-sync-'));
  const file = await open(path.join(folder, 'file'), 'w');
  await file.write(Buffer.alloc(1024 * 1024), 0, null, 0);
  await file.sync();
  const times: number[] = [];
  for (let i = 0; i < 200; i++) {
    const from = performance.now();
    writeSync(file.fd, Buffer.alloc(4096, i), 0, 4096, i * 4096);
    await file.datasync();
    times.push(performance.now() - from);
  }
  await file.close();
  await rm(folder, { recursive: true });
  return median(times);
}

/** Milliseconds from the beginning of a connection to the first event on it, of 200 on each side in turn. */
async function firstEvents(): Promise<{ ownMs: number; bareMs: number }> {
  const grant = await stage.grant();
  const own: number[] = [];
  const bareOnes: number[] = [];
  for (let i = 0; i < 220; i++) {
    const times = [
      await firstByteMs(`${stage.relayUrl}/events/v1/customers`, { authorization: `Bearer ${grant}` }),
      await firstByteMs(`${eventProxyUrl}/v1/customers`, {}),
    ];
    calls++;
    // The first ones warm up.
    if (i >= 20) for (const [side, ms] of times.entries()) [own, bareOnes][side]!.push(ms);
  }
  return { ownMs: median(own), bareMs: median(bareOnes) };
}

const relaySide: Side = { url: stage.relayUrl, process: stage.relay, shipper };
const proxy = startProxy(target.url);
const largeProxy = startProxy(largeTarget.url);
const bare: Side = { url: await proxy.listening(), process: proxy };
const bareLarge: Side = { url: await largeProxy.listening(), process: largeProxy };
const streamProxy = startProxy(streamTarget.url);
const bareStream: Side = { url: await streamProxy.listening(), process: streamProxy };
const eventProxy = startProxy(eventTarget.url);
const eventProxyUrl = await eventProxy.listening();

const read: Request = { path: '/v1/customers' };
const write: Request = { path: '/v1/files/one', body: Buffer.from(small) };
// V8 goes on compiling the relay's code for some 20 seconds of load.
const whole = await compare({ what: '1 KB, all steps', side: relaySide, prefix: '/plain', request: read, bare, goal: 0.7, warmUpPairs: 4 });
// As the line above says it: intent and outcome with their heads, bodies digested and not kept.
await compare({ what: '1 KB, bodies not kept', side: relaySide, prefix: '/heads', request: read, bare, goal: 0.8 });
await compare({ what: '1 KB, a masking rule', side: relaySide, prefix: '/masked', request: read, bare, goal: 0.65 });
await compare({ what: 'POST of 1 KB, 1 KB back', side: relaySide, prefix: '/plain', request: write, bare, goal: 0.65 });
await compare({ what: '100 KB', side: relaySide, prefix: '/large', request: read, bare: bareLarge, goal: 0.6 });
await compare({ what: '1 KB, 32 connections', side: relaySide, prefix: '/plain', request: { ...read, connections: 32 }, bare, goal: 0.65 });
const streams: Request = { ...read, connections: 8 };
await compare({ what: '10 MB stream, 8 connections', side: relaySide, prefix: '/stream', request: streams, bare: bareStream, goal: 0.5 });

// What the cases before have left to the shipper must not be counted, nor keep the disk from the journal.
await stage.shipped();
const halfLoad = (whole['callsPerSecond'] as number) / 2;
const half = await added(relaySide, '/plain', bare, { ...read, callsPerSecond: halfLoad });
const inGoal = (value: number, goalMs: number) => ({
  value,
  unit: 'ms',
  ratio: value / goalMs,
  goal: 1,
  lowerIsBetter: true as const,
  goalMs,
});
bench.report({ case: 'added at half load, median', ...inGoal(half.p50Ms, 1), callsPerSecond: halfLoad });
bench.report({ case: 'added at half load, 99th percentile', ...inGoal(half.p99Ms, 4), callsPerSecond: halfLoad });

// One call after the other: no group has more than one entry, and each call waits for both of its own.
const spentMs = (): number => stage.relay.cpuMs() + (shipper?.cpuMs() ?? 0) + treeCpuMs(stage.postgresPid);
await stage.shipped();
const [spentBefore, callsBefore] = [spentMs(), calls];
const single = await added(relaySide, '/plain', bare, { ...read, connections: 1 });
const cpuMs = (spentMs() - spentBefore) / (calls - callsBefore);
bench.report({ case: 'one call at a time, CPU of relay, shipper, Postgres', ...inGoal(cpuMs, 0.6) });
const syncMs = await medianSyncMs();
const latency = inGoal(single.p50Ms - 2 * syncMs, 0.3);
bench.report({ case: 'one call at a time, added over two syncs', ...latency, syncMs, ownMs: single.ownMs });
const events = await firstEvents();
bench.report({ case: 'first event on a new connection, added', ...inGoal(events.ownMs - events.bareMs, 2), ...events });

const onPostgres = await startStage([{ name: 'plain', target: target.url }]);
const queued: Side = { url: onPostgres.relayUrl, process: onPostgres.relay, grantsOf: onPostgres };
await compare({ what: '1 KB, durable in the queue (Postgres)', side: queued, prefix: '/plain', request: read, bare });
for (const [what, capture] of [
  ['1 KB, the record alone, no relay', 'full'],
  ['1 KB, the record alone, bodies not kept', 'heads'],
] as const) {
  const recording = startRecording(onPostgres.queueUrl, capture);
  await compare({ what, side: { url: await recording.listening(), process: recording }, prefix: '', request: read, bare });
  await recording.close();
}
await onPostgres.close();
// Where installed, the queue of production: Redis with an append-only file that is synced before every answer.
if (findProgram('redis-server') !== null) {
  const redis = await startTestRedis();
  const onRedis = await startStage([{ name: 'plain', target: target.url }], { redisUrl: redis.url });
  const side: Side = { url: onRedis.relayUrl, process: onRedis.relay, grantsOf: onRedis };
  await compare({ what: '1 KB, durable in the queue (Redis)', side, prefix: '/plain', request: read, bare });
  await onRedis.close();
  await redis.stop();
}
for (const one of [proxy, largeProxy, streamProxy, eventProxy]) await one.close();

// The worker now moves into the records what the relay wrote into its journal, and the shipper into the queue, while it was away.
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
for (const one of [target, largeTarget, streamTarget, eventTarget]) one.close();
