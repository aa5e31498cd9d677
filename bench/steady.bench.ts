/**
 * Whether a whole Hoop is steady, and what a second relay process adds, on the cores that everything shares (relay, shipper,
 * worker, Postgres with fsync on, load and target). `--minutes N` (1) and `--rate N` (1500 calls/s of 1 KB, all steps) say
 * how long and how much: afterwards there are as many records as calls were made, and memory and backlog are compared
 * with those after the first third. Processes are compared by what two carry together over what one does, by CPU time per call.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import pg from 'pg';

import { openBench } from './measure.ts';
import type { ChildUsage, Sample } from './measure.ts';
import { load, startCannedTarget } from './relay/load.ts';
import { startStage } from './relay/stage.ts';
import type { Stage } from './relay/stage.ts';
import { startBenchWorker } from './worker.ts';

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, minutes: { type: 'string', default: '1' }, rate: { type: 'string', default: '1500' } },
});
const rate = Number(values.rate);
const connections = 128;
const segmentMs = 10_000;

const bench = openBench('steady');
const target = await startCannedTarget('application/json', JSON.stringify({ data: 'x'.repeat(1000) }));

async function run(stage: Stage, forMs: number, callsPerSecond?: number): Promise<{ responses: number; failures: number }> {
  const grants = await Promise.all(Array.from({ length: connections }, () => stage.grant()));
  return load({
    url: stage.relayUrl,
    connections,
    forMs,
    callsPerSecond,
    head: (index) => `GET /plain/v1/customers HTTP/1.1\r\naccept: application/json\r\nauthorization: Bearer ${grants[index]}`,
  });
}

/** Relay processes; the shipper beside them is none. */
const relayProcesses = (stage: Stage): ChildUsage[] =>
  stage.relay.children(0).filter(({ pid }) => !readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('ship'));

async function compareProcesses(): Promise<void> {
  const connection = { name: 'plain', target: target.url };
  const one = await startStage([connection], { journal: true, core: null });
  const two = await startStage([connection], { journal: true, core: null, processes: 2 });
  const both = relayProcesses(two);
  const turn = async (stage: Stage, cpuMs: () => number, processes: number): Promise<Sample> => {
    const before = cpuMs();
    const { responses } = await run(stage, 4000);
    const cpuUsPerCall = ((cpuMs() - before) * 1000) / responses;
    return { value: (processes * 1e6) / cpuUsPerCall, extra: { cpuUsPerCall } };
  };
  await bench.compare({
    case: 'two relay processes, on a core each',
    unit: 'calls/s',
    goal: 1.7,
    warmUpPairs: 3,
    candidate: () => turn(two, () => both.reduce((sum, process) => sum + process.cpuMs(), 0), both.length),
    baseline: () => turn(one, () => one.relay.cpuMs(), 1),
    extra: { processes: both.length },
  });
  await one.close();
  await two.close();
}

interface Moment {
  /** Resident memory, MiB. */
  readonly relay: number;
  readonly shipper: number;
  readonly worker: number;
  /** Calls that the queue and the journal hold, about. */
  readonly waiting: number;
}

async function holdOn(): Promise<void> {
  const stage = await startStage([{ name: 'plain', target: target.url }], { journal: true, core: null });
  const worker = await startBenchWorker(stage.databaseUrl, null);
  const database = new pg.Client({ connectionString: stage.databaseUrl });
  await database.connect();
  const one = async (sql: string): Promise<number> =>
    Number(Object.values((await database.query<Record<string, string>>(sql)).rows[0]!)[0]);
  const [shipper] = stage.relay.children(0);
  const rssMiB = (pid: number): number => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
  // The sequencer counts the leaves; to count the calls would cost more than is measured.
  const recorded = (): Promise<number> => one('SELECT size FROM log_state');
  let [calls, failures] = [0, 0];
  const moments: Moment[] = [];
  const untilMs = performance.now() + Number(values.minutes) * 60_000;
  const startedAt = performance.now();
  while (performance.now() < untilMs) {
    const segment = await run(stage, segmentMs, rate);
    calls += segment.responses;
    failures += segment.failures;
    moments.push({
      relay: rssMiB(stage.relay.pid),
      shipper: rssMiB(shipper!.pid),
      worker: rssMiB(worker.pid),
      waiting: calls - (await recorded()),
    });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await stage.shipped();
  for (let last = -1, since = performance.now(); last < calls && performance.now() - since < 60_000;) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const now = await recorded();
    if (now > last) since = performance.now();
    last = now;
  }
  const records = await one(`SELECT count(*) FROM calls WHERE state = 'completed'`);
  bench.report({
    case: 'sustained',
    value: calls / seconds,
    unit: 'calls/s',
    calls,
    records,
    failures,
    recordsEqualCalls: calls === records,
  });
  const [early, late] = [moments[Math.floor(moments.length / 3)]!, moments.at(-1)!];
  for (const name of ['relay', 'shipper', 'worker'] as const) {
    const line = { case: `memory of the ${name}, after the first third`, value: late[name], baseline: early[name], unit: 'MiB' };
    bench.report({ ...line, ratio: late[name] / early[name], goal: 1.1, lowerIsBetter: true });
  }
  bench.report({ case: 'calls on their way into the record at the end', value: late.waiting, baseline: early.waiting, unit: 'calls' });
  await worker.close();
  await database.end();
  await stage.close();
}

await compareProcesses();
await holdOn();
target.close();
