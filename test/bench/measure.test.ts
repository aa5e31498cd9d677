import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { median, openBench, quantile, recordLatencies, startProcess } from '../../bench/measure.ts';

afterEach(() => vi.restoreAllMocks());

const printed = (): string[] => {
  const lines: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  return lines;
};

describe('the benchmark harness', () => {
  it('takes the two sides in turn and reports the median of the pairs’ ratios', async () => {
    const lines = printed();
    const turns: string[] = [];
    const candidates = [99, 2, 2, 2, 9, 2];
    const baselines = [1, 1, 1, 1, 1, 4];
    const line = await openBench('x', true).compare({
      case: 'c',
      unit: 'ns',
      goal: 3,
      lowerIsBetter: true,
      candidate: () => ({ value: candidates[turns.push('A') >> 1]!, p99Ms: 5, extra: { rssBytes: 7 } }),
      baseline: () => ({ value: baselines[(turns.push('B') - 1) >> 1]!, p99Ms: 6 }),
    });
    expect(turns.join('')).toBe('ABABABABABAB');
    expect(line).toMatchObject({ ratio: 2, value: 2, baseline: 1, p99Ms: 5, baselineP99Ms: 6, rssBytes: 7, pairs: 5 });
    expect(lines.map((text) => JSON.parse(text) as unknown)).toEqual([JSON.parse(JSON.stringify(line))]);
  });

  it('says in the table whether a goal is met', () => {
    const lines = printed();
    const bench = openBench('x', false);
    bench.report({ case: 'a', unit: 'req/s', value: 12_345, baseline: 1, ratio: 0.6, goal: 0.7 });
    bench.report({ case: 'b', unit: 'ns', value: 1, baseline: 1, ratio: 0.6, goal: 0.7, lowerIsBetter: true });
    expect(lines.join('')).toMatch(/12,345 req\/s.*>= 0\.7 MISSED[\s\S]*<= 0\.7 met/);
  });

  it('computes quantiles by interpolation', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9);
    expect(quantile([], 0.5)).toBeNaN();
    const latencies = recordLatencies();
    for (let i = 0; i <= 3000; i++) latencies.add(i);
    expect([latencies.count, latencies.p50Ms, latencies.p99Ms, latencies.maxMs]).toEqual([3001, 1500, 2970, 3000]);
  });

  it('starts a process, learns its URL, measures it and ends it', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'measure-')), 'child.mjs');
    writeFileSync(file, `process.stdout.write('{"event":"listening","url":"http://127.0.0.1:1"}\\n'); setInterval(() => {}, 1000);`);
    const child = startProcess(file, { execArgv: [] });
    expect(await child.listening()).toBe('http://127.0.0.1:1');
    if (process.platform === 'linux') {
      expect(child.rssBytes()).toBeGreaterThan(10_000_000);
      expect(child.peakRssBytes()).toBeGreaterThanOrEqual(child.rssBytes() * 0.5);
      expect(child.cpuMs()).toBeGreaterThanOrEqual(0);
    }
    await child.close();
    expect(child.child.signalCode ?? child.child.exitCode).toBe('SIGTERM');
  });

  it('tells of a process that ends before it listens', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'measure-')), 'child.mjs');
    writeFileSync(file, 'process.exit(3)');
    await expect(startProcess(file, { execArgv: [] }).listening()).rejects.toThrow(/ended \(3\) before/);
  });
});
