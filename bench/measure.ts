/**
 * Shared by every benchmark: two sides in turn (A B A B …), the median of at least five pairs, a table for
 * people and one JSON object a line with `--json`; quantiles; child processes pinned to one core whose memory is
 * read from /proc. A ratio is always candidate ÷ baseline of the same run.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

// ---------------------------------------------------------------- figures

/** The middle value; the mean of the two middle ones of an even count. NaN for none. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Quantile by linear interpolation between closest ranks, `q` in 0..1. NaN for no values. */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return Number.NaN;
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  const below = sorted[low]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - low);
}

export interface LatencyRecorder {
  /** Milliseconds. */
  add(ms: number): void;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  quantile(q: number): number;
}

/** Keeps every latency (8 bytes each), so quantiles are exact. */
export function recordLatencies(): LatencyRecorder {
  let kept = new Float64Array(1024);
  let count = 0;
  const of = (q: number): number => quantile(kept.subarray(0, count), q);
  return {
    add(ms) {
      if (count === kept.length) {
        const larger = new Float64Array(count * 2);
        larger.set(kept);
        kept = larger;
      }
      kept[count++] = ms;
    },
    get count() {
      return count;
    },
    get p50Ms() {
      return of(0.5);
    },
    get p99Ms() {
      return of(0.99);
    },
    get maxMs() {
      return of(1);
    },
    quantile: of,
  };
}

/** One side's result of one turn. */
export interface Sample {
  readonly value: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Further figures for the report, e.g. `rssBytes`; the median over the pairs is reported. */
  readonly extra?: Readonly<Record<string, number>>;
}

/** Nanoseconds per call of a synchronous function, over at least `forMs` milliseconds after a warm-up. @default forMs 200 */
export function timeCalls(call: (index: number) => unknown, options: { forMs?: number; warmUpMs?: number } = {}): Sample {
  run(call, options.warmUpMs ?? 50);
  return { value: run(call, options.forMs ?? 200) };
}

/** Benchmarks assign results here, so that the compiler cannot drop the call. */
export let sink: unknown;

function run(call: (index: number) => unknown, forMs: number): number {
  let batch = 16;
  let calls = 0;
  let spentNs = 0;
  const forNs = forMs * 1e6;
  while (spentNs < forNs) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < batch; i++) sink = call(calls + i);
    const tookNs = Number(process.hrtime.bigint() - start);
    calls += batch;
    spentNs += tookNs;
    if (tookNs < 2e6) batch *= 2;
  }
  return spentNs / calls;
}

// ---------------------------------------------------------------- report

export interface Line {
  readonly bench: string;
  readonly case: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio?: number;
  readonly goal?: number;
  readonly baseline?: number;
  readonly lowerIsBetter?: true;
  readonly [figure: string]: unknown;
}

export interface Comparison {
  readonly case: string;
  readonly unit: string;
  /** One turn each. Called in turn: candidate, baseline, candidate, … */
  readonly candidate: () => Sample | Promise<Sample>;
  readonly baseline: () => Sample | Promise<Sample>;
  /** Pairs of turns, at least 5. @default 5 */
  readonly pairs?: number;
  /** Unreported pairs before, for JITs and pools. @default 1 */
  readonly warmUpPairs?: number;
  readonly goal?: number;
  /** A smaller ratio is better: latencies, memory. */
  readonly lowerIsBetter?: boolean;
  /** Further ratios of a pair of turns; the median over the pairs is reported. */
  readonly ratios?: Readonly<Record<string, (candidate: Sample, baseline: Sample) => number>>;
  /** Further members of the JSON line. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface Bench {
  /** Runs the two sides in turn and reports the median of the pairs' ratios. */
  compare(comparison: Comparison): Promise<Line>;
  /** Reports a figure that has no baseline. */
  report(line: Omit<Line, 'bench'>): Line;
}

/** A benchmark of this name; `--json` on the command line switches the output. */
export function openBench(name: string, json: boolean = process.argv.includes('--json')): Bench {
  let opened = false;
  const report = (line: Omit<Line, 'bench'>): Line => {
    const whole = { bench: name, ...line } as Line;
    if (json)
      process.stdout.write(`${JSON.stringify(whole, (_key, value: unknown) => (typeof value === 'number' ? rounded(value) : value))}\n`);
    else {
      if (!opened) process.stdout.write(`\n${name}\n${row('case', 'value', 'baseline', 'ratio', 'goal', 'also')}\n`);
      opened = true;
      process.stdout.write(`${tableRow(whole)}\n`);
    }
    return whole;
  };
  return {
    report,
    async compare(comparison) {
      const pairs = Math.max(5, comparison.pairs ?? 5);
      const warmUps = comparison.warmUpPairs ?? 1;
      const candidates: Sample[] = [];
      const baselines: Sample[] = [];
      for (let turn = 0; turn < warmUps + pairs; turn++) {
        const candidate = await comparison.candidate();
        const baseline = await comparison.baseline();
        if (turn < warmUps) continue;
        candidates.push(candidate);
        baselines.push(baseline);
      }
      return report({
        case: comparison.case,
        ratio: median(candidates.map((sample, i) => sample.value / baselines[i]!.value)),
        ...(comparison.goal === undefined ? {} : { goal: comparison.goal }),
        value: median(candidates.map((sample) => sample.value)),
        baseline: median(baselines.map((sample) => sample.value)),
        unit: comparison.unit,
        ...(comparison.lowerIsBetter === true ? { lowerIsBetter: true as const } : {}),
        ...medians(candidates, ''),
        ...medians(baselines, 'baseline'),
        ...Object.fromEntries(
          Object.entries(comparison.ratios ?? {}).map(([name, ratio]) => [
            name,
            median(candidates.map((one, i) => ratio(one, baselines[i]!))),
          ]),
        ),
        pairs,
        ...comparison.extra,
      });
    },
  };
}

function medians(samples: readonly Sample[], prefix: string): Record<string, number> {
  const figures: Record<string, number[]> = {};
  for (const sample of samples) {
    const all = { p50Ms: sample.p50Ms, p99Ms: sample.p99Ms, ...sample.extra };
    for (const [key, value] of Object.entries(all)) if (value !== undefined) (figures[key] ??= []).push(value);
  }
  const named = (key: string): string => (prefix === '' ? key : prefix + key[0]!.toUpperCase() + key.slice(1));
  return Object.fromEntries(Object.entries(figures).map(([key, values]) => [named(key), median(values)]));
}

const rounded = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(4)));
const shown = (value: unknown): string =>
  typeof value === 'number' ? rounded(value).toLocaleString('en-US', { maximumFractionDigits: 4 }) : String(value);

function row(name: string, value: string, baseline: string, ratio: string, goal: string, also: string): string {
  return `  ${name.padEnd(44)} ${value.padStart(18)} ${baseline.padStart(18)} ${ratio.padStart(7)} ${goal.padStart(14)}  ${also}`.trimEnd();
}

const ownColumns = new Set(['bench', 'case', 'value', 'baseline', 'unit', 'ratio', 'goal', 'lowerIsBetter', 'pairs']);

function tableRow(line: Line): string {
  const withUnit = (value: number | undefined): string => (value === undefined ? '' : `${shown(value)} ${line.unit}`);
  let goal = '';
  if (line.goal !== undefined && line.ratio !== undefined) {
    const met = line.lowerIsBetter === true ? line.ratio <= line.goal : line.ratio >= line.goal;
    goal = `${line.lowerIsBetter === true ? '<=' : '>='} ${line.goal} ${met ? 'met' : 'MISSED'}`;
  }
  const also = Object.entries(line).filter(([key, value]) => !ownColumns.has(key) && value !== undefined);
  const alsoShown = also.map(([key, value]) => `${key} ${shown(value)}`).join(', ');
  return row(line.case, withUnit(line.value), withUnit(line.baseline), line.ratio === undefined ? '' : shown(line.ratio), goal, alsoShown);
}

// ---------------------------------------------------------------- processes

const canPin = process.platform === 'linux' && availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/** The core of the process under test, and the core of load and targets. */
export const cores = { underTest: 0, load: 1 } as const;

/** Pins this process with all its threads to a core (the load generator's). False where that cannot be done. */
export function pinSelf(core: number = cores.load): boolean {
  return canPin && spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)]).status === 0;
}

export interface BenchProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** True when it runs on one core alone. */
  readonly pinned: boolean;
  /** The URL from its `{"event":"listening","url":…}` line or IPC message; rejects if it ends before. */
  listening(timeoutMs?: number): Promise<string>;
  rssBytes(): number;
  /** Highest resident size since the start or the last `resetPeak()`. */
  peakRssBytes(): number;
  resetPeak(): void;
  /** CPU time spent, milliseconds. */
  cpuMs(): number;
  /** The processes that it started and that run, moved to `core` where processes can be pinned. */
  children(core: number): ChildUsage[];
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it has ended. @default graceMs 5000 */
  close(graceMs?: number): Promise<void>;
}

export interface ChildUsage {
  readonly pid: number;
  /** CPU time spent, milliseconds. */
  cpuMs(): number;
}

/** CPU time that a process has spent, milliseconds. */
function cpuMsOf(pid: number): number {
  // utime and stime are the 12th and 13th field after the command's closing parenthesis, in ticks of 10 ms
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** CPU time of a process, of its children, and of those of its children that have ended, milliseconds. */
export function treeCpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return children.reduce((sum, one) => sum + cpuMsOf(one), cpuMsOf(pid) + (Number(fields[13]) + Number(fields[14])) * 10);
}

export interface BenchProcessOptions {
  /** Core to pin to; null: any. @default cores.underTest */
  readonly core?: number | null;
  readonly args?: readonly string[];
  /** The whole environment of the child beside PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of Node before the file. @default ["--conditions=@hoop/source"] */
  readonly execArgv?: readonly string[];
  /** Show its standard error. @default true */
  readonly showErrors?: boolean;
}

/** Starts `node FILE` with an IPC channel, on a core of its own where `taskset` exists. */
export function startProcess(file: string, options: BenchProcessOptions = {}): BenchProcess {
  const node = [process.execPath, ...(options.execArgv ?? ['--conditions=@hoop/source']), file, ...(options.args ?? [])];
  const isPinned = canPin && options.core !== null;
  const command = isPinned ? ['taskset', '-c', String(options.core ?? cores.underTest), ...node] : node;
  const child = spawn(command[0]!, command.slice(1), {
    env: { PATH: process.env['PATH'], ...options.env },
    stdio: ['ignore', 'pipe', options.showErrors === false ? 'ignore' : 'inherit', 'ipc'],
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`cannot start ${file}`);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = new Promise<string>((resolve, reject) => {
    const take = (message: unknown): void => {
      const { event, url: found } = (message ?? {}) as { event?: unknown; url?: unknown };
      if (event === 'listening') resolve(typeof found === 'string' ? found : '');
    };
    child.on('message', take);
    let rest = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!.slice(-65_536);
      for (const line of lines) {
        if (!line.includes('"listening"')) continue;
        try {
          take(JSON.parse(line));
        } catch {
          // not a line of the log's form
        }
      }
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`${file} ended (${signal ?? code}) before it was listening`)));
  });
  url.catch(() => {});
  const status = (key: string): number => {
    const found = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found ? Number(found[1]) * 1024 : Number.NaN;
  };
  return {
    pid,
    child,
    pinned: isPinned,
    async listening(timeoutMs = 30_000) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`${file} was not listening after ${timeoutMs} ms`)), timeoutMs);
      });
      return Promise.race([url, late]).finally(() => clearTimeout(timer));
    },
    rssBytes: () => status('VmRSS'),
    peakRssBytes: () => status('VmHWM'),
    resetPeak: () => writeFileSync(`/proc/${pid}/clear_refs`, '5'),
    cpuMs: () => cpuMsOf(pid),
    children(core) {
      const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
      for (const one of pids) if (isPinned) spawnSync('taskset', ['-a', '-c', '-p', String(core), String(one)]);
      return pids.map((one) => ({ pid: one, cpuMs: () => cpuMsOf(one) }));
    },
    async close(graceMs = 5000) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
